// Stopping runs on this machine: who gets the signal, who does not, and what is written down.
#include "node/stop_run.hpp"

#include <chrono>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/run_fixture.hpp"

namespace runctl::node::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::chrono::seconds long_wait{20};
const StopStep ask{.by = "me@here", .wait = long_wait};
const StopStep kill_all{.by = "me@here", .kill = KillAll::yes, .wait = long_wait};

class stopping : public RunFixture {
 protected:
  std::string pids_in(const std::string& file) {
    return bed_.said_by(fmt::format("cat {}/{}", bed_.root().string(), file));
  }
  // Whether a process of that number is more than a zombie.
  bool lives(const std::string& pid) {
    return bed_.said_by(fmt::format("grep -s '^State:' /proc/{}/status", pid)).find("Z") ==
               std::string::npos &&
           bed_.said_by(fmt::format("test -d /proc/{} && echo yes", pid)) == "yes";
  }
};

TEST_F(stopping, the_program_gets_the_signal_and_may_end_in_its_own_way) {
  started(shell_run("r", "trap 'echo saved; exit 5' TERM; echo up; while :; do sleep 0.1; done"),
          "up");
  const auto stopped = stop_run(bed_.machine(), id("r"), ask);
  ASSERT_EQ(code_of(stopped), "");
  EXPECT_FALSE(stopped->was_asked);
  EXPECT_EQ(stopped->left_count, 0U);
  EXPECT_EQ(stopped->run.state, RunState::stopped);
  EXPECT_EQ(stopped->run.exit_status, 5);
  ASSERT_TRUE(stopped->run.stop.has_value());
  EXPECT_EQ(stopped->run.stop->by, "me@here");
  EXPECT_EQ(stopped->run.stop->signal, "TERM");
  EXPECT_FALSE(stopped->run.stop->killed.has_value());
  EXPECT_THAT(when_ended(id("r")).log, HasSubstr("saved"));
}

TEST_F(stopping, status_zero_after_the_request_is_still_stopped) {
  started(shell_run("r", "trap 'exit 0' TERM; echo up; while :; do sleep 0.1; done"), "up");
  const auto stopped = stop_run(bed_.machine(), id("r"), ask);
  ASSERT_EQ(code_of(stopped), "");
  EXPECT_EQ(stopped->run.state, RunState::stopped);
  EXPECT_EQ(stopped->run.exit_status, 0);
}

// A shell script that starts python without exec: a signal to the shell alone would leave python
// running.
TEST_F(stopping, a_program_behind_a_shell_gets_it_too) {
  started(shell_run("r", "sh -c 'echo $$ >inner; echo up; sleep 300; :'; echo after"), "up");
  const std::string inner = pids_in("inner");
  const auto stopped = stop_run(bed_.machine(), id("r"), ask);
  ASSERT_EQ(code_of(stopped), "");
  EXPECT_EQ(stopped->run.state, RunState::stopped);
  EXPECT_FALSE(lives(inner));
  EXPECT_EQ(stopped->left_count, 0U);
}

TEST_F(stopping, another_signal_can_be_chosen_and_nonsense_cannot) {
  started(shell_run("r", "trap 'echo usr; exit 3' USR1; echo up; while :; do sleep 0.1; done"),
          "up");
  EXPECT_EQ(stop_run(bed_.machine(), id("r"), {.signal = "9; reboot"}).error().code,
            Errc::invalid_argument);
  const auto stopped = stop_run(bed_.machine(), id("r"), {.signal = "USR1", .wait = long_wait});
  ASSERT_EQ(code_of(stopped), "");
  EXPECT_EQ(stopped->run.exit_status, 3);
  EXPECT_EQ(stopped->run.stop->signal, "USR1");
}

TEST_F(stopping, one_that_ignores_the_signal_is_killed_when_asked_for) {
  started(shell_run("r", "trap '' TERM; echo up; while :; do sleep 0.1; done"), "up");
  const auto asked = stop_run(bed_.machine(), id("r"), {.wait = std::chrono::milliseconds{500}});
  ASSERT_EQ(code_of(asked), "");
  EXPECT_EQ(asked->run.state, RunState::running);
  EXPECT_GE(asked->left_count, 1U);
  const auto killed = stop_run(bed_.machine(), id("r"), kill_all);
  ASSERT_EQ(code_of(killed), "");
  EXPECT_TRUE(killed->was_asked);
  EXPECT_EQ(killed->run.state, RunState::stopped);
  EXPECT_EQ(killed->run.exit_status, 137);  // its wrapper wrote that down
  EXPECT_TRUE(killed->run.stop->killed.has_value());
  EXPECT_EQ(killed->left_count, 0U);
}

TEST_F(stopping, what_was_forked_into_other_sessions_is_found) {
  started(shell_run("r",
                    "setsid sh -c 'echo $$ >far; trap \"\" TERM; while :; do sleep 0.1; done' & "
                    "sh -c 'echo $$ >near; exec sleep 300' & sleep 0.3; echo up; wait"),
          "up");
  const std::string far = pids_in("far");
  const std::string near = pids_in("near");
  const auto killed = stop_run(bed_.machine(), id("r"), kill_all);
  ASSERT_EQ(code_of(killed), "");
  EXPECT_EQ(killed->run.state, RunState::stopped);
  EXPECT_EQ(killed->left_count, 0U);
  EXPECT_FALSE(lives(far));
  EXPECT_FALSE(lives(near));
}

TEST_F(stopping, what_a_run_left_behind_is_ended_and_its_outcome_stays) {
  started(shell_run("r", "trap '' TERM; sh -c 'while :; do sleep 0.1; done' & echo up"), "up");
  ASSERT_EQ(when_ended(id("r")).run.state, RunState::succeeded);
  const auto seen = stop_run(bed_.machine(), id("r"), {.wait = std::chrono::milliseconds{300}});
  ASSERT_EQ(code_of(seen), "");
  EXPECT_GE(seen->left_count, 1U);
  EXPECT_THAT(seen->left, Not(IsEmpty()));
  const auto killed = stop_run(bed_.machine(), id("r"), kill_all);
  ASSERT_EQ(code_of(killed), "");
  EXPECT_EQ(killed->left_count, 0U);
  EXPECT_EQ(killed->run.state, RunState::succeeded);
  EXPECT_FALSE(killed->run.stop.has_value());
}

TEST_F(stopping, a_second_request_does_not_send_the_signal_again) {
  const auto run = started(shell_run("r",
                                     "trap 'echo got' TERM; echo up; n=0; while [ $n -lt 600 ]; do "
                                     "n=$((n+1)); sleep 0.1; done"),
                           "up");
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(code_of(stop_run(bed_.machine(), id("r"), {.wait = std::chrono::milliseconds{400}})),
              "");
  }
  EXPECT_EQ(bed_.said_by(fmt::format("grep -c got {}/log", run.directory)), "1");
}

TEST_F(stopping, only_looking_sends_nothing) {
  const auto run =
      started(shell_run("r", "trap 'echo got' TERM; echo up; while :; do sleep 0.1; done"), "up");
  const auto seen = stop_run(bed_.machine(), id("r"),
                             {.send = SendSignal::no, .wait = std::chrono::milliseconds{400}});
  ASSERT_EQ(code_of(seen), "");
  EXPECT_EQ(seen->run.state, RunState::running);
  EXPECT_FALSE(seen->run.stop.has_value());
  EXPECT_EQ(bed_.said_by(fmt::format("grep -c got {}/log", run.directory)), "0");
}

TEST_F(stopping, a_run_that_had_ended_keeps_its_outcome) {
  ASSERT_EQ(code_of(start_run(bed_.machine(), shell_run("r", "exit 7"))), "");
  (void)when_ended(id("r"));
  const auto stopped = stop_run(bed_.machine(), id("r"), ask);
  ASSERT_EQ(code_of(stopped), "");
  EXPECT_TRUE(stopped->was_asked);
  EXPECT_EQ(stopped->run.state, RunState::failed);
  EXPECT_EQ(stopped->run.exit_status, 7);
}

// Numbers are used again: what has the program's and the wrapper's now is somebody else's.
TEST_F(stopping, a_process_that_has_the_old_numbers_is_not_hit) {
  const auto run = started(shell_run("r", "echo up; exec sleep 300"), "up");
  bed_.said_by(fmt::format("kill -KILL -$(cut -d ' ' -f 5 /proc/{}/stat)", run.pid));
  // Of the same user, so that nothing but the start time keeps it from harm.
  bed_.said_by(fmt::format("sh -c 'echo $$ >{}/other; exec setsid sleep 300' >/dev/null 2>&1 &",
                           bed_.root().string()));
  ASSERT_TRUE(
      eventually(fmt::format("grep -q sleep /proc/$(cat {}/other)/comm", bed_.root().string())));
  const std::string other = pids_in("other");
  bed_.said_by(fmt::format(
      "cd {0}; echo {1} 1 >program; read -r t b w s f <started; echo $t $b {1} 1 $f >started",
      run.directory, other));
  const auto stopped = stop_run(bed_.machine(), id("r"), kill_all);
  ASSERT_EQ(code_of(stopped), "");
  EXPECT_EQ(stopped->run.state, RunState::lost);
  EXPECT_TRUE(lives(other));
  bed_.said_by(fmt::format("kill -9 {}", other));
}

TEST_F(stopping, a_neighbour_run_goes_on) {
  started(shell_run("a", "echo up; exec sleep 300"), "up");
  started(shell_run("b", "echo up; exec sleep 300"), "up");
  ASSERT_EQ(code_of(stop_run(bed_.machine(), id("a"), kill_all)), "");
  EXPECT_EQ(run_status(bed_.machine(), id("b"), 0)->run.state, RunState::running);
}

TEST_F(stopping, without_its_wrapper_it_is_stopped_all_the_same) {
  const auto run =
      started(shell_run("r", "trap '' TERM; echo up; while :; do sleep 0.1; done"), "up");
  bed_.said_by(fmt::format("read -r t b w rest <{}/started; kill -9 $w", run.directory));
  const auto killed = stop_run(bed_.machine(), id("r"), kill_all);
  ASSERT_EQ(code_of(killed), "");
  EXPECT_EQ(killed->run.state, RunState::stopped);
  EXPECT_EQ(killed->run.exit_status, std::nullopt);
  EXPECT_EQ(killed->left_count, 0U);
}

// What is waited for by the number of looks takes as long as these do.
TEST_F(stopping, the_grace_is_time_and_not_a_number_of_looks) {
  started(shell_run("r", "trap '' TERM; echo up; while :; do /bin/sleep 0.1; done"), "up");
  bed_.stand_in("sleep", fmt::format("echo >>{}/sleeps; exec /bin/sleep 1", bed_.root().string()));
  ASSERT_EQ(code_of(stop_run(bed_.machine(), id("r"), {.wait = std::chrono::seconds{2}})), "");
  EXPECT_LE(std::stoi(bed_.said_by(fmt::format("wc -l <{}/sleeps", bed_.root().string()))), 3);
  bed_.said_by(fmt::format("rm {}/bin/sleep", bed_.root().string()));
}

TEST_F(stopping, an_unknown_run_is_not_found) {
  EXPECT_EQ(stop_run(bed_.machine(), id("nothing"), ask).error().code, Errc::not_found);
}

}  // namespace
}  // namespace runctl::node::testing
