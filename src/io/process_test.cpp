#include "io/process.hpp"

#include <charconv>
#include <chrono>
#include <fcntl.h>
#include <filesystem>
#include <signal.h>
#include <stdlib.h>
#include <stop_token>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/detached_process.hpp"
#include "io/file.hpp"
#include "io/scratch_directory.hpp"

namespace runctl {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Ticks = std::chrono::steady_clock;

const std::vector<std::string> plain_environment{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};

ProcessSpec shell(const std::string& script) {
  return {.argv = {"sh", "-c", script}, .environment = plain_environment};
}

Result<ProcessOutcome> run(const ProcessSpec& spec, Ticks::duration patience = seconds{30},
                           const std::stop_token& stop = {}) {
  return RealProcess{}.run(spec, Ticks::now() + patience, stop);
}

bool is_alive(int pid) { return process_start(pid).has_value(); }

// The number that a script has written to `path`, once it is there.
int pid_in(const std::filesystem::path& path) {
  for (int i = 0; i < 500; ++i) {
    const auto text = read_file(path);
    int pid = 0;
    if (text && text->ends_with('\n')) {
      std::from_chars(text->data(), text->data() + text->size(), pid);
      return pid;
    }
    std::this_thread::sleep_for(milliseconds{10});
  }
  return -1;
}

// Whether the process ends within two seconds; it may have to be reaped by process 1 first.
bool ends(int pid) {
  for (int i = 0; i < 200 && is_alive(pid); ++i) std::this_thread::sleep_for(milliseconds{10});
  return !is_alive(pid);
}

TEST(RealProcess, ReportsOutputAndExitStatus) {
  const auto outcome = run(shell("echo out; echo err >&2; exit 7")).value();
  EXPECT_EQ(outcome.exit_status, 7);
  EXPECT_EQ(outcome.signal, 0);
  EXPECT_EQ(outcome.out, "out\n");
  EXPECT_EQ(outcome.err, "err\n");
  EXPECT_FALSE(outcome.output_cut);
}

TEST(RealProcess, ReportsTheSignalThatEndedIt) {
  const auto outcome = run(shell("kill -9 $$")).value();
  EXPECT_FALSE(outcome.exit_status.has_value());
  EXPECT_EQ(outcome.signal, SIGKILL);
}

TEST(RealProcess, WithoutAProgramIsAnError) {
  EXPECT_EQ(run({.argv = {"no-such-program-anywhere"}}).error().code, Errc::not_found);
  EXPECT_EQ(run({.argv = {"/no/such/program"}}).error().code, Errc::not_found);
  EXPECT_EQ(run({.argv = {"/etc/passwd"}}).error().code, Errc::denied);
  EXPECT_EQ(run({}).error().code, Errc::invalid_argument);
}

TEST(RealProcess, PassesOnOnlyTheEnvironmentGiven) {
  ::setenv("RUNCTL_TEST_LEAK", "leaked", 1);
  const auto outcome = run({.argv = {"env"}, .environment = {"ONLY=this one"}}).value();
  ::unsetenv("RUNCTL_TEST_LEAK");
  EXPECT_EQ(outcome.out, "ONLY=this one\n");
}

TEST(RealProcess, PassesArgumentsUnchanged) {
  const auto outcome =
      run({.argv = {"printf", "%s|", "", "a b", "'\"$x`", "\n"}, .environment = plain_environment})
          .value();
  EXPECT_EQ(outcome.out, "|a b|'\"$x`|\n|");
}

TEST(RealProcess, GivesNoStandardInputUnlessAsked) {
  EXPECT_EQ(run({.argv = {"cat"}, .environment = plain_environment}).value().out, "");
}

TEST(RealProcess, HandsNoOtherDescriptorDown) {
  // 0, 1, 2 and the one by which ls reads the directory.
  const auto held = UniqueFd{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  EXPECT_EQ(run({.argv = {"ls", "/proc/self/fd"}, .environment = plain_environment}).value().out,
            "0\n1\n2\n3\n");
}

// More than a pipe holds, in both directions at once: neither side may wait for the other for ever.
TEST(RealProcess, FeedsAndReadsAtTheSameTime) {
  std::string input;
  for (int i = 0; i < 1'000'000; ++i) input += static_cast<char>('a' + i % 26);
  const auto outcome =
      run({.argv = {"cat"}, .environment = plain_environment, .input = input}).value();
  EXPECT_EQ(outcome.exit_status, 0);
  EXPECT_TRUE(outcome.out == input);
}

TEST(RealProcess, InputThatNobodyReadsDoesNotKillUs) {
  ProcessSpec spec = shell("exec <&-; echo done");
  spec.input = std::string(1'000'000, 'x');
  const auto before = ::signal(SIGPIPE, SIG_DFL);
  const auto outcome = run(spec);
  ::signal(SIGPIPE, before);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->out, "done\n");
  EXPECT_EQ(outcome->exit_status, 0);
}

TEST(RealProcess, StartsTheChildWithDefaultSignals) {
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  const auto outcome = run(shell("kill -PIPE $$; echo survived"));
  ::signal(SIGPIPE, before);
  EXPECT_EQ(outcome.value().signal, SIGPIPE);
}

TEST(RealProcess, KeepsOutputUpToTheLimit) {
  ProcessSpec spec = shell("head -c 300000 /dev/zero; head -c 10 /dev/zero >&2");
  spec.output_limit = 100'000;
  const auto outcome = run(spec).value();
  EXPECT_EQ(outcome.out.size(), 100'000U);
  EXPECT_EQ(outcome.err.size(), 10U);
  EXPECT_TRUE(outcome.output_cut);
  EXPECT_EQ(outcome.exit_status, 0);

  spec = shell("head -c 100000 /dev/zero");
  spec.output_limit = 100'000;
  EXPECT_FALSE(run(spec).value().output_cut);
}

TEST(RealProcess, AnEndlessWriterIsStoppedAtTheDeadline) {
  const auto began = Ticks::now();
  const auto outcome = run(
      {.argv = {"yes"}, .environment = plain_environment, .output_limit = 1000}, milliseconds{200});
  EXPECT_EQ(outcome.error().code, Errc::deadline_exceeded);
  EXPECT_LT(Ticks::now() - began, seconds{5});
}

TEST(RealProcess, TheDeadlineEndsTheWholeGroup) {
  const ScratchDirectory scratch;
  const auto pids = scratch.path() / "pid";
  const auto outcome =
      run(shell("sleep 1000 & echo $! > " + pids.string() + "; wait"), milliseconds{300});
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().code, Errc::deadline_exceeded);
  EXPECT_TRUE(ends(pid_in(pids)));
}

TEST(RealProcess, TheDeadlineEndsAHelperThatIgnoresTheFirstSignal) {
  const ScratchDirectory scratch;
  const auto pids = scratch.path() / "pid";
  const auto outcome = run(
      shell("(trap '' TERM; while :; do sleep 1; done) & echo $! > " + pids.string() + "; wait"),
      milliseconds{300});
  EXPECT_EQ(outcome.error().code, Errc::deadline_exceeded);
  EXPECT_TRUE(ends(pid_in(pids)));
}

TEST(RealProcess, OneThatIgnoresTheFirstSignalIsKilled) {
  const auto began = Ticks::now();
  const auto outcome = run(shell("trap '' TERM; while :; do sleep 0.1; done"), milliseconds{100});
  EXPECT_EQ(outcome.error().code, Errc::deadline_exceeded);
  EXPECT_GE(Ticks::now() - began, seconds{2});
  EXPECT_LT(Ticks::now() - began, seconds{10});
}

TEST(RealProcess, MayReportTheDeadlineWithTheOutputSoFar) {
  ProcessSpec spec = shell("echo so far; sleep 1000");
  spec.on_deadline = OnDeadline::report;
  const auto outcome = run(spec, milliseconds{500}).value();
  EXPECT_TRUE(outcome.timed_out);
  EXPECT_EQ(outcome.out, "so far\n");
  EXPECT_EQ(outcome.signal, SIGTERM);
}

TEST(RealProcess, AStopEndsIt) {
  std::stop_source stop;
  const std::jthread stopper{[&] {
    std::this_thread::sleep_for(milliseconds{100});
    stop.request_stop();
  }};
  const auto began = Ticks::now();
  EXPECT_EQ(run(shell("sleep 1000"), seconds{60}, stop.get_token()).error().code, Errc::cancelled);
  EXPECT_LT(Ticks::now() - began, seconds{2});
}

TEST(RealProcess, OneLeftBehindWithOurPipesDoesNotHoldUs) {
  const ScratchDirectory scratch;
  const auto pids = scratch.path() / "pid";
  const auto began = Ticks::now();
  const auto outcome = run(shell("sleep 1000 & echo $! > " + pids.string() + "; echo done"));
  EXPECT_LT(Ticks::now() - began, seconds{5});
  EXPECT_EQ(outcome.value().out, "done\n");
  const int left = pid_in(pids);
  EXPECT_TRUE(is_alive(left));  // it was not ours to end: its parent ended in its own time
  ::kill(left, SIGKILL);
}

TEST(RealProcess, OneLeftBehindThatWritesWithoutEndDoesNotHoldUs) {
  const ScratchDirectory scratch;
  const auto pids = scratch.path() / "pid";
  const auto began = Ticks::now();
  const auto outcome = run(shell("yes & echo $! > " + pids.string()));
  EXPECT_LT(Ticks::now() - began, seconds{5});
  EXPECT_EQ(outcome.value().exit_status, 0);
  EXPECT_TRUE(ends(pid_in(pids)));  // by SIGPIPE
}

TEST(RealProcess, ManyAtOnceDoNotMix) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([i] {
      const std::string word = "word" + std::to_string(i);
      EXPECT_EQ(run({.argv = {"cat"}, .environment = plain_environment, .input = word}).value().out,
                word);
    });
  }
}

TEST(SpawnDetached, OutlivesTheCallAndWritesToItsFile) {
  const ScratchDirectory scratch;
  const auto output = scratch.path() / "output";
  const auto pid = spawn_detached({.program = "/bin/sh",
                                   .argv = {"sh", "-c", "echo $$; exec sleep 1000"},
                                   .environment = plain_environment,
                                   .output = output});
  ASSERT_TRUE(pid.has_value());
  EXPECT_EQ(pid_in(output), *pid);
  EXPECT_EQ(::getsid(*pid), *pid);
  const auto start = process_start(*pid);
  ASSERT_TRUE(start.has_value());
  EXPECT_EQ(end_process(*pid, *start + 1, seconds{1}).value(),
            false);  // another process of that number
  EXPECT_TRUE(is_alive(*pid));
  EXPECT_EQ(end_process(*pid, *start, seconds{10}).value(), true);
  EXPECT_FALSE(is_alive(*pid));
  EXPECT_EQ(end_process(*pid, *start, seconds{1}).value(), false);
}

TEST(SpawnDetached, WithoutAProgramIsNotFound) {
  const ScratchDirectory scratch;
  const auto pid = spawn_detached(
      {.program = "/no/such/program", .argv = {"x"}, .output = scratch.path() / "output"});
  EXPECT_EQ(pid.error().code, Errc::not_found);
}

TEST(EndProcess, GivesUpOnOneThatIgnoresIt) {
  const ScratchDirectory scratch;
  const auto output = scratch.path() / "output";
  const auto pid =
      spawn_detached({.program = "/bin/sh",
                      .argv = {"sh", "-c", "trap '' TERM; echo $$; while :; do sleep 1; done"},
                      .environment = plain_environment,
                      .output = output});
  ASSERT_TRUE(pid.has_value());
  ASSERT_EQ(pid_in(output), *pid);
  const auto ended = end_process(*pid, process_start(*pid).value(), milliseconds{200});
  EXPECT_EQ(ended.error().code, Errc::deadline_exceeded);
  ::kill(-*pid, SIGKILL);
  EXPECT_TRUE(ends(*pid));
}

}  // namespace
}  // namespace runctl
