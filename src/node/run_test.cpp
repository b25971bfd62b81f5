#include "node/run.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/files_machine.hpp"

namespace runctl::node {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::SizeIs;

RunId id(std::string_view text) { return RunId::parse(text).value(); }

template <class T>
std::string code_of(const Result<T>& result) {
  if (result) return "";
  return result.error().remote ? result.error().remote->code : result.error().message;
}

class runs : public ::testing::Test {
 protected:
  void TearDown() override {
    for (const auto& report : list_runs(bed_.machine(), 20).value_or(std::vector<RunReport>{})) {
      if (report.state != RunState::running) continue;
      bed_.said_by(fmt::format("kill -9 {}", report.pid));
      (void)when_ended(report.id);  // its wrapper still writes into the folder that goes next
    }
  }
  RunSpec shell_run(std::string_view name, const std::string& script) {
    return {.id = id(name), .argv = {"sh", "-c", script}, .working_directory = bed_.root()};
  }
  RunProgress when_ended(const RunId& run) {
    for (int tries = 0; tries < 250; ++tries) {
      auto progress = run_status(bed_.machine(), run, 0);
      if (!progress || progress->run.state != RunState::running) return progress.value();
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
    throw std::runtime_error{"the run does not end"};
  }
  std::string checkpoints() const { return bed_.root() / "checkpoints"; }

  testing::FilesMachine bed_;
};

TEST_F(runs, arguments_environment_and_directory_arrive_exactly) {
  const std::vector<std::string> odd{
      "a b",         "",  "it's", "\"x\"", "$(touch pwned)", "`y`", "line\nbreak",
      "back\\slash", "*", "ü",    "-n",    "\ttab"};
  std::vector<std::string> argv{
      "sh", "-c", R"(printf '[%s]' "$@"; printf '{%s}' "$ODD" "$RUNCTL_RUN_ID"; pwd)", "sh"};
  argv.insert(argv.end(), odd.begin(), odd.end());
  bed_.said_by(fmt::format("mkdir '{}/a dir'", bed_.root().string()));
  ASSERT_EQ(
      code_of(start_run(bed_.machine(), {.id = id("odd"),
                                         .argv = argv,
                                         .environment = {{.name = "ODD", .value = "o'd\n$(d)"}},
                                         .working_directory = bed_.root() / "a dir"})),
      "");
  std::string wanted;
  for (const auto& argument : odd) wanted += "[" + argument + "]";
  wanted += "{o'd\n$(d)}{odd}" + (bed_.root() / "a dir").string() + "\n";
  const auto ended = when_ended(id("odd"));
  EXPECT_EQ(ended.log, wanted);
  EXPECT_EQ(ended.run.state, RunState::succeeded);
  EXPECT_EQ(ended.run.exit_status, 0);
  EXPECT_TRUE(ended.run.started && ended.run.ended && *ended.run.started <= *ended.run.ended);
}

TEST_F(runs, the_exit_status_is_the_programs_whatever_the_log_says) {
  ASSERT_EQ(code_of(start_run(bed_.machine(), shell_run("r", "echo success; exit 3"))), "");
  const auto ended = when_ended(id("r"));
  EXPECT_EQ(ended.run.state, RunState::failed);
  EXPECT_EQ(ended.run.exit_status, 3);
  EXPECT_EQ(ended.run.signal, std::nullopt);
}

TEST_F(runs, a_missing_program_is_a_run_that_failed_with_127) {
  auto spec = shell_run("r", "");
  spec.argv = {"no-such-interpreter", "train.py"};
  ASSERT_EQ(code_of(start_run(bed_.machine(), spec)), "");
  const auto ended = when_ended(id("r"));
  EXPECT_EQ(ended.run.state, RunState::failed);
  EXPECT_EQ(ended.run.exit_status, 127);
  EXPECT_THAT(ended.log, HasSubstr("no-such-interpreter"));
}

TEST_F(runs, a_missing_directory_is_a_run_that_failed_with_126) {
  auto spec = shell_run("r", "true");
  spec.working_directory = "/no/such/directory";
  ASSERT_EQ(code_of(start_run(bed_.machine(), spec)), "");
  EXPECT_EQ(when_ended(id("r")).run.exit_status, 126);
}

TEST_F(runs, a_signal_that_ends_the_program_is_told) {
  const auto started = start_run(bed_.machine(), shell_run("r", "exec sleep 30"));
  ASSERT_EQ(code_of(started), "");
  ASSERT_EQ(started->state, RunState::running);
  ASSERT_TRUE(testing::eventually(fmt::format("grep -q sleep /proc/{}/comm", started->pid)));
  bed_.said_by(fmt::format("kill -TERM {}", started->pid));
  const auto ended = when_ended(id("r"));
  EXPECT_EQ(ended.run.state, RunState::failed);
  EXPECT_EQ(ended.run.signal, 15);
}

// A background job of a shell would ignore it, and python would never see its KeyboardInterrupt.
TEST_F(runs, the_program_can_be_interrupted) {
  const auto started = start_run(bed_.machine(), shell_run("r", "exec sleep 30"));
  ASSERT_EQ(code_of(started), "");
  ASSERT_TRUE(testing::eventually(fmt::format("grep -q sleep /proc/{}/comm", started->pid)));
  bed_.said_by(fmt::format("kill -INT {}", started->pid));
  EXPECT_EQ(when_ended(id("r")).run.signal, 2);
}

TEST_F(runs, a_signal_to_the_whole_group_reaches_the_program_and_is_written_down) {
  const auto started = start_run(
      bed_.machine(), shell_run("r", "trap 'echo saved; exit 5' TERM; echo up; sleep 30 & wait"));
  ASSERT_EQ(code_of(started), "");
  ASSERT_TRUE(testing::eventually(fmt::format("grep -q up {}/log", started->directory)));
  bed_.said_by(fmt::format("kill -TERM -$(cut -d ' ' -f 5 /proc/{}/stat)", started->pid));
  const auto ended = when_ended(id("r"));
  EXPECT_EQ(ended.run.exit_status, 5);
  EXPECT_THAT(ended.log, HasSubstr("saved"));
}

TEST_F(runs, a_run_whose_processes_are_gone_without_a_status_is_lost) {
  const auto started = start_run(bed_.machine(), shell_run("r", "echo all is well; exec sleep 30"));
  ASSERT_EQ(code_of(started), "");
  bed_.said_by(fmt::format("kill -KILL -$(cut -d ' ' -f 5 /proc/{}/stat)", started->pid));
  EXPECT_EQ(when_ended(id("r")).run.state, RunState::lost);
}

TEST_F(runs, a_run_of_an_earlier_boot_is_lost_though_its_number_is_in_use) {
  const auto started = start_run(bed_.machine(), shell_run("r", "exec sleep 30"));
  ASSERT_EQ(code_of(started), "");
  const auto file = started->directory + "/started";
  bed_.said_by(fmt::format(
      "sed -i 's/^\\([0-9]*\\) [^ ]*/\\1 00000000-0000-0000-0000-000000000000/' {}", file));
  EXPECT_EQ(run_status(bed_.machine(), id("r"), 0)->run.state, RunState::lost);
  bed_.said_by(fmt::format("kill -9 {}", started->pid));
}

TEST_F(runs, a_number_that_another_process_has_now_is_not_the_run) {
  const auto started = start_run(bed_.machine(), shell_run("r", "exec sleep 30"));
  ASSERT_EQ(code_of(started), "");
  bed_.said_by(fmt::format("kill -KILL -$(cut -d ' ' -f 5 /proc/{}/stat)", started->pid));
  // A living process under the old numbers, with another start time.
  const testing::Background other{"exec sleep 30"};
  bed_.said_by(fmt::format(
      "cd {0}; echo {1} 1 >program; read -r t b w s f <started; echo $t $b {1} 1 $f >started",
      started->directory, other.pid()));
  EXPECT_EQ(run_status(bed_.machine(), id("r"), 0)->run.state, RunState::lost);
}

TEST_F(runs, starting_twice_starts_once) {
  const auto spec = shell_run("r", "echo once; exec sleep 30");
  const auto first = start_run(bed_.machine(), spec);
  const auto second = start_run(bed_.machine(), spec);
  ASSERT_EQ(code_of(first), "");
  ASSERT_EQ(code_of(second), "");
  EXPECT_FALSE(first->already);
  EXPECT_TRUE(second->already);
  EXPECT_EQ(first->pid, second->pid);
  EXPECT_EQ(run_status(bed_.machine(), id("r"), 0)->log, "once\n");
  EXPECT_EQ(code_of(start_run(bed_.machine(), shell_run("r", "echo other"))), "run_exists");
}

TEST_F(runs, a_wrapper_that_is_started_again_runs_nothing) {
  ASSERT_EQ(code_of(start_run(bed_.machine(), shell_run("r", "echo once"))), "");
  const auto ended = when_ended(id("r"));
  bed_.said_by(fmt::format("cd {0}; flock -w 5 lock true; sh wrapper.sh {0}", ended.run.directory));
  EXPECT_EQ(run_status(bed_.machine(), id("r"), 0)->log, "once\n");
}

TEST_F(runs, a_second_run_on_one_checkpoint_directory_is_refused_and_told_who_has_it) {
  auto first = shell_run("first", "exec sleep 30");
  first.checkpoint_directory = checkpoints();
  const auto holder = start_run(bed_.machine(), first);
  ASSERT_EQ(code_of(holder), "");
  auto second = shell_run("second", "echo must not run");
  second.checkpoint_directory = checkpoints();
  const auto refused = start_run(bed_.machine(), second);
  ASSERT_EQ(code_of(refused), "busy");
  EXPECT_EQ(refused.error().code, Errc::conflict);
  EXPECT_THAT(refused.error().message, HasSubstr("run first"));
  EXPECT_THAT(refused.error().details, Contains(HasSubstr("run first")));
  EXPECT_EQ(bed_.said_by(fmt::format("cat {}/runs/second/log", bed_.root().string())), "");
}

TEST_F(runs, the_lock_outlives_a_killed_wrapper_while_the_program_goes_on) {
  auto first = shell_run("first", "exec sleep 30");
  first.checkpoint_directory = checkpoints();
  const auto holder = start_run(bed_.machine(), first);
  ASSERT_EQ(code_of(holder), "");
  bed_.said_by(fmt::format("read -r t b w rest <{}/started; kill -9 $w", holder->directory));
  EXPECT_EQ(run_status(bed_.machine(), id("first"), 0)->run.state, RunState::running);
  auto second = shell_run("second", "true");
  second.checkpoint_directory = checkpoints();
  EXPECT_EQ(code_of(start_run(bed_.machine(), second)), "busy");
}

TEST_F(runs, each_run_on_a_checkpoint_directory_gets_the_next_fencing_number) {
  for (int n = 1; n <= 3; ++n) {
    auto spec =
        shell_run(fmt::format("r{}", n), R"(printf '%s' "$RUNCTL_FENCE $RUNCTL_CHECKPOINT_DIR")");
    spec.checkpoint_directory = checkpoints();
    const auto started = start_run(bed_.machine(), spec);
    ASSERT_EQ(code_of(started), "");
    EXPECT_EQ(started->fence, n);
    EXPECT_EQ(when_ended(spec.id).log, fmt::format("{} {}", n, checkpoints()));
    // The lock goes with the wrapper, which ends a moment after it wrote the status.
    ASSERT_TRUE(testing::eventually(fmt::format("flock -n {}/.runctl.lock true", checkpoints())));
  }
}

TEST_F(runs, a_refused_run_can_be_started_when_the_directory_is_free) {
  auto first = shell_run("first", "exec sleep 30");
  first.checkpoint_directory = checkpoints();
  const auto holder = start_run(bed_.machine(), first);
  auto second = shell_run("second", "echo ran");
  second.checkpoint_directory = checkpoints();
  ASSERT_EQ(code_of(start_run(bed_.machine(), second)), "busy");
  bed_.said_by(fmt::format("kill {}", holder->pid));
  ASSERT_TRUE(testing::eventually(fmt::format("flock -n {}/.runctl.lock true", checkpoints())));
  ASSERT_EQ(code_of(start_run(bed_.machine(), second)), "");
  EXPECT_EQ(when_ended(id("second")).log, "ran\n");
}

TEST_F(runs, the_log_is_read_piece_by_piece_with_any_bytes) {
  ASSERT_EQ(
      code_of(start_run(bed_.machine(), shell_run("r", R"(printf '\377\000\001abc'; seq 10000)"))),
      "");
  const auto ended = when_ended(id("r"));
  EXPECT_EQ(ended.log.size(), ended.log_size);
  std::string log;
  std::uint64_t offset = 0;
  while (true) {
    const auto piece = run_status(bed_.machine(), id("r"), offset, 10'000);
    ASSERT_EQ(code_of(piece), "");
    log += piece->log;
    offset = piece->next_offset;
    if (offset == piece->log_size) break;
  }
  EXPECT_TRUE(log.starts_with(std::string{"\xFF\0\1abc1\n", 8}));
  EXPECT_TRUE(log.ends_with("9999\n10000\n"));
  EXPECT_EQ(log.size(), ended.log_size);
  EXPECT_EQ(run_status(bed_.machine(), id("r"), 999'999'999)->log, "");
}

TEST_F(runs, an_unknown_run_is_not_found) {
  const auto progress = run_status(bed_.machine(), id("nothing"), 0);
  ASSERT_FALSE(progress.has_value());
  EXPECT_EQ(progress.error().code, Errc::not_found);
}

TEST_F(runs, what_it_left_is_kept_beside_its_checkpoints_without_its_command) {
  auto spec = shell_run("r", "echo first words; echo more >&2");
  const auto volume = bed_.root() / "volume";
  spec.checkpoint_directory = volume / "checkpoints";
  spec.environment = {{.name = "MY_TOKEN", .value = "tell-nobody"}};
  ASSERT_EQ(code_of(start_run(bed_.machine(), spec)), "");
  (void)when_ended(spec.id);
  for (int time = 0; time < 2; ++time) {  // it may be repeated
    const auto kept = keep_run(bed_.machine(), spec.id);
    ASSERT_EQ(code_of(kept), "");
    EXPECT_EQ(*kept, (volume / "runs" / "r").string());
  }
  EXPECT_EQ(bed_.said_by("cat " + (volume / "runs/r/log").string()), "first words\nmore");
  EXPECT_EQ(bed_.said_by(fmt::format("ls -A {0}; ls -A {0}/r", (volume / "runs").string())),
            "r\ndetails.json\nlog\nrecord.json\nstarted\nstatus\nstop");
  EXPECT_EQ(bed_.said_by("grep -r tell-nobody " + (volume / "runs").string()), "");
}

TEST_F(runs, what_it_left_is_not_kept_where_there_is_no_place_for_it) {
  EXPECT_EQ(code_of(keep_run(bed_.machine(), id("nothing"))), "no_run");
  ASSERT_EQ(code_of(start_run(bed_.machine(), shell_run("r", "true"))), "");
  (void)when_ended(id("r"));
  EXPECT_EQ(code_of(keep_run(bed_.machine(), id("r"))), "no_checkpoints");
  // Nor where the volume was, once it is unmounted.
  auto gone = shell_run("g", "true");
  gone.checkpoint_directory = bed_.root() / "gone" / "checkpoints";
  ASSERT_EQ(code_of(start_run(bed_.machine(), gone)), "");
  (void)when_ended(gone.id);
  std::filesystem::remove_all(bed_.root() / "gone" / "checkpoints");
  EXPECT_EQ(code_of(keep_run(bed_.machine(), gone.id)), "no_checkpoints");
  EXPECT_FALSE(std::filesystem::exists(bed_.root() / "gone" / "runs"));
  // Where the machine has its own, they are theirs.
  auto spec = shell_run("s", "echo here");
  spec.checkpoint_directory = checkpoints();
  ASSERT_EQ(code_of(start_run(bed_.machine(), spec)), "");
  (void)when_ended(spec.id);
  ASSERT_EQ(code_of(keep_run(bed_.machine(), spec.id)), "");
  EXPECT_EQ(when_ended(spec.id).log, "here\n");
}

TEST_F(runs, runs_are_listed_newest_first) {
  EXPECT_THAT(list_runs(bed_.machine(), 5).value(), SizeIs(0));
  for (const char* name : {"a", "b", "c"}) {
    ASSERT_EQ(code_of(start_run(bed_.machine(), shell_run(name, "exit 0"))), "");
    (void)when_ended(id(name));
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
  const auto listed = list_runs(bed_.machine(), 2);
  ASSERT_EQ(code_of(listed), "");
  ASSERT_THAT(*listed, SizeIs(2));
  EXPECT_EQ((*listed)[0].id.str(), "c");
  EXPECT_EQ((*listed)[1].id.str(), "b");
  EXPECT_EQ((*listed)[0].command, "sh -c 'exit 0'");
}

// As an upload touches it, which goes on after a later run was started.
TEST_F(runs, are_ordered_by_their_start_and_not_by_what_was_done_in_them_last) {
  for (const char* name : {"a", "b"}) {
    ASSERT_EQ(code_of(start_run(bed_.machine(), shell_run(name, "exit 0"))), "");
    (void)when_ended(id(name));
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
  bed_.said_by(fmt::format("touch {}/runs/a/upload_status", bed_.root().string()));
  const auto listed = list_runs(bed_.machine(), 1);
  ASSERT_EQ(code_of(listed), "");
  ASSERT_THAT(*listed, SizeIs(1));
  EXPECT_EQ(listed->front().id.str(), "b");
}

// A number that was given out must not be given out again: of what a crash has emptied, none is
// known to be new.
TEST_F(runs, a_fence_that_is_empty_or_cannot_be_read_is_damaged_and_not_the_first) {
  auto spec = shell_run("first", "true");
  spec.checkpoint_directory = checkpoints();
  ASSERT_EQ(code_of(start_run(bed_.machine(), spec)), "");
  (void)when_ended(spec.id);
  for (const char* damage : {": >{}", "printf '\\n' >{}", "printf 3x >{}", "rm {0}; mkdir {0}"}) {
    SCOPED_TRACE(damage);
    bed_.said_by(fmt::format(fmt::runtime(damage), checkpoints() + "/.runctl.fence"));
    auto next = shell_run("next", "true");
    next.checkpoint_directory = checkpoints();
    const auto refused = start_run(bed_.machine(), next);
    ASSERT_EQ(code_of(refused), "not_started");
    EXPECT_THAT(refused.error().message, HasSubstr("/.runctl.fence is damaged"));
  }
}

TEST_F(runs, what_cannot_be_a_run_is_refused_before_anything_is_sent) {
  for (const char* bad : {"", "../x", "a b", ".hidden", "-x", "a/b"}) {
    EXPECT_FALSE(RunId::parse(bad).has_value()) << bad;
  }
  auto spec = shell_run("r", "true");
  spec.environment = {{.name = "A B", .value = ""}};
  EXPECT_EQ(start_run(bed_.machine(), spec).error().code, Errc::invalid_argument);
  spec = shell_run("r", "true");
  spec.argv = {};
  EXPECT_EQ(start_run(bed_.machine(), spec).error().code, Errc::invalid_argument);
  spec = shell_run("r", "true");
  spec.working_directory = "relative";
  EXPECT_EQ(start_run(bed_.machine(), spec).error().code, Errc::invalid_argument);
  spec = shell_run("r", std::string(70'000, 'x'));
  EXPECT_EQ(start_run(bed_.machine(), spec).error().code, Errc::invalid_argument);
}

}  // namespace
}  // namespace runctl::node
