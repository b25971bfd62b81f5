#include "fleet/fallback.hpp"

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "aws/codec.hpp"
#include "aws/ec2/spot_request.hpp"
#include "fleet/replace.hpp"
#include "io/fake_clock.hpp"
#include "io/log.hpp"
#include "io/random.hpp"
#include "io/scratch_directory.hpp"
#include "journal/recorder.hpp"

namespace runctl::fleet {
namespace {

namespace ec2 = aws::ec2;
constexpr const char* machine = "i-0bbbbbbbbbbbbbbb1";

Error refused(const char* code, Effect effect = Effect::not_applied) {
  return Error{
      .message = "No.", .remote = RemoteFault{.http_status = 400, .code = code}, .effect = effect};
}

TEST(LacksSpot, IsWhatOnlyTheSpotMarketIsShortOf) {
  for (const char* const code : {"InsufficientInstanceCapacity", "SpotMaxPriceTooLow",
                                 "MaxSpotInstanceCountExceeded", "UnfulfillableCapacity"}) {
    EXPECT_TRUE(lacks_spot(refused(code))) << code;
  }
  // An on-demand launch would be refused as well, or it is not known that nothing was made.
  for (const char* const code :
       {"VcpuLimitExceeded", "InstanceLimitExceeded", "UnauthorizedOperation",
        "InvalidAMIID.NotFound", "InvalidParameterValue", "RequestLimitExceeded", "InternalError",
        ""}) {
    EXPECT_FALSE(lacks_spot(refused(code))) << code;
  }
}

TEST(LacksMachine, IsAWantOfQuotaTooOnDemand) {
  for (const char* const code : {"InsufficientInstanceCapacity", "MaxSpotInstanceCountExceeded",
                                 "VcpuLimitExceeded", "InstanceLimitExceeded"}) {
    EXPECT_TRUE(lacks_machine(refused(code))) << code;
    EXPECT_FALSE(lacks_machine(refused(code, Effect::unknown))) << code;
  }
  for (const char* const code :
       {"UnauthorizedOperation", "InvalidAMIID.NotFound", "RequestLimitExceeded", ""}) {
    EXPECT_FALSE(lacks_machine(refused(code))) << code;
  }
}

TEST(LacksSpot, IsNotKnownWhileALaunchMayHaveHappened) {
  EXPECT_FALSE(lacks_spot(refused("InsufficientInstanceCapacity", Effect::unknown)));
  EXPECT_FALSE(lacks_spot(Error{.message = "the connection was reset"}));
}

// Gives each action its answers in turn, and remembers what was asked.
class Script final : public HttpTransport {
 public:
  template <class Operation>
  void answer(const typename Operation::Response& response) {
    answers_[std::string{Operation::info.name}].push_back(
        {.status = 200, .body = aws::write_response(Operation::info, "r", aws::writing(response))});
  }
  void refuse(const std::string& action, const std::string& code, int status = 500) {
    answers_[action].push_back(
        {.status = status,
         .body = aws::write_error(aws::Protocol::ec2,
                                  {.code = code, .message = "No.", .request_id = "r"})});
  }

  [[nodiscard]] Result<HttpResponse> send(const HttpRequest& request,
                                          std::chrono::steady_clock::time_point,
                                          const std::stop_token&) override {
    const auto form = aws::parse_form(request.body);
    const std::string action = form.find("Action")->second;
    asked.push_back(action);
    forms.push_back(form);
    auto& left = answers_[action];
    if (left.empty()) return fail(Errc::internal, "no answer is left for " + action);
    HttpResponse next = left.front();
    left.pop_front();
    return next;
  }

  std::vector<std::string> asked;
  std::vector<aws::Form> forms;

 private:
  std::map<std::string, std::deque<HttpResponse>> answers_;
};

class NoShell final : public node::RemoteShell {
 public:
  [[nodiscard]] Result<node::ShellOutcome> run(const InstanceId& instance, const std::string&,
                                               std::chrono::seconds,
                                               const std::stop_token&) override {
    return fail(Errc::unavailable, "no machine " + instance.str());
  }
  [[nodiscard]] Result<bool> is_reachable(const InstanceId&, const std::stop_token&) override {
    return false;
  }
};

ec2::Instance instance_of(const std::string& lifecycle) {
  return {.instance_id = machine,
          .state = ec2::InstanceState{.code = 16, .name = "running"},
          .instance_type = "t3.medium",
          .instance_lifecycle = lifecycle};
}

ec2::DescribeSpotInstanceRequestsResult request_that_is(const std::string& state,
                                                        const std::string& instance = "") {
  return {.spot_instance_requests = {
              {.spot_instance_request_id = "sir-1", .state = state, .instance_id = instance}}};
}

class FallbackTest : public testing::Test {
 protected:
  Result<Rented> rent(bool allowed = true) {
    const volume::Session session{
        .aws = client_, .shell = shell_, .clock = clock_, .random = random_};
    journal::Recorder recorder{directory_.path() / "journal.sqlite", clock_,
                               journal::Operation{.id = "op-1", .kind = "launch", .place = "here"}};
    auto rented = launch_with_fallback(
        {.session = session, .recorder = recorder}, {.market = Market::spot},
        {.allowed = allowed,
         .announce = [&](const Error&) { script_.asked.emplace_back("announced"); }});
    EXPECT_TRUE(recorder.end(rented ? nullptr : &rented.error()).has_value());
    return rented;
  }
  void on_demand_is_there() {
    script_.answer<ec2::RunInstances>(
        {.reservation_id = "r-2", .owner_id = "1", .instances = {instance_of("")}});
  }
  [[nodiscard]] static std::string value(const aws::Form& form, const std::string& name) {
    const auto found = form.find(name);
    return found == form.end() ? "" : found->second;
  }

  using Asked = std::vector<std::string>;
  ScratchDirectory directory_;
  FakeClock clock_;
  SeededRandom random_{1};
  NoLog log_;
  Script script_;
  NoShell shell_;
  aws::Client client_{
      script_, clock_, random_, log_,
      aws::ClientConfig{.region = "us-east-1",
                        .credentials = {.access_key_id = "k", .secret_access_key = Secret{"s"}},
                        .ec2_endpoint = "http://ec2",
                        .ssm_endpoint = "http://ssm",
                        .sts_endpoint = "http://sts",
                        .retry = {.attempts = 1}}};
};

TEST_F(FallbackTest, SaysSoBeforeItAsksForAnOnDemandMachineUnderAnotherToken) {
  script_.refuse("RunInstances", "InsufficientInstanceCapacity");
  script_.answer<ec2::DescribeSpotInstanceRequests>({});
  on_demand_is_there();
  const auto rented = rent();
  ASSERT_TRUE(rented.has_value()) << rented.error().message;
  EXPECT_EQ(rented->market, Market::on_demand);
  EXPECT_EQ(rented->why_not_spot, "InsufficientInstanceCapacity: no");
  EXPECT_EQ(script_.asked,
            (Asked{"RunInstances", "DescribeSpotInstanceRequests", "announced", "RunInstances"}));
  const auto& first = script_.forms.front();
  const auto& second = script_.forms.back();
  EXPECT_EQ(value(first, "InstanceMarketOptions.MarketType"), "spot");
  EXPECT_EQ(value(second, "InstanceMarketOptions.MarketType"), "");
  EXPECT_NE(value(first, "ClientToken"), value(second, "ClientToken"));
  EXPECT_EQ(value(script_.forms.at(1), "Filter.1.Value.1"), value(first, "ClientToken"))
      << "the request is looked up by the launch's own tag";
}

TEST_F(FallbackTest, CancelsARequestThatIsOpenBeforeAnythingElseIsRented) {
  script_.refuse("RunInstances", "InsufficientInstanceCapacity");
  script_.answer<ec2::DescribeSpotInstanceRequests>(request_that_is("open"));
  script_.answer<ec2::CancelSpotInstanceRequests>({});
  script_.answer<ec2::DescribeSpotInstanceRequests>(request_that_is("cancelled"));
  on_demand_is_there();
  ASSERT_TRUE(rent().has_value());
  EXPECT_EQ(script_.asked,
            (Asked{"RunInstances", "DescribeSpotInstanceRequests", "CancelSpotInstanceRequests",
                   "DescribeSpotInstanceRequests", "announced", "RunInstances"}));
}

TEST_F(FallbackTest, TakesAMachineThatCameWhileItsRequestWasCancelled) {
  script_.refuse("RunInstances", "InsufficientInstanceCapacity");
  script_.answer<ec2::DescribeSpotInstanceRequests>(request_that_is("open"));
  script_.answer<ec2::CancelSpotInstanceRequests>({});
  script_.answer<ec2::DescribeSpotInstanceRequests>(request_that_is("cancelled", machine));
  script_.answer<ec2::DescribeInstances>(
      {.reservations = {
           {.reservation_id = "r-1", .owner_id = "1", .instances = {instance_of("spot")}}}});
  const auto rented = rent();
  ASSERT_TRUE(rented.has_value()) << rented.error().message;
  EXPECT_EQ(rented->market, Market::spot);
  EXPECT_EQ(rented->instance.id.str(), machine);
  EXPECT_EQ(script_.asked.back(), "DescribeInstances") << "nothing was rented beside it";
}

TEST_F(FallbackTest, RentsNothingWhileARequestCannotBeCancelled) {
  script_.refuse("RunInstances", "InsufficientInstanceCapacity");
  script_.answer<ec2::DescribeSpotInstanceRequests>(request_that_is("open"));
  script_.refuse("CancelSpotInstanceRequests", "UnauthorizedOperation", 403);
  const auto rented = rent();
  ASSERT_FALSE(rented.has_value());
  EXPECT_NE(rented.error().ways_out.at(0).find("sir-1"), std::string::npos);
  EXPECT_EQ(script_.asked.back(), "CancelSpotInstanceRequests");
}

TEST_F(FallbackTest, RentsNothingElseWhereThatIsNotAllowed) {
  script_.refuse("RunInstances", "SpotMaxPriceTooLow", 400);
  script_.answer<ec2::DescribeSpotInstanceRequests>({});
  const auto rented = rent(false);
  ASSERT_FALSE(rented.has_value());
  EXPECT_EQ(rented.error().remote->code, "SpotMaxPriceTooLow");
  EXPECT_EQ(script_.asked, (Asked{"RunInstances", "DescribeSpotInstanceRequests"}));
}

TEST_F(FallbackTest, GoesOnWhereRequestsMayNotBeLookedAt) {
  script_.refuse("RunInstances", "InsufficientInstanceCapacity");
  script_.refuse("DescribeSpotInstanceRequests", "UnauthorizedOperation", 403);
  on_demand_is_there();
  EXPECT_TRUE(rent().has_value());
}

}  // namespace
}  // namespace runctl::fleet
