// Following over a shell that fails on demand, without a machine.
#include "training/follow.hpp"

#include <deque>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.hpp"
#include "base/text.hpp"
#include "io/fake_clock.hpp"
#include "node/gzip.hpp"
#include "training/stop.hpp"

namespace runctl::training {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A machine with one run: its log grows by `growth` bytes with each look. Reads the parameters of
// the scripts, and answers in their place.
class FakeRun final : public node::RemoteShell {
 public:
  std::string log;
  std::string state = "running";
  int looks_until_end = 1'000'000;
  std::string growth;
  // How many looks after its end its results are still uploaded; then they are, or nothing is at
  // work on them any more.
  int looks_until_uploaded = -1;  // less than 0: nothing is uploaded
  bool is_interrupted = false;
  std::deque<Error> failures;  // given first, one a call
  std::vector<std::string> stop_calls;
  int stops_until_end = 1;
  bool ignores_kill = false;
  int calls = 0;

  Result<node::ShellOutcome> run(const InstanceId&, const std::string& script, std::chrono::seconds,
                                 const std::stop_token& stop) override {
    ++calls;
    if (stop.stop_requested()) return fail(Errc::cancelled, "stopped");
    if (!failures.empty()) {
      Error error = std::move(failures.front());
      failures.pop_front();
      return std::unexpected{std::move(error)};
    }
    if (parameter(script, "OPERATION") == "stop_run") return answer(stop_step(script));
    if (--looks_until_end <= 0) {
      state = "succeeded";
    } else {
      log += growth;
    }
    const auto offset = std::stoull(parameter(script, "LOG_OFFSET"));
    const auto limit = std::stoull(parameter(script, "MAX_BYTES"));
    const std::string piece = offset < log.size() ? log.substr(offset, limit) : "";
    const std::string packed = piece.empty() ? "" : base64(node::gzip(piece).value());
    return answer(fmt::format(R"({},"log":"{}","next_offset":{},"log_size":{})", common(), packed,
                              piece.empty() ? std::uint64_t{log.size()} : offset + piece.size(),
                              log.size()));
  }

 private:
  static std::string parameter(const std::string& script, std::string_view name) {
    const auto start = script.find(fmt::format("{}='", name)) + name.size() + 2;
    return script.substr(start, script.find('\'', start) - start);
  }
  static node::ShellOutcome answer(const std::string& members) {
    return {.out = fmt::format("\n{{\"ok\":true,{}}}\n", members)};
  }
  [[nodiscard]] std::string common() const {
    const bool ended = state != "running";
    return fmt::format(R"("run_id":"r","state":"{}","pid":7,"fence":0{})", state,
                       ended ? R"(,"exit_status":0,"ended_at":9)" : "") +
           upload();
  }
  [[nodiscard]] std::string upload() const {
    if (looks_until_uploaded < 0) return "";
    const bool over = looks_until_end <= -looks_until_uploaded;
    return fmt::format(R"(,"upload":{{"finished":{},"target":"s3://b/r/"}},"upload_working":{})",
                       over && !is_interrupted, !over);
  }
  std::string stop_step(const std::string& script) {
    stop_calls.push_back(parameter(script, "SEND") + " " + parameter(script, "FORCE"));
    const bool killed = parameter(script, "FORCE") == "yes" && !ignores_kill;
    if (killed || --stops_until_end <= 0) state = "stopped";
    const bool left = state == "running";
    return fmt::format(
        R"({},"stop":{{"at":5,"signal":"TERM","by":"me","killed_at":0}},"already":false,"left":{},"processes":[{}])",
        common(), left ? 1 : 0, left ? R"({"pid":8,"command":"dd"})" : "");
  }
};

class run_following : public ::testing::Test {
 protected:
  node::RunId run = node::RunId::parse("r").value();
  FakeClock clock;
  FakeRun shell;
  std::stop_source stop_source;
  std::string got;
  std::vector<std::string> told;

  Following spec() {
    return {.machine = {.shell = shell,
                        .instance = InstanceId::parse("i-0123456789abcdef0").value(),
                        .stop = stop_source.get_token()},
            .clock = clock,
            .write = [this](std::string_view text) { got += text; },
            .tell = [this](std::string_view text) { told.emplace_back(text); }};
  }
  void fails(Errc code, int times) {
    for (int i = 0; i < times; ++i) {
      shell.failures.push_back({.code = code, .message = "the SSM agent does not answer"});
    }
  }
};

TEST_F(run_following, every_byte_arrives_once_and_in_order) {
  for (int i = 0; i < 400'000; ++i) shell.log += fmt::format("{}\n", i);
  shell.growth = "more\n";
  shell.looks_until_end = 20;
  const auto followed = follow(spec(), run);
  ASSERT_TRUE(followed.has_value());
  EXPECT_EQ(got, shell.log);
  EXPECT_EQ(followed->left_out, 0U);
  EXPECT_EQ(followed->next_offset, shell.log.size());
  EXPECT_EQ(followed->run.state, node::RunState::succeeded);
  EXPECT_THAT(told, IsEmpty());
}

TEST_F(run_following, it_ends_when_the_results_are_uploaded) {
  for (const bool interrupted : {false, true}) {
    told.clear();
    shell.state = "running";
    shell.looks_until_end = 3;
    shell.looks_until_uploaded = 10;
    shell.is_interrupted = interrupted;
    const auto followed = follow(spec(), run);
    ASSERT_TRUE(followed.has_value());
    EXPECT_EQ(shell.looks_until_end, -10);
    EXPECT_EQ(followed->run.upload.value().is_whole(), !interrupted);
    EXPECT_THAT(told, SizeIs(1));
    EXPECT_THAT(told, Contains("[the run has ended; its results are uploaded to s3://b/r/]"));
  }
}

TEST_F(run_following, a_deadline_while_results_are_uploaded_says_just_that) {
  shell.looks_until_end = 3;
  shell.looks_until_uploaded = 1'000'000;
  auto following = spec();
  following.deadline = clock.ticks() + std::chrono::seconds{60};
  const auto followed = follow(following, run);
  ASSERT_FALSE(followed.has_value());
  EXPECT_EQ(followed.error().code, Errc::deadline_exceeded);
  EXPECT_EQ(followed.error().message,
            "the results of run r, which has ended, are still being uploaded");
}

TEST_F(run_following, an_agent_that_is_away_for_an_hour_is_waited_for) {
  shell.growth = "x\n";
  shell.looks_until_end = 10;
  fails(Errc::unavailable, 360);
  const auto began = clock.ticks();
  const auto followed = follow(spec(), run);
  ASSERT_TRUE(followed.has_value()) << followed.error().message;
  EXPECT_EQ(got, shell.log);
  EXPECT_GT(clock.ticks() - began, std::chrono::minutes{55});
  ASSERT_THAT(told, SizeIs(2));
  EXPECT_THAT(told[0], HasSubstr("does not answer"));
  EXPECT_THAT(told[1], HasSubstr("answers again, after 5"));
}

TEST_F(run_following, a_machine_that_is_gone_ends_it) {
  fails(Errc::unavailable, 1'000);
  auto following = spec();
  int asked = 0;
  following.look_at_machine = [&]() -> Result<void> {
    return ++asked < 3 ? Result<void>{} : fail(Errc::conflict, "it is terminated");
  };
  const auto followed = follow(following, run);
  ASSERT_FALSE(followed.has_value());
  EXPECT_EQ(followed.error().message, "it is terminated");
  EXPECT_LT(shell.calls, 30);
}

TEST_F(run_following, what_waiting_does_not_mend_ends_it_at_once) {
  for (const Errc code : {Errc::denied, Errc::not_found, Errc::internal}) {
    fails(code, 1);
    const auto followed = follow(spec(), run);
    ASSERT_FALSE(followed.has_value());
    EXPECT_EQ(followed.error().code, code);
  }
}

TEST_F(run_following, garbled_answers_are_borne_four_times_and_not_five) {
  shell.looks_until_end = 3;
  fails(Errc::corrupt, 4);
  EXPECT_TRUE(follow(spec(), run).has_value());
  fails(Errc::corrupt, 5);
  EXPECT_EQ(follow(spec(), run).error().code, Errc::corrupt);
}

TEST_F(run_following, the_deadline_leaves_the_run_going_even_while_nobody_answers) {
  for (const int failing : {0, 1'000}) {
    shell.failures.clear();
    fails(Errc::unavailable, failing);
    auto following = spec();
    following.deadline = clock.ticks() + std::chrono::seconds{30};
    const auto followed = follow(following, run);
    ASSERT_FALSE(followed.has_value());
    EXPECT_EQ(followed.error().code, Errc::deadline_exceeded);
    EXPECT_EQ(followed.error().effect, Effect::applied);
    EXPECT_GE(clock.ticks(), following.deadline);
  }
}

TEST_F(run_following, a_stop_request_detaches) {
  stop_source.request_stop();
  const auto followed = follow(spec(), run);
  ASSERT_FALSE(followed.has_value());
  EXPECT_EQ(followed.error().code, Errc::cancelled);
  EXPECT_THAT(followed.error().message, HasSubstr("goes on"));
}

TEST_F(run_following, too_far_behind_it_goes_on_at_the_end_and_says_what_is_left_out) {
  for (int i = 0; i < 3'000'000; ++i) shell.log += fmt::format("{}\n", i);
  shell.looks_until_end = 2;
  auto following = spec();
  following.behind_limit = live_behind_limit;
  const auto followed = follow(following, run);
  ASSERT_TRUE(followed.has_value());
  EXPECT_EQ(got.size() + followed->left_out, shell.log.size());
  EXPECT_GT(followed->left_out, 10'000'000U);
  EXPECT_TRUE(got.starts_with("0\n1\n"));
  EXPECT_TRUE(got.ends_with("2999999\n"));
  // The part that follows begins with a whole line.
  const std::string& all = shell.log;
  const auto tail = got.substr(node::log_piece_limit);
  EXPECT_EQ(all[all.size() - tail.size() - 1], '\n');
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_THAT(told[0], HasSubstr("runctl runs logs r"));
  EXPECT_THAT(told[0], HasSubstr("are not shown"));
}

TEST_F(run_following, the_last_lines_are_found) {
  shell.log = "a\nb\nc\n";
  shell.growth = "";
  const auto at = [&](std::size_t lines) {
    return offset_of_last_lines(spec().machine, run, lines).value();
  };
  EXPECT_EQ(at(0), 6U);
  EXPECT_EQ(at(1), 4U);
  EXPECT_EQ(at(2), 2U);
  EXPECT_EQ(at(3), 0U);
  EXPECT_EQ(at(9), 0U);
  shell.log = "a\nb";
  EXPECT_EQ(at(1), 2U);
  shell.log = "";
  EXPECT_EQ(at(5), 0U);
}

class run_stopping : public run_following {
 protected:
  Result<Stopped> stopped(std::chrono::seconds grace) {
    return stop({.machine = spec().machine,
                 .clock = clock,
                 .tell = [this](std::string_view text) { told.emplace_back(text); }},
                run, {.grace = grace, .by = "me"});
  }
};

TEST_F(run_stopping, one_that_listens_is_not_killed) {
  const auto outcome = stopped(default_grace);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->run.state, node::RunState::stopped);
  EXPECT_FALSE(outcome->was_killed);
  EXPECT_THAT(shell.stop_calls, ::testing::ElementsAre("yes no"));
}

TEST_F(run_stopping, one_that_does_not_is_killed_when_its_time_is_over) {
  shell.stops_until_end = 1'000'000;
  const auto outcome = stopped(std::chrono::seconds{0});
  ASSERT_TRUE(outcome.has_value());
  EXPECT_TRUE(outcome->was_killed);
  EXPECT_EQ(outcome->run.state, node::RunState::stopped);
  EXPECT_THAT(shell.stop_calls, ::testing::ElementsAre("yes no", "no yes"));
  EXPECT_THAT(told, Contains(HasSubstr("killing it")));
}

TEST_F(run_stopping, what_outlives_even_that_is_named) {
  shell.stops_until_end = 1'000'000;
  shell.ignores_kill = true;
  const auto outcome = stopped(std::chrono::seconds{0});
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().code, Errc::conflict);
  EXPECT_THAT(outcome.error().details, Contains("process 8 'dd'"));
}

}  // namespace
}  // namespace runctl::training
