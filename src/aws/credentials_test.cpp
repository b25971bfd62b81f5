#include "aws/credentials.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

constexpr std::string_view keys = "aws_access_key_id = ID\naws_secret_access_key = SECRET\n";

TEST(CredentialsTest, SayWhereTheyCameFrom) {
  const Environment none;
  const Environment both{{{"AWS_ACCESS_KEY_ID", "E"}, {"AWS_SECRET_ACCESS_KEY", "S"}}};
  const auto files =
      files_of("[default]\n" + std::string{keys}, "[profile x]\n" + std::string{keys});
  EXPECT_EQ(resolve_credentials({.environment = both, .files = files})->origin,
            "environment variable AWS_ACCESS_KEY_ID");
  EXPECT_EQ(resolve_credentials({.environment = none, .files = files})->origin,
            "profile 'default' in /h/.aws/credentials");
  EXPECT_EQ(
      resolve_credentials({.environment = none, .files = files, .flags = {.profile = "x"}})->origin,
      "profile 'x' in /h/.aws/config");
}

TEST(CredentialsTest, TakeTheProfileOfTheSettingsAfterTheEnvironment) {
  const auto files = files_of("[s]\n" + std::string{keys} + "[e]\n" + std::string{keys}, "");
  const AccountChoice settings{.profile = "s"};
  const Environment none;
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
  const auto no_secret = resolve_credentials({.environment = id, .files = files});
  ASSERT_FALSE(no_secret);
  EXPECT_EQ(no_secret.error().code, Errc::denied);
  EXPECT_EQ(no_secret.error().message,
            "the environment has AWS_ACCESS_KEY_ID but not AWS_SECRET_ACCESS_KEY");
  const Environment secret{{{"AWS_SECRET_ACCESS_KEY", "E"}}};
  const auto no_id = resolve_credentials({.environment = secret, .files = files});
  ASSERT_FALSE(no_id);
  EXPECT_EQ(no_id.error().message,
            "the environment has AWS_SECRET_ACCESS_KEY but not AWS_ACCESS_KEY_ID");
}

TEST(CredentialsTest, NameTheKeyThatAProfileLacks) {
  const Environment none;
  for (const std::string_view key : {"aws_access_key_id", "aws_secret_access_key"}) {
    const bool has_id = key == "aws_access_key_id";
    const auto files = files_of("[x]\n" + std::string{key} + " = HIDDEN\n", "");
    const auto half =
        resolve_credentials({.environment = none, .files = files, .flags = {.profile = "x"}});
    ASSERT_FALSE(half);
    EXPECT_EQ(half.error().code, Errc::denied);
    EXPECT_EQ(half.error().message, std::string{"profile 'x' in /h/.aws/credentials has no "} +
                                        (has_id ? "aws_secret_access_key" : "aws_access_key_id"));
  }
}

TEST(CredentialsTest, NameTheWayThatIsNotSupported) {
  const Environment none;
  for (const std::string_view key : {"credential_process", "login_session", "sso_account_id",
                                     "sso_role_name", "role_arn", "web_identity_token_file"}) {
    const auto files =
        files_of("", "[profile x]\n" + std::string{key} + " = something\n" + std::string{keys});
    const auto refused =
        resolve_credentials({.environment = none, .files = files, .flags = {.profile = "x"}});
    ASSERT_FALSE(refused) << key;
    EXPECT_EQ(refused.error().code, Errc::denied);
    EXPECT_EQ(refused.error().message, "profile 'x' in /h/.aws/config uses " + std::string{key} +
                                           ", which is not supported");
    EXPECT_THAT(refused.error().hint, HasSubstr("aws configure export-credentials"));
  }
}

TEST(CredentialsTest, RefuseWebIdentityOfTheEnvironmentUnlessAProfileIsAskedFor) {
  const auto files = files_of("[default]\n" + std::string{keys}, "");
  const Environment environment{{{"AWS_WEB_IDENTITY_TOKEN_FILE", "/t"}, {"AWS_ROLE_ARN", "arn"}}};
  const auto refused = resolve_credentials({.environment = environment, .files = files});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("AWS_WEB_IDENTITY_TOKEN_FILE"));
  EXPECT_TRUE(resolve_credentials(
      {.environment = environment, .files = files, .flags = {.profile = "default"}}));
}

TEST(CredentialsTest, ListWhatWasLookedAtWhenNothingIsFound) {
  const Environment container{{{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2"}}};
  ProfileFiles files = files_of("", "");
  files.config = {.path = "/h/.aws/config"};
  const auto nothing = resolve_credentials({.environment = container, .files = files});
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, Errc::denied);
  EXPECT_EQ(nothing.error().message, "no AWS credentials were found");
  for (const std::string_view part :
       {"AWS_ACCESS_KEY_ID", "profile 'default'", "/h/.aws/credentials and",
        "/h/.aws/config (not there)",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is set, but not supported", "aws configure",
        "--emulator"}) {
    EXPECT_THAT(nothing.error().hint, HasSubstr(part));
  }
}

TEST(CredentialsTest, HelpWithAProfileThatIsNotThere) {
  const Environment none;
  const auto files = files_of("[training]\n" + std::string{keys}, "");
  const auto missing =
      resolve_credentials({.environment = none, .files = files, .flags = {.profile = "trianing"}});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::invalid_argument);
  EXPECT_THAT(missing.error().message, HasSubstr("there is no profile 'trianing' (--profile)"));
  EXPECT_EQ(missing.error().hint, "Did you mean 'training'?");
}

TEST(CredentialsTest, KeepSecretsOutOfErrors) {
  const Environment none;
  const auto files = files_of("[x]\naws_secret_access_key = HIDDEN\n", "");
  const auto half =
      resolve_credentials({.environment = none, .files = files, .flags = {.profile = "x"}});
  ASSERT_FALSE(half);
  EXPECT_THAT(half.error().message + half.error().hint, Not(HasSubstr("HIDDEN")));
}

}  // namespace
}  // namespace runctl::aws
