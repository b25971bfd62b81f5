// SSM Run Command as a shell, against answers of SSM's own shapes.
#include "node/ssm_shell.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/fake_clock.hpp"
#include "io/http_transport.hpp"
#include "io/log.hpp"
#include "io/random.hpp"
#include "node/script.hpp"

namespace runctl::node {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const InstanceId instance = InstanceId::parse("i-0123456789abcdef0").value();

// Answers by the action's name; what was asked is kept.
class Ssm final : public HttpTransport {
 public:
  Result<HttpResponse> send(const HttpRequest& request, std::chrono::steady_clock::time_point,
                            const std::stop_token&) override {
    for (const auto& header : request.headers) {
      if (header.name != "x-amz-target") continue;
      const auto action = header.value.substr(header.value.find('.') + 1);
      if (asked.empty() || asked.back() != action) asked.push_back(action);
      return answer(action);
    }
    return fail(Errc::internal, "no action");
  }
  std::function<Result<HttpResponse>(const std::string&)> answer;
  std::vector<std::string> asked;  // without repetitions
};

HttpResponse invocation(const std::string& status, const std::string& more = "") {
  return {.status = 200,
          .body = fmt::format(
              R"({{"CommandId":"c-1","InstanceId":"{}","Status":"{}","StatusDetails":"{}"{}}})",
              instance, status, status, more)};
}
const HttpResponse sent{.status = 200, .body = R"({"Command":{"CommandId":"c-1"}})"};

class over_ssm : public ::testing::Test {
 protected:
  Result<ShellOutcome> run(const std::stop_token& stop = {}) {
    aws::Client client{ssm_,
                       clock_,
                       random_,
                       log_,
                       {.region = "us-east-1",
                        .credentials = {.access_key_id = "a", .secret_access_key = Secret{"s"}},
                        .ec2_endpoint = "http://ec2",
                        .ssm_endpoint = "http://ssm",
                        .sts_endpoint = "http://sts"}};
    SsmShell shell{client, clock_};
    return shell.run(instance, "true", seconds{5}, stop);
  }
  FakeClock clock_;
  SeededRandom random_{1};
  NoLog log_;
  Ssm ssm_;
};

TEST_F(over_ssm, an_outcome_is_waited_for) {
  ssm_.answer = [n = 0](const std::string& action) mutable -> Result<HttpResponse> {
    if (action == "SendCommand") return sent;
    if (++n < 4) return invocation("InProgress");
    return invocation(
        "Failed",
        R"(,"ResponseCode":3,"StandardOutputContent":"out","StandardErrorContent":"err")");
  };
  const auto outcome = run();
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->exit_status, 3);
  EXPECT_EQ(outcome->out, "out");
  EXPECT_FALSE(outcome->cut);
  EXPECT_THAT(ssm_.asked, ElementsAre("SendCommand", "GetCommandInvocation"));
}

TEST_F(over_ssm, an_end_is_seen_soon_and_not_asked_for_too_often) {
  struct Case {
    std::chrono::milliseconds takes;
    std::chrono::milliseconds late;
    int most_questions;
  };
  using std::chrono::milliseconds;
  for (const auto& [takes, late, most_questions] :
       {Case{.takes = milliseconds{60}, .late = milliseconds{40}, .most_questions = 4},
        Case{.takes = milliseconds{600}, .late = milliseconds{80}, .most_questions = 16},
        Case{.takes = seconds{3}, .late = milliseconds{400}, .most_questions = 30},
        Case{.takes = seconds{60}, .late = seconds{2}, .most_questions = 70}}) {
    const auto began = clock_.ticks();
    int questions = 0;
    ssm_.answer = [&](const std::string& action) -> Result<HttpResponse> {
      if (action == "SendCommand") return sent;
      ++questions;
      return clock_.ticks() - began < takes ? invocation("InProgress")
                                            : invocation("Success", R"(,"ResponseCode":0)");
    };
    ASSERT_TRUE(run());
    EXPECT_LE(clock_.ticks() - began, takes + late) << takes.count();
    EXPECT_LE(questions, most_questions) << takes.count();
  }
}

TEST_F(over_ssm, a_command_that_hangs_is_cancelled) {
  bool cancelled = false;
  ssm_.answer = [&](const std::string& action) -> Result<HttpResponse> {
    if (action == "SendCommand") return sent;
    if (action == "CancelCommand") cancelled = true;
    if (action == "CancelCommand") return HttpResponse{.status = 200, .body = "{}"};
    return cancelled
               ? invocation("Cancelled", R"(,"ExecutionStartDateTime":"2026-01-01T00:00:00Z")")
               : invocation("InProgress");
  };
  const auto outcome = run();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::deadline_exceeded);
  EXPECT_EQ(outcome.error().effect, Effect::unknown);
  EXPECT_THAT(outcome.error().message, HasSubstr("was ended there"));
  EXPECT_THAT(ssm_.asked, ElementsAre("SendCommand", "GetCommandInvocation", "CancelCommand",
                                      "GetCommandInvocation"));
}

TEST_F(over_ssm, one_that_an_agent_never_fetched_did_nothing) {
  bool cancelled = false;
  ssm_.answer = [&](const std::string& action) -> Result<HttpResponse> {
    if (action == "SendCommand") return sent;
    if (action == "CancelCommand") cancelled = true;
    if (action == "CancelCommand") return HttpResponse{.status = 200, .body = "{}"};
    return cancelled ? invocation("Cancelled", R"(,"ExecutionStartDateTime":"")")
                     : invocation("Pending");
  };
  const auto outcome = run();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().effect, Effect::not_applied);
  EXPECT_THAT(outcome.error().message, HasSubstr("before it began"));
}

TEST_F(over_ssm, one_that_ended_just_before_it_was_cancelled_has_its_outcome) {
  bool cancelled = false;
  ssm_.answer = [&](const std::string& action) -> Result<HttpResponse> {
    if (action == "SendCommand") return sent;
    if (action == "CancelCommand") cancelled = true;
    if (action == "CancelCommand") return HttpResponse{.status = 200, .body = "{}"};
    return cancelled ? invocation("Success", R"(,"ResponseCode":0)") : invocation("InProgress");
  };
  const auto outcome = run();
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->exit_status, 0);
}

TEST_F(over_ssm, a_cancelled_call_cancels_the_command) {
  std::stop_source source;
  ssm_.answer = [&](const std::string& action) -> Result<HttpResponse> {
    if (action == "SendCommand") return sent;
    if (action == "CancelCommand") return HttpResponse{.status = 200, .body = "{}"};
    if (source.stop_requested()) return invocation("Cancelled", R"(,"ExecutionStartDateTime":"x")");
    source.request_stop();
    return invocation("InProgress");
  };
  const auto outcome = run(source.get_token());
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::cancelled);
  EXPECT_THAT(ssm_.asked, ::testing::Contains("CancelCommand"));
}

TEST_F(over_ssm, one_that_cannot_be_cancelled_is_said_to_go_on) {
  ssm_.answer = [&](const std::string& action) -> Result<HttpResponse> {
    if (action == "SendCommand") return sent;
    if (action == "CancelCommand") return fail(Errc::denied, "may not");
    return invocation("InProgress");
  };
  const auto outcome = run();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::deadline_exceeded);
  EXPECT_THAT(outcome.error().message, HasSubstr("could not be cancelled (may not)"));
}

TEST_F(over_ssm, an_agent_that_does_not_answer_is_named_with_the_way_out) {
  ssm_.answer = [&](const std::string& action) -> Result<HttpResponse> {
    if (action == "SendCommand") return sent;
    return HttpResponse{
        .status = 200,
        .body = R"({"CommandId":"c-1","Status":"TimedOut","StatusDetails":"Delivery Timed Out"})"};
  };
  const auto outcome = run();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::unavailable);
  EXPECT_EQ(outcome.error().effect, Effect::not_applied);
  EXPECT_THAT(outcome.error().hint, HasSubstr("AmazonSSMManagedInstanceCore"));
  EXPECT_THAT(ssm_.asked, ElementsAre("SendCommand", "GetCommandInvocation"));
}

TEST_F(over_ssm, a_service_that_is_away_for_a_while_loses_nothing) {
  ssm_.answer = [n = 0](const std::string& action) mutable -> Result<HttpResponse> {
    if (action == "SendCommand") return sent;
    if (++n < 8) return HttpResponse{.status = 503, .body = R"({"__type":"ServiceUnavailable"})"};
    return invocation("Success", R"(,"ResponseCode":0)");
  };
  const auto outcome = run();
  ASSERT_TRUE(outcome) << outcome.error().message;
}

// A record stands at the end of what a script says, and SSM keeps the start.
TEST_F(over_ssm, a_record_that_was_cut_off_is_told_as_such) {
  const std::string noise(24'000, 'x');
  ssm_.answer = [&](const std::string& action) -> Result<HttpResponse> {
    if (action == "SendCommand") return sent;
    return invocation("Success",
                      fmt::format(R"(,"ResponseCode":0,"StandardOutputContent":"{}")", noise));
  };
  const auto outcome = run();
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_TRUE(outcome->cut);
  const auto record = read_record("inspect", instance, *outcome);
  ASSERT_FALSE(record);
  EXPECT_EQ(record.error().code, Errc::corrupt);
  EXPECT_THAT(record.error().message, HasSubstr("more than the 24000 bytes"));
}

}  // namespace
}  // namespace runctl::node
