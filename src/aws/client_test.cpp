// How often a request is sent, who signs it, and what is said when it is not sent again.
#include "aws/client.hpp"

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/ec2/volume.hpp"
#include "aws/sts/shapes.hpp"
#include "io/fake_clock.hpp"

namespace runctl::aws {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

HttpResponse identity_of(std::string_view account) {
  return {.status = 200,
          .body = "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>" +
                  std::string{account} +
                  "</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"};
}

HttpResponse refusal(int status, std::string_view code) {
  return {.status = status,
          .body = "<ErrorResponse><Error><Code>" + std::string{code} +
                  "</Code><Message>m</Message></Error></ErrorResponse>"};
}

std::unexpected<Error> lost(Errc code, Effect effect) {
  auto failed = fail(code, "lost");
  failed.error().effect = effect;
  return failed;
}

// Answers with what a test says; remembers who signed each request.
class ScriptedTransport final : public HttpTransport {
 public:
  explicit ScriptedTransport(std::function<Result<HttpResponse>(int)> answer)
      : answer_{std::move(answer)} {}

  Result<HttpResponse> send(const HttpRequest& request, std::chrono::steady_clock::time_point,
                            const std::stop_token&) override {
    std::string signer = "nobody";
    for (const HttpHeader& header : request.headers) {
      if (header.name != "authorization") continue;
      const auto start = header.value.find("Credential=") + 11;
      signer = header.value.substr(start, header.value.find('/', start) - start);
    }
    signers.push_back(signer);
    return answer_(static_cast<int>(signers.size()));
  }

  std::vector<std::string> signers;

 private:
  std::function<Result<HttpResponse>(int)> answer_;
};

struct Bed {
  FakeClock clock;
  SeededRandom random{1};
  NoLog log;
  ScriptedTransport http;
  ClientConfig config{.region = "us-east-1",
                      .credentials = {.access_key_id = "first", .secret_access_key = Secret{"s"}},
                      .ec2_endpoint = "http://ec2",
                      .ssm_endpoint = "http://ssm",
                      .sts_endpoint = "http://sts"};

  explicit Bed(std::function<Result<HttpResponse>(int)> answer) : http{std::move(answer)} {}
  [[nodiscard]] Client client() { return {http, clock, random, log, config}; }
  [[nodiscard]] std::size_t sent() const { return http.signers.size(); }
};

Result<sts::GetCallerIdentityResponse> who(Client& client, const CallOptions& options = {}) {
  return client.call<sts::GetCallerIdentity>({}, options);
}

TEST(ClientTest, AsksAgainWhatOnlyReads) {
  Bed bed{[](int number) -> Result<HttpResponse> {
    if (number == 1) return lost(Errc::unavailable, Effect::unknown);
    if (number == 2) return refusal(503, "ServiceUnavailable");
    return identity_of("1");
  }};
  Client client = bed.client();
  EXPECT_EQ(who(client)->account, "1");
  EXPECT_EQ(bed.sent(), 3U);
}

TEST(ClientTest, AsksAgainWhenAnAttemptGetsNoAnswerAndTheCallerHasTime) {
  Bed bed{[&bed](int number) -> Result<HttpResponse> {
    if (number > 1) return identity_of("1");
    bed.clock.advance(seconds{30});
    return lost(Errc::deadline_exceeded, Effect::unknown);
  }};
  Client client = bed.client();
  EXPECT_TRUE(who(client, {.deadline = bed.clock.ticks() + minutes{5}}));
  EXPECT_EQ(bed.sent(), 2U);
}

TEST(ClientTest, EndsAtTheCallersDeadline) {
  Bed bed{[&bed](int) -> Result<HttpResponse> {
    bed.clock.advance(seconds{30});
    return lost(Errc::deadline_exceeded, Effect::unknown);
  }};
  Client client = bed.client();
  const auto late = who(client, {.deadline = bed.clock.ticks() + seconds{30}});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::deadline_exceeded);
  EXPECT_EQ(bed.sent(), 1U);
}

TEST(ClientTest, ReadsAreSlowedDownRatherThanFailedWhenAnAccountIsThrottled) {
  Bed bed{[](int number) -> Result<HttpResponse> {
    if (number < 8) return refusal(503, "RequestLimitExceeded");
    return identity_of("1");
  }};
  Client client = bed.client();
  EXPECT_TRUE(who(client));

  Bed always{[](int) { return refusal(503, "RequestLimitExceeded"); }};
  Client throttled = always.client();
  EXPECT_EQ(who(throttled).error().code, Errc::throttled);
  EXPECT_EQ(always.sent(), 8U);
  always.config.retry.attempts = 1;
  Client impatient = always.client();
  EXPECT_FALSE(who(impatient));
  EXPECT_EQ(always.sent(), 9U);
}

TEST(ClientTest, AReadThatWaitedItsTurnMayStillLoseAnAnswer) {
  Bed bed{[](int number) -> Result<HttpResponse> {
    if (number <= 2) return refusal(503, "RequestLimitExceeded");
    if (number <= 4) return lost(Errc::unavailable, Effect::unknown);
    return identity_of("1");
  }};
  Client client = bed.client();
  EXPECT_TRUE(who(client));
  EXPECT_EQ(bed.sent(), 5U);
}

TEST(ClientTest, AReadWithoutAnAnswerHasChangedNothing) {
  Bed bed{[](int) { return lost(Errc::unavailable, Effect::unknown); }};
  Client client = bed.client();
  EXPECT_EQ(who(client).error().effect, Effect::not_applied);
  EXPECT_EQ(bed.sent(), 3U);
}

// Without a token it might be made twice.
TEST(ClientTest, NeverSendsAgainWhatMayHaveChangedSomething) {
  for (const Errc code : {Errc::unavailable, Errc::deadline_exceeded}) {
    Bed bed{[code](int) { return lost(code, Effect::unknown); }};
    Client client = bed.client();
    const auto unknown = client.change<ec2::AttachVolume>({});
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().effect, Effect::unknown);
    EXPECT_EQ(bed.sent(), 1U);
  }
}

TEST(ClientTest, SendsAgainWhatNeverLeft) {
  Bed bed{[](int) { return lost(Errc::unavailable, Effect::not_applied); }};
  Client client = bed.client();
  EXPECT_FALSE(client.change<ec2::AttachVolume>({}));
  EXPECT_EQ(bed.sent(), 3U);
}

TEST(ClientTest, WaitsLongerWhenToldToSlowDown) {
  const RetryPolicy policy;
  constexpr std::uint64_t highest = ~std::uint64_t{0};
  EXPECT_LE(retry_delay(1, Errc::unavailable, policy, highest), policy.first_delay);
  EXPECT_EQ(retry_delay(1, Errc::throttled, policy, 1'000), policy.throttled_delay);
  for (int attempt = 1; attempt < 100; ++attempt) {
    EXPECT_LE(retry_delay(attempt, Errc::throttled, policy, highest), policy.max_delay);
  }
}

// Each call would be sent three times: a service that is down for everybody gets no more than its
// share.
TEST(ClientTest, StopsRetryingWhenMostFails) {
  Bed bed{[](int) { return lost(Errc::unavailable, Effect::unknown); }};
  Client client = bed.client();
  constexpr std::size_t calls = 200;
  for (std::size_t call = 0; call < calls; ++call) EXPECT_FALSE(who(client));
  EXPECT_EQ(bed.sent(), calls + RetryQuota::capacity / RetryQuota::retry_cost);
}

TEST(ClientTest, GetsItsRetriesBackWithSuccess) {
  Bed bed{[](int number) -> Result<HttpResponse> {
    if (number % 2 == 1) return lost(Errc::unavailable, Effect::unknown);
    return identity_of("1");
  }};
  Client client = bed.client();
  for (int call = 0; call < 500; ++call) EXPECT_TRUE(who(client));
}

TEST(ClientTest, TakesTheNumberOfAttemptsFromWhereAwssToolsTakeIt) {
  const auto policy = [](std::string_view variable, std::string_view setting) {
    Environment environment;
    if (!variable.empty()) environment.variables["AWS_MAX_ATTEMPTS"] = variable;
    ProfileFiles files;
    files.config = parse_profile_file("[default]\nmax_attempts = " + std::string{setting} + "\n",
                                      "/h/.aws/config", ProfileFileKind::config)
                       .value();
    return retry_policy({.environment = environment, .files = files});
  };
  EXPECT_EQ(policy("7", "2")->attempts, 7);
  EXPECT_EQ(policy("", "2")->attempts, 2);
  for (const std::string_view wrong : {"0", "-1", "x", "3 times", "101"}) {
    const auto refused = policy(wrong, "2");
    ASSERT_FALSE(refused) << wrong;
    EXPECT_THAT(refused.error().message, HasSubstr("AWS_MAX_ATTEMPTS"));
  }
  EXPECT_THAT(policy("", "many").error().message, HasSubstr("profile 'default' in /h/.aws/config"));
}

Credentials temporary(std::string id, Timestamp ends) {
  return {.access_key_id = std::move(id), .secret_access_key = Secret{"s"}, .expires = ends};
}

TEST(ClientTest, RenewsCredentialsBeforeTheyEnd) {
  Bed bed{[](int) { return identity_of("1"); }};
  const Timestamp start = bed.clock.now();
  bed.config.credentials = temporary("first", start + minutes{60});
  int renewals = 0;
  bed.config.renew = [&](const CallOptions&) -> Result<Credentials> {
    ++renewals;
    return temporary("second", start + minutes{120});
  };
  Client client = bed.client();
  for (const int minute : {0, 49, 51, 70, 109}) {
    bed.clock.advance(start + minutes{minute} - bed.clock.now());
    EXPECT_TRUE(who(client)) << minute;
  }
  EXPECT_THAT(bed.http.signers, ElementsAre("first", "first", "second", "second", "second"));
  EXPECT_EQ(renewals, 1);
}

TEST(ClientTest, UsesCredentialsThatCannotBeRenewedToTheirEnd) {
  Bed bed{[](int) { return identity_of("1"); }};
  const Timestamp start = bed.clock.now();
  bed.config.credentials = temporary("first", start + minutes{60});
  bed.config.renew = [](const CallOptions&) -> Result<Credentials> {
    return fail(Errc::unavailable, "nobody answers");
  };
  Client client = bed.client();
  bed.clock.advance(minutes{59});
  EXPECT_TRUE(who(client));
  bed.clock.advance(minutes{2});
  const auto ended = who(client);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().message, "nobody answers");
  EXPECT_EQ(bed.sent(), 1U);
}

// Credentials of a few minutes are not renewed with every request.
TEST(ClientTest, RenewsShortLivedCredentialsInTheLastFifthOfTheirLife) {
  Bed bed{[](int) { return identity_of("1"); }};
  const Timestamp start = bed.clock.now();
  bed.config.credentials = temporary("first", start + minutes{5});
  int renewals = 0;
  bed.config.renew = [&](const CallOptions&) -> Result<Credentials> {
    ++renewals;
    return temporary("next", bed.clock.now() + minutes{5});
  };
  Client client = bed.client();
  bed.clock.advance(minutes{3});
  EXPECT_TRUE(who(client));
  EXPECT_EQ(renewals, 0);
  bed.clock.advance(seconds{61});
  EXPECT_TRUE(who(client));
  EXPECT_TRUE(who(client));
  EXPECT_EQ(renewals, 1);
}

TEST(ClientTest, DoesNotSignWhatAwsTakesUnsigned) {
  Bed bed{[](int) -> Result<HttpResponse> {
    return HttpResponse{.status = 200,
                        .body =
                            "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult>"
                            "</AssumeRoleWithWebIdentityResult>"
                            "</AssumeRoleWithWebIdentityResponse>"};
  }};
  Client client = bed.client();
  EXPECT_TRUE(client.call<sts::AssumeRoleWithWebIdentity>({}));
  EXPECT_THAT(bed.http.signers, ElementsAre("nobody"));
}

}  // namespace
}  // namespace runctl::aws
