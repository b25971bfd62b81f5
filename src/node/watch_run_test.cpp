// What a spot machine does by itself upon EC2's notice, on this machine as one without root, beside
// a metadata service that says what the test wants.
#include <chrono>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.hpp"
#include "io/file.hpp"
#include "io/loopback_server.hpp"
#include "node/run_fixture.hpp"
#include "node/volume_on_machine.hpp"

namespace runctl::node::testing {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// IMDSv2: no answer without the token, which may be withdrawn.
class FakeMetadata {
 public:
  [[nodiscard]] std::string endpoint() const { return server_.url(""); }

  void set_life_cycle(std::string text) {
    const std::lock_guard lock{mutex_};
    life_cycle_ = std::move(text);
  }
  void announce(std::string_view action, seconds from_now) {
    const auto at = std::chrono::floor<seconds>(std::chrono::system_clock::now()) + from_now;
    const std::lock_guard lock{mutex_};
    notice_ = fmt::format(R"({{"action": "{}", "time": "{:%Y-%m-%dT%H:%M:%SZ}"}})", action,
                          fmt::gmtime(std::chrono::system_clock::to_time_t(at)));
  }
  void withdraw_tokens() {
    const std::lock_guard lock{mutex_};
    ++generation_;
  }
  void set_down(bool down) {
    const std::lock_guard lock{mutex_};
    down_ = down;
  }
  [[nodiscard]] int looks() {
    const std::lock_guard lock{mutex_};
    return looks_;
  }

 private:
  void serve(loopback::Connection& connection) {
    // Names of headers are in any case.
    const std::string request = lower(connection.read_request());
    if (request.empty()) return;
    const std::lock_guard lock{mutex_};
    if (down_) return;
    const std::string token = fmt::format("token-{}", generation_);
    if (request.starts_with("put /latest/api/token ")) {
      return answer(connection, request.contains("-token-ttl-seconds: 21600") ? 200 : 400, token);
    }
    if (!request.contains("x-aws-ec2-metadata-token: " + token)) {
      return answer(connection, 401, "");
    }
    if (request.contains("/latest/meta-data/instance-life-cycle ")) {
      return answer(connection, 200, life_cycle_);
    }
    if (request.contains("/latest/meta-data/spot/instance-action ")) {
      ++looks_;
      return answer(connection, notice_.empty() ? 404 : 200, notice_);
    }
    answer(connection, 404, "");
  }
  static void answer(loopback::Connection& connection, int status, const std::string& body) {
    connection.write(
        fmt::format("HTTP/1.1 {} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}", status,
                    body.size(), body));
  }

  std::mutex mutex_;
  std::string life_cycle_ = "spot";
  std::string notice_;
  int generation_ = 0;
  int looks_ = 0;
  bool down_ = false;
  loopback::Server server_{[this](loopback::Connection& connection) { serve(connection); }};
};

const VolumeId volume = VolumeId::parse("vol-0123456789abcdef0").value();
constexpr std::string_view saves_and_ends =
    "trap 'echo saved; exit 0' TERM; echo up; while :; do sleep 0.1; done";

class watching_a_spot_machine : public ::testing::Test {
 protected:
  watching_a_spot_machine() {
    bed_.add(volume);
    const auto formatted = format(bed_.machine(), {.volume = volume,
                                                   .type = FilesystemType::ext4,
                                                   .uuid = "11111111-2222-3333-4444-555555555555",
                                                   .created_empty = CreatedEmpty::yes});
    if (!formatted) throw std::runtime_error{formatted.error().message};
    const auto mounted = mount(bed_.machine(), {.volume = volume, .mount_point = "/mnt/vol"});
    if (!mounted) throw std::runtime_error{mounted.error().message};
    directory_ = mounted->path + "/checkpoints";
  }
  void TearDown() override {
    for (const auto& report : list_runs(bed_.machine(), 20).value_or(std::vector<RunReport>{})) {
      (void)stop_run(bed_.machine(), report.id,
                     {.signal = "KILL", .kill = KillAll::yes, .wait = seconds{5}});
    }
    // Neither does any watcher.
    EXPECT_TRUE(is_left_alone());
  }
  RunSpec spec(std::string_view script, const std::string& hook = {}) {
    return {.id = id("r"),
            .argv = {"sh", "-c", std::string{script}},
            .environment = {{.name = "GIVEN", .value = "what is given"}},
            .working_directory = bed_.root(),
            .checkpoint_directory = directory_,
            .watch = InterruptionWatch{.volumes = {volume}, .hook = hook, .poll = seconds{1}}};
  }
  void start(const RunSpec& spec) {
    const auto report = start_run(bed_.machine(), spec);
    ASSERT_EQ(code_of(report), "");
    ASSERT_TRUE(eventually(fmt::format("grep -q up {}/log", report->directory)));
  }
  // Until the watcher has finished, or 60 s.
  RunProgress when_finished() {
    for (int tries = 0; tries < 600; ++tries) {
      auto progress = run_status(bed_.machine(), id("r"), 0).value();
      if (progress.run.interruption && progress.run.interruption->finished) return progress;
      std::this_thread::sleep_for(std::chrono::milliseconds{100});
    }
    throw std::runtime_error{"the watcher does not finish"};
  }
  // Whether a watcher lives, which is known by where it runs.
  [[nodiscard]] bool is_watched() const {
    const auto run = bed_.root() / "runs" / id("r").str();
    for (const auto& process : std::filesystem::directory_iterator{"/proc"}) {
      std::error_code gone;
      if (std::filesystem::read_symlink(process.path() / "cwd", gone) != run) continue;
      if (read_file(process.path() / "cmdline").value_or("").contains("watch.sh")) return true;
    }
    return false;
  }
  [[nodiscard]] bool is_left_alone() const {
    for (int tries = 0; tries < 1'000 && is_watched(); ++tries) {
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
    return !is_watched();
  }
  bool is_mounted() {
    const auto facts = inspect(bed_.machine());
    const auto* device = facts ? find_volume(*facts, volume) : nullptr;
    return device != nullptr && !device->mounts.empty();
  }

  FakeMetadata metadata_;
  FilesMachine bed_{{"AWS_EC2_METADATA_SERVICE_ENDPOINT=" + metadata_.endpoint() + "/"}};
  std::string directory_;
};

TEST_F(watching_a_spot_machine, a_notice_ends_the_program_and_unmounts_the_volume) {
  start(spec(saves_and_ends));
  EXPECT_FALSE(run_status(bed_.machine(), id("r"), 0)->run.interruption.has_value());
  metadata_.announce("terminate", seconds{120});
  const auto ended = when_finished();
  EXPECT_EQ(ended.run.state, RunState::stopped);
  EXPECT_EQ(ended.run.exit_status, 0);
  EXPECT_THAT(ended.log, HasSubstr("saved"));
  ASSERT_TRUE(ended.run.stop.has_value());
  EXPECT_EQ(ended.run.stop->by, "EC2's spot interruption notice");
  EXPECT_FALSE(ended.run.stop->killed.has_value());
  const auto& seen = *ended.run.interruption;
  EXPECT_EQ(seen.action, "terminate");
  EXPECT_GT(*seen.at, *seen.noticed);
  EXPECT_THAT(seen.unmounted, ElementsAre(volume));
  EXPECT_THAT(seen.kept, IsEmpty());
  EXPECT_FALSE(is_mounted());
}

// A volume that is unmounted under a program that writes loses data.
TEST_F(watching_a_spot_machine, a_program_that_does_not_listen_is_killed_before_the_time_is_over) {
  start(spec(
      "trap '' TERM; echo up; exec 7>$RUNCTL_CHECKPOINT_DIR/open; while :; do sleep 0.1; done"));
  metadata_.announce("stop", seconds{8});
  const auto ended = when_finished();
  EXPECT_EQ(ended.run.state, RunState::stopped);
  EXPECT_EQ(ended.run.signal, 9);
  EXPECT_TRUE(ended.run.stop->killed.has_value());
  EXPECT_EQ(ended.run.interruption->action, "stop");
  EXPECT_FALSE(is_mounted());
}

TEST_F(watching_a_spot_machine, a_volume_that_another_program_uses_is_kept_and_told) {
  start(spec(saves_and_ends));
  const auto user = bed_.said_by(
      fmt::format("(cd {} && exec setsid sleep 300) >/dev/null 2>&1 & echo $!", directory_));
  metadata_.announce("terminate", seconds{8});
  const auto ended = when_finished();
  bed_.said_by("kill " + user);
  EXPECT_EQ(ended.run.state, RunState::stopped);
  ASSERT_EQ(ended.run.interruption->kept.size(), 1U);
  EXPECT_EQ(ended.run.interruption->kept.front().volume, volume);
  EXPECT_THAT(ended.run.interruption->kept.front().why, HasSubstr("in use"));
  EXPECT_TRUE(is_mounted());
}

// Another run's program, which its own watcher is about to end.
TEST_F(watching_a_spot_machine, a_volume_that_is_free_late_is_unmounted_all_the_same) {
  start(spec(saves_and_ends));
  bed_.said_by(fmt::format("(cd {} && exec setsid sleep 4) >/dev/null 2>&1 &", directory_));
  metadata_.announce("terminate", seconds{60});
  const auto ended = when_finished();
  EXPECT_THAT(ended.run.interruption->kept, IsEmpty());
  EXPECT_FALSE(is_mounted());
}

TEST_F(watching_a_spot_machine, the_hook_runs_before_the_signal_with_the_environment_of_the_run) {
  start(spec(saves_and_ends, "echo \"hook of $RUNCTL_RUN_ID: $GIVEN\"; pwd"));
  metadata_.announce("terminate", seconds{60});
  const auto log = when_finished().log;
  const auto hook =
      log.find(fmt::format("hook of {}: what is given\n{}\n", id("r").str(), bed_.root().string()));
  ASSERT_NE(hook, std::string::npos) << log;
  EXPECT_LT(hook, log.find("saved"));
}

// It is EC2's doing all the same: --auto-resume goes on with such a run alone.
TEST_F(watching_a_spot_machine, a_program_that_the_hook_makes_end_was_stopped) {
  start(spec("echo up; until [ -e asked ]; do sleep 0.1; done; echo saved; exit 0",
             "touch asked; while ! grep -q '^[0-9]' ../runs/$RUNCTL_RUN_ID/status "
             "$PWD/runs/$RUNCTL_RUN_ID/status 2>/dev/null; do sleep 0.1; done; echo hooked"));
  metadata_.announce("terminate", seconds{60});
  const auto ended = when_finished();
  EXPECT_THAT(ended.log, HasSubstr("hooked"));
  EXPECT_EQ(ended.run.state, RunState::stopped);
  EXPECT_EQ(ended.run.exit_status, 0);
  ASSERT_TRUE(ended.run.stop.has_value());
  EXPECT_EQ(ended.run.stop->by, "EC2's spot interruption notice");
}

// A second signal would cut short what the first one began.
TEST_F(watching_a_spot_machine, a_run_that_was_asked_to_end_before_is_not_asked_again) {
  start(spec(
      "trap 'echo got' TERM; echo up; n=0; while [ $n -lt 60 ]; do n=$((n+1)); sleep 0.1; done"));
  ASSERT_EQ(code_of(stop_run(bed_.machine(), id("r"),
                             {.by = "me@here", .wait = std::chrono::milliseconds{100}})),
            "");
  metadata_.announce("terminate", seconds{60});
  const auto ended = when_finished();
  const auto got = ended.log.find("got");
  EXPECT_NE(got, std::string::npos);
  EXPECT_EQ(ended.log.find("got", got + 1), std::string::npos) << ended.log;
  EXPECT_EQ(ended.run.stop->by, "me@here");
}

// A machine that was asleep sees it late; `timeout 0` knows no end.
TEST_F(watching_a_spot_machine, the_hook_is_left_out_when_its_time_is_over) {
  start(spec(saves_and_ends, "echo hooked; sleep 300"));
  metadata_.announce("terminate", seconds{-5});
  const auto ended = when_finished();
  EXPECT_EQ(ended.run.state, RunState::stopped);
  EXPECT_THAT(ended.log, ::testing::Not(HasSubstr("hooked")));
}

TEST_F(watching_a_spot_machine, hibernation_ends_nothing) {
  start(spec(saves_and_ends));
  metadata_.announce("hibernate", seconds{2});
  const auto seen = when_finished();
  EXPECT_EQ(seen.run.state, RunState::running);
  EXPECT_FALSE(seen.run.stop.has_value());
  EXPECT_TRUE(is_mounted());
}

TEST_F(watching_a_spot_machine, tokens_that_expire_and_a_service_that_is_away_are_borne) {
  metadata_.set_down(true);
  start(spec(saves_and_ends));
  std::this_thread::sleep_for(seconds{2});
  metadata_.set_down(false);
  const int before = metadata_.looks();
  while (metadata_.looks() == before) std::this_thread::sleep_for(std::chrono::milliseconds{50});
  metadata_.withdraw_tokens();
  metadata_.announce("terminate", seconds{60});
  EXPECT_EQ(when_finished().run.state, RunState::stopped);
}

TEST_F(watching_a_spot_machine, a_machine_that_is_no_spot_machine_is_not_watched) {
  metadata_.set_life_cycle("on-demand");
  metadata_.announce("terminate", seconds{60});
  start(spec(saves_and_ends));
  EXPECT_TRUE(is_left_alone());
  EXPECT_EQ(metadata_.looks(), 0);
  EXPECT_EQ(run_status(bed_.machine(), id("r"), 0)->run.state, RunState::running);
}

// Run Command takes 64 KiB, and start_run() refuses what is longer than script_limit.
TEST_F(watching_a_spot_machine, all_that_a_run_can_bring_fits_into_one_command) {
  RunSpec all = spec("echo never", std::string(300, ':'));
  all.argv.push_back(std::string(2'000, 'x'));
  all.packages = RunPackages{.from = "requirements.txt", .list = std::string(500, 'p'), .key = "k"};
  // Over already, so that nothing is tried.
  all.upload = UploadSpec{.url = "http://127.0.0.1:9/" + std::string(200, 'u'),
                          .form = {{.name = "policy", .value = std::string(1'500, 'f')}},
                          .key_prefix = std::string(200, 'k'),
                          .target = "s3://" + std::string(200, 't'),
                          .expires = std::chrono::sys_seconds{seconds{1}}};
  EXPECT_EQ(code_of(start_run(bed_.machine(), all)), "");
}

TEST_F(watching_a_spot_machine, python_asks_where_there_is_no_curl) {
  metadata_.set_life_cycle("on-demand");
  start(spec(saves_and_ends));
  ASSERT_TRUE(is_left_alone());
  metadata_.set_life_cycle("spot");
  metadata_.announce("terminate", seconds{60});
  // The watcher again, by hand, on a machine that has no curl.
  const std::string script =
      assemble({.name = "watch_run",
                .parameters = {
                    {"VOLUMES", volume.str()}, {"POLL_SECONDS", "1"}, {"RESERVE_SECONDS", "15"}}});
  const auto said =
      bed_.said_by(fmt::format("cd {}/runs/{}\ncommand() {{ [ \"$2\" != curl ] && type \"$2\" "
                               ">/dev/null; }}\ncurl() {{ exit 9; }}\n{}",
                               bed_.root().string(), id("r").str(), script));
  EXPECT_THAT(said, HasSubstr(R"("ok":true)"));
  EXPECT_THAT(when_finished().run.interruption->unmounted, ElementsAre(volume));
}

TEST_F(watching_a_spot_machine, a_run_that_ends_by_itself_keeps_its_outcome_and_its_volume) {
  start(spec("echo up; exit 3"));
  for (int tries = 0; tries < 600; ++tries) {
    if (run_status(bed_.machine(), id("r"), 0)->run.state != RunState::running) break;
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
  }
  metadata_.announce("terminate", seconds{60});
  std::this_thread::sleep_for(seconds{2});
  const auto ended = run_status(bed_.machine(), id("r"), 0)->run;
  EXPECT_EQ(ended.state, RunState::failed);
  EXPECT_EQ(ended.exit_status, 3);
  EXPECT_FALSE(ended.interruption.has_value());
  EXPECT_TRUE(is_mounted());
}

}  // namespace
}  // namespace runctl::node::testing
