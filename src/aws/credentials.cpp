#include "aws/credentials.hpp"

#include <array>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"

namespace runctl::aws {
namespace {

std::unexpected<Error> fail_with_hint(Errc code, std::string message, std::string hint) {
  auto failed = fail(code, std::move(message));
  failed.error().hint = std::move(hint);
  return failed;
}

constexpr std::string_view export_keys =
    "Put keys into the environment instead: eval \"$(aws configure export-credentials --format "
    "env)\".";

std::optional<std::string> first_of(const Environment& environment, std::string_view name,
                                    std::string_view older_name) {
  auto value = environment.get(name);
  return value ? value : environment.get(older_name);
}

// Nothing when the environment holds no key at all.
Result<std::optional<Credentials>> from_environment(const Environment& environment) {
  auto id = environment.get("AWS_ACCESS_KEY_ID");
  auto secret = environment.get("AWS_SECRET_ACCESS_KEY");
  if (!id && !secret) return std::nullopt;
  if (!id || !secret) {
    // AWS's tools pass over a secret without an id; to sign as somebody else unasked is worse.
    return fail_with_hint(Errc::denied,
                          fmt::format("the environment has {} but not {}",
                                      id ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
                                      id ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID"),
                          "Set both, or unset both to use a profile.");
  }
  Credentials found{.access_key_id = *std::move(id),
                    .secret_access_key = Secret{*std::move(secret)},
                    .origin = "environment variable AWS_ACCESS_KEY_ID"};
  if (auto token = first_of(environment, "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")) {
    found.session_token = Secret{*std::move(token)};
  }
  return found;
}

const ProfileSection* section_of(const ProfileFile& file, const std::string& profile) {
  const auto found = file.profiles.find(profile);
  return found == file.profiles.end() ? nullptr : &found->second;
}

std::string value_of(const ProfileSection& section, std::string_view key) {
  const auto found = section.find(key);
  return found == section.end() ? "" : found->second.value;
}

// Nothing when this file's profile holds no key at all.
Result<std::optional<Credentials>> from_file(const ProfileFile& file, const std::string& profile) {
  const ProfileSection* section = section_of(file, profile);
  if (section == nullptr) return std::nullopt;
  std::string id = value_of(*section, "aws_access_key_id");
  std::string secret = value_of(*section, "aws_secret_access_key");
  if (id.empty() && secret.empty()) return std::nullopt;
  if (id.empty() || secret.empty()) {
    return fail_with_hint(
        Errc::denied,
        fmt::format("profile '{}' in {} has no {}", profile, file.path,
                    id.empty() ? "aws_access_key_id" : "aws_secret_access_key"),
        fmt::format("Add it, or set it with: aws configure --profile {}", shell_quote(profile)));
  }
  Credentials found{.access_key_id = std::move(id),
                    .secret_access_key = Secret{std::move(secret)},
                    .origin = fmt::format("profile '{}' in {}", profile, file.path)};
  std::string token = value_of(*section, "aws_session_token");
  if (token.empty()) token = value_of(*section, "aws_security_token");
  if (!token.empty()) found.session_token = Secret{std::move(token)};
  return found;
}

// Refuses a profile that says to get credentials in a way that would have come before the next one.
Result<void> refuse_unsupported(const ProfileFiles& files, const std::string& profile,
                                std::span<const std::string_view> keys) {
  for (const std::string_view key : keys) {
    const auto found = find_setting(files, profile, key);
    if (!found || found->setting.value.empty()) continue;
    return fail_with_hint(Errc::denied,
                          fmt::format("profile '{}' in {} uses {}, which is not supported", profile,
                                      found->file.path, key),
                          std::string{export_keys});
  }
  return {};
}

// Source: botocore 1.43 credentials.py: assumed role, web identity and SSO come before the
// credentials file's keys, login and process between them and the config file's. An sso_session
// alone is for bearer tokens and does not count.
constexpr std::array<std::string_view, 4> before_credentials_file{
    "role_arn", "web_identity_token_file", "sso_account_id", "sso_role_name"};
constexpr std::array<std::string_view, 2> before_config_file{"login_session", "credential_process"};

std::vector<std::string_view> names_of_profiles(const ProfileFiles& files) {
  std::vector<std::string_view> names;
  for (const ProfileFile* file : {&files.credentials, &files.config}) {
    for (const auto& [name, section] : file->profiles) names.emplace_back(name);
  }
  return names;
}

std::string path_in_words(const ProfileFile& file) {
  if (file.path.empty()) return "no file (HOME is not set)";
  return file.found == FileFound::yes ? file.path : file.path + " (not there)";
}

std::unexpected<Error> no_such_profile(const ProfileFiles& files, const ProfileChoice& choice) {
  const std::string_view near = nearest(choice.name, names_of_profiles(files));
  return fail_with_hint(
      Errc::invalid_argument,
      fmt::format("there is no profile '{}' ({}) in {} or {}", choice.name, choice.origin,
                  path_in_words(files.credentials), path_in_words(files.config)),
      near.empty()
          ? fmt::format("Make it with: aws configure --profile {}", shell_quote(choice.name))
          : fmt::format("Did you mean '{}'?", near));
}

std::unexpected<Error> nothing_found(const AccountSources& sources, const ProfileChoice& choice) {
  std::string also;
  for (const std::string_view name :
       {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"}) {
    if (sources.environment.get(name)) also = fmt::format(" {} is set, but not supported.", name);
  }
  return fail_with_hint(
      Errc::denied, "no AWS credentials were found",
      fmt::format("Looked at: {}profile '{}' in {} and {}.{} Set AWS_ACCESS_KEY_ID and "
                  "AWS_SECRET_ACCESS_KEY, or run `aws configure`; --emulator needs none.",
                  sources.flags.profile ? "" : "the environment (AWS_ACCESS_KEY_ID), ", choice.name,
                  path_in_words(sources.files.credentials), path_in_words(sources.files.config),
                  also));
}

Result<Credentials> from_profile(const AccountSources& sources) {
  const ProfileChoice choice = choose_profile(sources);
  const ProfileFiles& files = sources.files;
  const bool is_there = section_of(files.credentials, choice.name) != nullptr ||
                        section_of(files.config, choice.name) != nullptr;
  if (!is_there && !choice.origin.empty()) return no_such_profile(files, choice);

  RUNCTL_TRY(refuse_unsupported(files, choice.name, before_credentials_file));
  RUNCTL_TRY_LET(auto shared, from_file(files.credentials, choice.name));
  if (shared) return *std::move(shared);
  RUNCTL_TRY(refuse_unsupported(files, choice.name, before_config_file));
  RUNCTL_TRY_LET(auto config, from_file(files.config, choice.name));
  if (config) return *std::move(config);
  return nothing_found(sources, choice);
}

}  // namespace

ProfileChoice choose_profile(const AccountSources& sources) {
  if (sources.flags.profile) return {.name = *sources.flags.profile, .origin = "--profile"};
  for (const std::string_view name : {"AWS_PROFILE", "AWS_DEFAULT_PROFILE"}) {
    if (auto value = sources.environment.get(name)) {
      return {.name = *std::move(value), .origin = fmt::format("environment variable {}", name)};
    }
  }
  if (sources.settings.profile) {
    return {.name = *sources.settings.profile, .origin = "runctl's configuration"};
  }
  return {};
}

Result<Credentials> resolve_credentials(const AccountSources& sources) {
  if (!sources.flags.profile) {
    RUNCTL_TRY_LET(auto found, from_environment(sources.environment));
    if (found) return *std::move(found);
    if (sources.environment.get("AWS_WEB_IDENTITY_TOKEN_FILE")) {
      return fail_with_hint(Errc::denied,
                            "the environment's AWS_WEB_IDENTITY_TOKEN_FILE asks for web identity, "
                            "which is not supported",
                            std::string{export_keys});
    }
  }
  return from_profile(sources);
}

}  // namespace runctl::aws
