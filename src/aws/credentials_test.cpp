#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/credentials/plan.hpp"

namespace runctl::aws {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ProfileFiles files_of(std::string_view credentials, std::string_view config) {
  return {.credentials =
              parse_profile_file(credentials, "/h/.aws/credentials", ProfileFileKind::credentials)
                  .value(),
          .config = parse_profile_file(config, "/h/.aws/config", ProfileFileKind::config).value()};
}

Environment without_a_machine() { return {{{"AWS_EC2_METADATA_DISABLED", "true"}}}; }

constexpr std::string_view keys = "aws_access_key_id = ID\naws_secret_access_key = SECRET\n";

TEST(CredentialsTest, SayWhereTheyCameFrom) {
  const Environment none = without_a_machine();
  const Environment both{{{"AWS_ACCESS_KEY_ID", "E"}, {"AWS_SECRET_ACCESS_KEY", "S"}}};
  const auto files =
      files_of("[default]\n" + std::string{keys}, "[profile x]\n" + std::string{keys});
  EXPECT_EQ(plan_credentials({.environment = both, .files = files})->origin,
            "environment variable AWS_ACCESS_KEY_ID");
  EXPECT_EQ(plan_credentials({.environment = none, .files = files})->origin,
            "profile 'default' in /h/.aws/credentials");
  EXPECT_EQ(
      plan_credentials({.environment = none, .files = files, .flags = {.profile = "x"}})->origin,
      "profile 'x' in /h/.aws/config");
}

TEST(CredentialsTest, TakeTheProfileOfTheSettingsAfterTheEnvironment) {
  const auto files = files_of("[s]\n" + std::string{keys} + "[e]\n" + std::string{keys}, "");
  const AccountChoice settings{.profile = "s"};
  const Environment none = without_a_machine();
  EXPECT_EQ(choose_profile({.environment = none, .files = files, .settings = settings}).name, "s");
  const Environment named{{{"AWS_PROFILE", "e"}, {"AWS_DEFAULT_PROFILE", "s"}}};
  const ProfileChoice choice =
      choose_profile({.environment = named, .files = files, .settings = settings});
  EXPECT_EQ(choice.name, "e");
  EXPECT_EQ(choice.origin, "environment variable AWS_PROFILE");
}

TEST(CredentialsTest, NameTheVariableThatIsMissing) {
  const auto files = files_of("[default]\n" + std::string{keys}, "");
  const Environment id{{{"AWS_ACCESS_KEY_ID", "E"}}};
  const auto no_secret = plan_credentials({.environment = id, .files = files});
  ASSERT_FALSE(no_secret);
  EXPECT_EQ(no_secret.error().code, Errc::denied);
  EXPECT_EQ(no_secret.error().message,
            "the environment has AWS_ACCESS_KEY_ID but not AWS_SECRET_ACCESS_KEY");
  const Environment secret{{{"AWS_SECRET_ACCESS_KEY", "E"}}};
  const auto no_id = plan_credentials({.environment = secret, .files = files});
  ASSERT_FALSE(no_id);
  EXPECT_EQ(no_id.error().message,
            "the environment has AWS_SECRET_ACCESS_KEY but not AWS_ACCESS_KEY_ID");
}

TEST(CredentialsTest, NameTheKeyThatAProfileLacks) {
  const Environment none = without_a_machine();
  for (const std::string_view key : {"aws_access_key_id", "aws_secret_access_key"}) {
    const bool has_id = key == "aws_access_key_id";
    const auto files = files_of("[x]\n" + std::string{key} + " = HIDDEN\n", "");
    const auto half =
        plan_credentials({.environment = none, .files = files, .flags = {.profile = "x"}});
    ASSERT_FALSE(half);
    EXPECT_EQ(half.error().code, Errc::denied);
    EXPECT_EQ(half.error().message, std::string{"profile 'x' in /h/.aws/credentials has no "} +
                                        (has_id ? "aws_secret_access_key" : "aws_access_key_id"));
  }
}

TEST(CredentialsTest, NameTheWayThatIsNotSupported) {
  const Environment none = without_a_machine();
  const auto files = files_of("", "[profile x]\nlogin_session = arn\n" + std::string{keys});
  const auto refused =
      plan_credentials({.environment = none, .files = files, .flags = {.profile = "x"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::denied);
  EXPECT_EQ(refused.error().message,
            "profile 'x' in /h/.aws/config uses login_session, which is not supported");
  EXPECT_THAT(refused.error().hint, HasSubstr("aws configure export-credentials"));
}

// Whoever can set the variable could otherwise have the container's credentials sent to them, or
// have us take theirs.
TEST(CredentialsTest, AskInTheClearOnlyWhereNobodyListens) {
  const auto files = files_of("", "");
  for (const std::string_view url :
       {"http://example.com/", "http://127.0.0.1.example.com/", "http://127.0.0.1@example.com/",
        "http://127.0.0.1:80@example.com/", "http://169.254.170.2.example.com/", "http://10.0.0.1/",
        "ftp://127.0.0.1/", "127.0.0.1", "http://", ""}) {
    Environment environment = without_a_machine();
    environment.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url;
    const auto refused = plan_credentials({.environment = environment, .files = files});
    EXPECT_FALSE(refused) << url;
  }
}

TEST(CredentialsTest, SayWhichProfilesCloseACircle) {
  const Environment none = without_a_machine();
  const auto files = files_of("",
                              "[profile a]\nregion = r\nrole_arn = 1\nsource_profile = b\n"
                              "[profile b]\nrole_arn = 2\nsource_profile = a\n");
  const auto circle =
      plan_credentials({.environment = none, .files = files, .flags = {.profile = "a"}});
  ASSERT_FALSE(circle);
  EXPECT_EQ(circle.error().code, Errc::invalid_argument);
  EXPECT_EQ(circle.error().message, "profile 'b' in /h/.aws/config closes a circle: a -> b -> a");
}

TEST(CredentialsTest, AskForRolesWhereAwsSaysAndNotWhereTheWorkIs) {
  const Environment none = without_a_machine();
  const auto files = files_of("[b]\n" + std::string{keys},
                              "[profile a]\nregion = eu-west-1\nrole_arn = arn\n"
                              "source_profile = b\nduration_seconds = 900\nmfa_serial = m\n");
  const auto plan = plan_credentials({.environment = none,
                                      .files = files,
                                      .flags = {.profile = "a", .endpoint_url = "http://elsewhere"},
                                      .settings = {.endpoint_url = "http://elsewhere"}});
  ASSERT_TRUE(plan);
  const auto& role = std::get<RoleToAssume>(plan->way);
  EXPECT_EQ(role.sts.endpoint, "https://sts.eu-west-1.amazonaws.com");
  EXPECT_EQ(role.duration_seconds, 900);
  EXPECT_EQ(role.mfa_serial, "m");
  EXPECT_EQ(role.source->origin, "profile 'b' in /h/.aws/credentials");
}

TEST(CredentialsTest, ListWhatWasLookedAtWhenNothingIsFound) {
  const Environment none = without_a_machine();
  ProfileFiles files = files_of("", "");
  files.config = {.path = "/h/.aws/config"};
  const auto nothing = plan_credentials({.environment = none, .files = files});
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, Errc::denied);
  EXPECT_EQ(nothing.error().message, "no AWS credentials were found");
  for (const std::string_view part :
       {"AWS_ACCESS_KEY_ID", "profile 'default'", "/h/.aws/credentials and",
        "/h/.aws/config (not there)", "the machine's own role", "aws configure", "--emulator"}) {
    EXPECT_THAT(nothing.error().hint, HasSubstr(part));
  }
}

TEST(CredentialsTest, HelpWithAProfileThatIsNotThere) {
  const Environment none = without_a_machine();
  const auto files = files_of("[training]\n" + std::string{keys}, "");
  const auto missing =
      plan_credentials({.environment = none, .files = files, .flags = {.profile = "trianing"}});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::invalid_argument);
  EXPECT_THAT(missing.error().message, HasSubstr("there is no profile 'trianing' (--profile)"));
  EXPECT_EQ(missing.error().hint, "Did you mean 'training'?");
}

TEST(CredentialsTest, KeepSecretsOutOfErrors) {
  const Environment none = without_a_machine();
  const auto files = files_of("[x]\naws_secret_access_key = HIDDEN\n", "");
  const auto half =
      plan_credentials({.environment = none, .files = files, .flags = {.profile = "x"}});
  ASSERT_FALSE(half);
  EXPECT_THAT(half.error().message + half.error().hint, Not(HasSubstr("HIDDEN")));
}

}  // namespace
}  // namespace runctl::aws
