// Jobs on a real machine: started apart, followed, ended. What the job does is warm() without its
// own program, over a dd of the test's.
#include "node/job.hpp"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/block_machine_fixture.hpp"
#include "node/warm.hpp"

namespace runctl::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::code_of;
using ::testing::HasSubstr;
using testing::volume;
namespace fs = std::filesystem;

// A shell that a test can make fail: `fault` is asked before each script is sent.
class FaultyShell final : public RemoteShell {
 public:
  explicit FaultyShell(RemoteShell& real) : real_{real} {}
  Result<ShellOutcome> run(const InstanceId& instance, const std::string& script,
                           std::chrono::seconds timeout, const std::stop_token& stop) override {
    if (auto error = fault(script)) return std::unexpected{*std::move(error)};
    return real_.run(instance, script, timeout, stop);
  }
  std::function<std::optional<Error>(const std::string&)> fault = [](const auto&) {
    return std::nullopt;
  };

 private:
  RemoteShell& real_;
};

class jobs : public testing::OnBlockMachine {
 protected:
  void SetUp() override {
    OnBlockMachine::SetUp();
    if (!bed_) return;
    add_volume(64);
    local_.emplace(
        process_, clock_,
        std::vector<std::string>{"PATH=" + at("bin") + ":/usr/sbin:/usr/bin:/sbin:/bin",
                                 "RUNCTL_SYSFS=" + at("sys"), "RUNCTL_DEV=" + at("dev"),
                                 "RUNCTL_RUN=" + at("run"), "RUNCTL_STATE=" + at("state")});
    shell_.emplace(*local_);
  }
  // Whatever a test leaves running would hold its device.
  void TearDown() override {
    if (bed_) (void)stop_job(machine(), "warm", volume.str());
  }
  std::string at(const char* name) const { return (bed_->folder() / name).string(); }
  // Instead of dd, for the job. "$@" is what dd would get.
  void dd_is(const std::string& text) {
    fs::create_directories(bed_->folder() / "bin");
    std::ofstream{bed_->folder() / "bin/dd"} << "#!/bin/sh\n" << text << "\n";
    fs::permissions(bed_->folder() / "bin/dd", fs::perms::owner_all);
  }
  void dd_takes(const std::string& time) {
    dd_is(fmt::format("echo $$ >>{}\nexec sleep {}", at("pids"), time));
  }
  Machine machine(std::stop_token stop = {}) {
    return {.shell = *shell_, .instance = bed_->machine().instance, .stop = std::move(stop)};
  }
  Result<Warmed> warm_it(milliseconds limit = seconds{30}, std::stop_token stop = {}) {
    return warm_with("", machine(std::move(stop)), volume,
                     {.clock = clock_,
                      .deadline = clock_.ticks() + limit,
                      .progress = [this](const auto& p) { told_.push_back(p); }});
  }
  // Job directories that were made.
  std::string started() {
    return testing::said_by(fmt::format("ls -d {}/jobs/warm.*.*-* | wc -l", at("run")));
  }
  // A process that has ended may still be waited for by nobody (a zombie): it has no program any
  // more.
  bool is_anything_left() {
    return testing::said_by(fmt::format(
               "for p in $(cat {} 2>/dev/null); do readlink /proc/$p/exe; done", at("pids"))) != "";
  }

  RealProcess process_;
  RealClock clock_;
  std::optional<LocalShell> local_;
  std::optional<FaultyShell> shell_;
  std::vector<JobProgress> told_;
};

TEST_F(jobs, a_jobs_record_comes_back_and_its_end_is_seen_at_once) {
  dd_takes("1.5");
  const auto began = clock_.ticks();
  const auto warmed = warm_it();
  const auto took = clock_.ticks() - began;
  ASSERT_EQ(code_of(warmed), "");
  EXPECT_EQ(warmed->bytes, 64U << 20U);
  EXPECT_GE(warmed->seconds, 1.5);
  EXPECT_LT(took, milliseconds{2500});
  ASSERT_FALSE(told_.empty());
  EXPECT_EQ(told_.front().total_bytes, 64U << 20U);
  EXPECT_LE(told_.size(), 5U);
}

TEST_F(jobs, one_that_is_late_is_ended_with_all_its_processes) {
  dd_takes("60");
  const auto warmed = warm_it(seconds{1});
  ASSERT_FALSE(warmed);
  EXPECT_EQ(warmed.error().code, Errc::deadline_exceeded);
  EXPECT_EQ(warmed.error().effect, Effect::not_applied);
  EXPECT_THAT(warmed.error().message, HasSubstr("'warm' of vol-0123456789abcdef0"));
  EXPECT_THAT(warmed.error().message, HasSubstr("has been ended"));
  EXPECT_NE(testing::said_by("cat " + at("pids")), "") << "nothing was under way";
  EXPECT_FALSE(is_anything_left());
}

TEST_F(jobs, one_that_is_cancelled_is_ended) {
  dd_takes("60");
  std::stop_source source;
  std::jthread canceller{[&] {
    (void)testing::eventually(fmt::format("[ -s {} ]", at("pids")));
    source.request_stop();
  }};
  const auto warmed = warm_it(seconds{30}, source.get_token());
  ASSERT_FALSE(warmed);
  EXPECT_EQ(warmed.error().code, Errc::cancelled);
  EXPECT_EQ(warmed.error().effect, Effect::not_applied);
  EXPECT_FALSE(is_anything_left());
}

TEST_F(jobs, one_that_cannot_be_reached_to_end_it_is_said_to_go_on) {
  dd_takes("3");
  shell_->fault = [](const std::string& script) -> std::optional<Error> {
    if (!script.starts_with("OPERATION='stop_job'") && !script.starts_with("OPERATION=stop_job"))
      return {};
    return Error{.code = Errc::unavailable, .message = "no answer"};
  };
  const auto warmed = warm_it(seconds{1});
  ASSERT_FALSE(warmed);
  EXPECT_EQ(warmed.error().code, Errc::deadline_exceeded);
  EXPECT_EQ(warmed.error().effect, Effect::unknown);
  EXPECT_THAT(warmed.error().message, HasSubstr("not known: no answer"));
  shell_->fault = [](const auto&) { return std::nullopt; };
}

TEST_F(jobs, one_that_is_killed_is_not_taken_for_done) {
  dd_takes("60");
  std::jthread killer{[&] {
    (void)testing::eventually(fmt::format("[ -s {} ]", at("pids")));
    testing::said_by(
        fmt::format("for p in $(cut -d ' ' -f 2 {}/jobs/warm.*/started); do "
                    "kill -9 $p; done; kill -9 $(cat {})",
                    at("run"), at("pids")));
  }};
  const auto warmed = warm_it();
  ASSERT_FALSE(warmed);
  EXPECT_EQ(warmed.error().code, Errc::internal);
  EXPECT_EQ(warmed.error().effect, Effect::unknown);
  EXPECT_THAT(warmed.error().message, HasSubstr("was killed"));
}

TEST_F(jobs, the_same_one_is_followed_and_not_started_twice) {
  dd_takes("1.5");
  Result<Warmed> other = fail(Errc::internal, "never ran");
  {
    std::jthread second{[&] {
      (void)testing::eventually(fmt::format("[ -s {} ]", at("pids")));
      other = warm_with("", machine(), volume,
                        {.clock = clock_, .deadline = clock_.ticks() + seconds{30}});
    }};
    EXPECT_EQ(code_of(warm_it()), "");
  }
  EXPECT_EQ(code_of(other), "");
  EXPECT_EQ(started(), "1");
  // One that has ended is no answer to a new question.
  EXPECT_EQ(code_of(warm_it()), "");
  EXPECT_EQ(started(), "2");
}

TEST_F(jobs, one_with_other_parameters_is_not_followed) {
  dd_takes("60");
  shell_->fault = [n = 0](const std::string&) mutable -> std::optional<Error> {
    return n++ == 0 ? std::nullopt : std::optional{Error{.code = Errc::denied, .message = "lost"}};
  };
  EXPECT_EQ(code_of(warm_it()), "lost");
  shell_->fault = [](const auto&) { return std::nullopt; };
  const auto other =
      run_job(machine(),
              {.name = "warm", .parameters = {{"VOLUME_ID", volume.str()}, {"WAIT_SECONDS", "11"}}},
              volume.str(), {.clock = clock_, .deadline = clock_.ticks() + seconds{5}});
  EXPECT_EQ(code_of(other), "locked");
}

// As when the program that started it was killed.
TEST_F(jobs, one_whose_follower_went_away_goes_on_and_is_found_again) {
  dd_takes("1.5");
  shell_->fault = [n = 0](const std::string&) mutable -> std::optional<Error> {
    return n++ == 0 ? std::nullopt : std::optional{Error{.code = Errc::denied, .message = "lost"}};
  };
  EXPECT_EQ(code_of(warm_it()), "lost");
  shell_->fault = [](const auto&) { return std::nullopt; };
  EXPECT_EQ(code_of(warm_it()), "");
  EXPECT_EQ(started(), "1");
}

TEST_F(jobs, a_machine_that_is_silent_for_a_moment_is_asked_again) {
  dd_takes("0.7");
  shell_->fault = [n = 0](const std::string&) mutable -> std::optional<Error> {
    return n++ == 1 ? std::optional{Error{.code = Errc::unavailable, .message = "no answer"}}
                    : std::nullopt;
  };
  EXPECT_EQ(code_of(warm_it()), "");
  EXPECT_EQ(started(), "1");
}

TEST_F(jobs, a_machine_that_cannot_be_reached_at_all_is_told_at_once) {
  shell_->fault = [](const std::string&) {
    return std::optional{Error{.code = Errc::unavailable, .message = "no agent"}};
  };
  const auto began = clock_.ticks();
  EXPECT_EQ(code_of(warm_it()), "no agent");
  EXPECT_LT(clock_.ticks() - began, seconds{1});
  shell_->fault = [](const auto&) { return std::nullopt; };
}

TEST_F(jobs, stopping_what_is_not_under_way_says_so) {
  auto end = stop_job(machine(), "warm", volume.str());
  ASSERT_EQ(code_of(end), "");
  EXPECT_EQ(*end, JobEnd::none);
  EXPECT_EQ(code_of(warm_it()), "");
  end = stop_job(machine(), "warm", volume.str());
  ASSERT_EQ(code_of(end), "");
  EXPECT_EQ(*end, JobEnd::none);
}

// A process may call itself anything: no line of ours may be read out of its name.
TEST_F(jobs, a_process_with_a_forged_name_is_not_taken_for_part_of_a_job) {
  dd_takes("60");
  shell_->fault = [n = 0](const std::string&) mutable -> std::optional<Error> {
    return n++ == 0 ? std::nullopt : std::optional{Error{.code = Errc::denied, .message = "lost"}};
  };
  EXPECT_EQ(code_of(warm_it()), "lost");
  shell_->fault = [](const auto&) { return std::nullopt; };
  const auto session =
      testing::said_by(fmt::format("cut -d ' ' -f 2 {}/jobs/warm.*/started", at("run")));
  const testing::Background forger{
      fmt::format("printf ') S 1 1 {} ' >/proc/$$/comm; exec 8</dev/null; "
                  "while :; do sleep 1; done",
                  session)};
  (void)testing::eventually(fmt::format("grep -q 'S 1 1' /proc/{}/comm", forger.pid()));
  const auto end = stop_job(machine(), "warm", volume.str());
  ASSERT_EQ(code_of(end), "");
  EXPECT_EQ(*end, JobEnd::ended);
  EXPECT_EQ(testing::said_by(fmt::format("[ -e /proc/{}/comm ] && echo alive", forger.pid())),
            "alive");
}

TEST(next_look, is_half_of_what_is_left) {
  struct Case {
    JobPace pace;
    int wanted;
  };
  const milliseconds second{1'000};
  for (const auto& [pace, wanted] :
       {Case{.pace = {.elapsed = second, .done_bytes = 100, .left_bytes = 400}, .wanted = 2'000},
        Case{.pace = {.elapsed = second, .done_bytes = 100, .left_bytes = 50}, .wanted = 500},
        Case{.pace = {.elapsed = second, .done_bytes = 1, .left_bytes = 1ULL << 60U},
             .wanted = 5'000},
        // Nothing known: longer and longer.
        Case{.pace = {.elapsed = second, .done_bytes = 0, .left_bytes = 400}, .wanted = 1'000},
        Case{.pace = {.elapsed = second, .done_bytes = 100, .left_bytes = 0}, .wanted = 1'000}}) {
    EXPECT_EQ(next_look(milliseconds{800}, pace).count(), wanted) << pace.left_bytes;
  }
  EXPECT_EQ(next_look(milliseconds{5'000}, {.elapsed = second}).count(), 2'000);
}

TEST(job_wrapper, keeps_a_bounded_part_of_what_a_script_says) {
  const testing::TempFolder folder;
  std::ofstream{folder.path() / "script"} << "head -c 3000000 /dev/zero | tr '\\0' x; head -c "
                                             "3000000 /dev/zero | tr '\\0' y >&2; exit 7\n";
  std::ofstream{folder.path() / "wrapper.sh"} << script_text("job_wrapper");
  testing::said_by(fmt::format("sh {0}/wrapper.sh {0}", folder.path().string()));
  const auto size = [&](const char* name) { return fs::file_size(folder.path() / name); };
  EXPECT_EQ(size("out"), 20'000U);
  EXPECT_EQ(size("err"), 16'384U);
  EXPECT_EQ(testing::said_by(fmt::format("cat {}/status", folder.path().string())), "7");
}

}  // namespace
}  // namespace runctl::node
