#include "aws/endpoint.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace runctl::aws {
namespace {

using ::testing::HasSubstr;

ProfileFiles config(std::string_view text) {
  return {.credentials = {},
          .config = parse_profile_file(text, "/h/.aws/config", ProfileFileKind::config).value()};
}

TEST(RegionTest, IsTakenInAwssOrder) {
  const auto files = config("[default]\nregion = in-profile-1\n");
  Environment environment{{{"AWS_REGION", "in-env-1"}, {"AWS_DEFAULT_REGION", "in-env-2"}}};
  AccountChoice flags{.region = "in-flag-1"};
  const AccountChoice settings{.region = "in-settings-1"};
  const auto region = [&] {
    return resolve_region(
               {.environment = environment, .files = files, .flags = flags, .settings = settings})
        ->value;
  };
  EXPECT_EQ(region(), "in-flag-1");
  flags.region.reset();
  EXPECT_EQ(region(), "in-env-1");
  environment.variables.erase("AWS_REGION");
  EXPECT_EQ(region(), "in-env-2");
  environment.variables.clear();
  EXPECT_EQ(region(), "in-settings-1");
  const auto last = resolve_region({.environment = environment, .files = files});
  EXPECT_EQ(last->value, "in-profile-1");
  EXPECT_EQ(last->origin, "profile 'default' in /h/.aws/config");
}

TEST(RegionTest, IsAskedForWhenNobodyNamesOne) {
  const Environment none;
  const auto files = config("");
  const auto missing = resolve_region({.environment = none, .files = files});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::invalid_argument);
  EXPECT_THAT(missing.error().hint, HasSubstr("--region"));
  EXPECT_THAT(missing.error().hint, HasSubstr("profile 'default' in /h/.aws/config"));
}

TEST(RegionTest, CannotLeadTheHostNameElsewhere) {
  const Environment none;
  const auto files = config("");
  for (const std::string& region :
       std::vector<std::string>{"", "x.example.com/", "a@b", "US-EAST-1", "-a", "a-", "us east",
                                "a#", std::string(64, 'a')}) {
    EXPECT_FALSE(resolve_region({.environment = none, .files = files, .flags = {.region = region}}))
        << region;
  }
}

TEST(EndpointTest, IsTakenInAwssOrder) {
  const auto files = config("[default]\nendpoint_url = http://profile\n");
  Environment environment{
      {{"AWS_ENDPOINT_URL_EC2", "http://own"}, {"AWS_ENDPOINT_URL", "http://all"}}};
  AccountChoice flags{.endpoint_url = "http://flag"};
  AccountChoice settings{.endpoint_url = "http://settings"};
  const auto endpoint = [&](const Service& service) {
    return resolve_endpoint(
               {.environment = environment, .files = files, .flags = flags, .settings = settings},
               service, "r")
        ->value;
  };
  EXPECT_EQ(endpoint(ec2_service), "http://flag");
  flags.endpoint_url.reset();
  EXPECT_EQ(endpoint(ec2_service), "http://own");
  EXPECT_EQ(endpoint(ssm_service), "http://all");
  environment.variables["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true";
  EXPECT_EQ(endpoint(ec2_service), "http://settings");
  environment.variables.clear();
  EXPECT_EQ(endpoint(ec2_service), "http://settings");
  settings.endpoint_url.reset();
  EXPECT_EQ(endpoint(ec2_service), "http://profile");
  environment.variables["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true";
  EXPECT_EQ(endpoint(ec2_service), "https://ec2.r.amazonaws.com");
}

TEST(EndpointTest, IsAUrlOfAHost) {
  const Environment none;
  const auto files = config("");
  const auto endpoint = [&](const std::string& url) {
    return resolve_endpoint({.environment = none, .files = files, .flags = {.endpoint_url = url}},
                            ec2_service, "r");
  };
  for (const std::string_view url :
       {"http://localhost:4566", "https://[::1]:1", "http://h/base/path"}) {
    EXPECT_EQ(endpoint(std::string{url})->value, url);
    EXPECT_EQ(endpoint(std::string{url} + "//")->value, url);
  }
  for (const std::string_view url :
       {"", "localhost:4566", "ftp://h", "http://", "http:///path", "http://:80", "http://h?q",
        "http://h#f", "http://user@h", "http://a b", "http://h\\"}) {
    const auto refused = endpoint(std::string{url});
    ASSERT_FALSE(refused) << url;
    EXPECT_EQ(refused.error().code, Errc::invalid_argument) << url;
  }
}

TEST(EndpointTest, NamesTheServicesSectionThatIsMissing) {
  const Environment none;
  const auto files = config("[default]\nservices = local\n");
  const auto missing = resolve_endpoint({.environment = none, .files = files}, ec2_service, "r");
  ASSERT_FALSE(missing);
  EXPECT_EQ(
      missing.error().message,
      "profile 'default' in /h/.aws/config names [services local], which is not in /h/.aws/config");
}

}  // namespace
}  // namespace runctl::aws
