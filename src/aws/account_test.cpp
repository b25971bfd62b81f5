// Credentials, region and endpoint against what botocore takes
// (tests/data/aws_account/generate.py).
#include <map>
#include <string>
#include <string_view>
#include <variant>

#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include "aws/credentials/plan.hpp"
#include "aws/endpoint.hpp"
#include "base/json.hpp"
#include "io/file.hpp"

namespace runctl::aws {
namespace {

const boost::json::value& cases() {
  static const boost::json::value all =
      parse_json(read_file(RUNCTL_SOURCE_DIR "/tests/data/aws_account/cases.json").value()).value();
  return all;
}

// One case's sources; the environment and the files that they borrow.
struct Given {
  Environment environment = {};
  ProfileFiles files = {};
  AccountChoice flags = {};

  [[nodiscard]] AccountSources sources() const {
    return {.environment = environment, .files = files, .flags = flags};
  }
};

Result<ProfileFile> parsed(const boost::json::value& json, std::string_view name,
                           ProfileFileKind kind) {
  const std::string text = string_at(json, name).value();
  if (text.empty()) return ProfileFile{};
  return parse_profile_file(text, "/home/x/.aws/" + std::string{name}, kind);
}

Result<Given> given_by(const boost::json::value& json) {
  Given given;
  given.environment.variables.emplace("AWS_EC2_METADATA_DISABLED",
                                      "true");  // as generate.py has it
  for (const auto& [name, value] : *object_at(json, "env")) {
    given.environment.variables.insert_or_assign(std::string{name}, std::string{value.as_string()});
  }
  given.flags.profile = string_at(json, "profile");
  RUNCTL_TRY_LET(given.files.credentials,
                 parsed(json, "credentials", ProfileFileKind::credentials));
  RUNCTL_TRY_LET(given.files.config, parsed(json, "config", ProfileFileKind::config));
  return given;
}

// "id/secret/token", "none" or "error", of both sides.
std::string who_for_botocore(const boost::json::value& json) {
  const auto& found = json.at("found");
  if (found.is_null()) return "none";
  if (found.is_string()) return "error";
  return string_at(found, "id").value() + '/' + string_at(found, "secret").value() + '/' +
         string_at(found, "token").value_or("");
}

std::string who_for_us(const boost::json::value& json) {
  const auto given = given_by(json);
  if (!given) return "error";
  const auto plan = plan_credentials(given->sources());
  if (!plan) return plan.error().message == "no AWS credentials were found" ? "none" : "error";
  // What has to be asked for is not there for botocore either: its cases have nobody who answers.
  const auto* const found = std::get_if<Credentials>(&plan->way);
  if (found == nullptr) return "error";
  return found->access_key_id + '/' + std::string{found->secret_access_key.reveal()} + '/' +
         (found->session_token ? std::string{found->session_token->reveal()} : "");
}

// botocore's name of each way.
std::string way_in_botocores_words(const CredentialPlan& plan) {
  struct Name {
    std::string operator()(const Credentials& keys) const {
      if (keys.origin.starts_with("environment")) return "env";
      return keys.origin.ends_with("credentials") ? "shared-credentials-file" : "config-file";
    }
    std::string operator()(const CredentialProcess&) const { return "custom-process"; }
    std::string operator()(const RoleToAssume&) const { return "assume-role"; }
    std::string operator()(const WebIdentityRole&) const { return "assume-role-with-web-identity"; }
    std::string operator()(const SsoRole&) const { return "sso"; }
    std::string operator()(const ContainerRole&) const { return "container-role"; }
    std::string operator()(const InstanceRole&) const { return "iam-role"; }
  };
  return std::visit(Name{}, plan.way);
}

std::string way_for_us(const boost::json::value& json) {
  const auto given = given_by(json);
  if (!given) return "error";
  const auto plan = plan_credentials(given->sources());
  if (plan) return way_in_botocores_words(*plan);
  return plan.error().message == "no AWS credentials were found" ? "none" : "error";
}

// Where we differ on purpose.
const std::map<std::string_view, std::string_view> ours_alone{
    // A variable that is set but empty counts as unset, as it does for every other one.
    {"empty AWS_PROFILE", "dID/dSECRET/"},
    // botocore passes over a secret without id in silence.
    {"ini: indented more than the key above", "error"},
    // botocore drops the wish without a word.
    {"dual stack and an endpoint", "error"},
    {"FIPS and an endpoint", "error"},
};

TEST(AccountTest, TakesTheCredentialsThatBotocoreTakes) {
  EXPECT_GE(array_at(cases(), "who")->size(), 60U);
  for (const auto& json : *array_at(cases(), "who")) {
    const std::string name = string_at(json, "name").value();
    const auto different = ours_alone.find(name);
    const std::string expected =
        different == ours_alone.end() ? who_for_botocore(json) : std::string{different->second};
    EXPECT_EQ(who_for_us(json), expected) << name;
    if (different != ours_alone.end()) {
      EXPECT_NE(who_for_botocore(json), expected) << name << " differs no more";
    }
  }
}

TEST(AccountTest, TakesTheRegionAndEndpointThatBotocoreTakes) {
  EXPECT_GE(array_at(cases(), "where")->size(), 20U);
  for (const auto& json : *array_at(cases(), "where")) {
    const std::string name = string_at(json, "name").value();
    const auto given = given_by(json);
    ASSERT_TRUE(given) << name;
    const auto region = resolve_region(given->sources());
    ASSERT_TRUE(region) << name << ": " << region.error().message;
    EXPECT_EQ(region->value, string_at(json, "region")) << name;
    const auto endpoint = resolve_endpoint(given->sources(), sts_service, region->value);
    const auto different = ours_alone.find(name);
    EXPECT_EQ(endpoint ? endpoint->value : "error",
              different == ours_alone.end() ? string_at(json, "sts").value() : different->second)
        << name;
  }
}

TEST(AccountTest, GetsCredentialsInTheWayThatBotocoreGoes) {
  EXPECT_GE(array_at(cases(), "way")->size(), 40U);
  for (const auto& json : *array_at(cases(), "way")) {
    EXPECT_EQ(way_for_us(json), string_at(json, "way").value_or("none"))
        << string_at(json, "name").value();
  }
}

}  // namespace
}  // namespace runctl::aws
