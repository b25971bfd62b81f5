#include "aws/credentials/plan.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "aws/endpoint.hpp"
#include "base/text.hpp"

namespace runctl::aws {
namespace {

std::unexpected<Error> fail_with_hint(Errc code, std::string message, std::string hint) {
  auto failed = fail(code, std::move(message));
  failed.error().hint = std::move(hint);
  return failed;
}

// Nothing when this way is not the one.
using MaybePlan = Result<std::optional<CredentialPlan>>;

std::optional<std::string> first_of(const Environment& environment, std::string_view name,
                                    std::string_view older_name) {
  auto value = environment.get(name);
  return value ? value : environment.get(older_name);
}

MaybePlan from_environment(const Environment& environment) {
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
  std::string origin = found.origin;
  return CredentialPlan{.way = std::move(found), .origin = std::move(origin)};
}

const ProfileSection* section_of(const ProfileFile& file, const std::string& profile) {
  const auto found = file.profiles.find(profile);
  return found == file.profiles.end() ? nullptr : &found->second;
}

std::string value_of(const ProfileSection& section, std::string_view key) {
  const auto found = section.find(key);
  return found == section.end() ? "" : found->second.value;
}

MaybePlan keys_of_file(const ProfileFile& file, const std::string& profile) {
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
  std::string origin = fmt::format("profile '{}' in {}", profile, file.path);
  Credentials found{.access_key_id = std::move(id),
                    .secret_access_key = Secret{std::move(secret)},
                    .origin = origin};
  std::string token = value_of(*section, "aws_session_token");
  if (token.empty()) token = value_of(*section, "aws_security_token");
  if (!token.empty()) found.session_token = Secret{std::move(token)};
  return CredentialPlan{.way = std::move(found), .origin = std::move(origin)};
}

// One profile, of both files together.
struct Profile {
  const AccountSources& sources;
  std::string name;

  [[nodiscard]] std::optional<std::string> get(std::string_view key) const {
    const auto found = find_setting(sources.files, name, key);
    if (!found || found->setting.value.empty()) return std::nullopt;
    return found->setting.value;
  }
  [[nodiscard]] bool is_there() const {
    return section_of(sources.files.credentials, name) != nullptr ||
           section_of(sources.files.config, name) != nullptr;
  }
  [[nodiscard]] bool has_keys() const {
    return get("aws_access_key_id") || get("aws_secret_access_key");
  }
  // Web identity is another way to assume a role, and comes after this one.
  [[nodiscard]] bool assumes_role() const {
    return get("role_arn") && !get("web_identity_token_file");
  }
  // "profile 'x' in /path", the file being the one that has `key`.
  [[nodiscard]] std::string with(std::string_view key) const {
    const auto found = find_setting(sources.files, name, key);
    return fmt::format("profile '{}' in {}", name,
                       found ? found->file.path : sources.files.config.path);
  }
  [[nodiscard]] std::unexpected<Error> wrong(std::string_view key, std::string_view what) const {
    return fail(Errc::invalid_argument, fmt::format("{} {}", with(key), what));
  }
};

// Whether what the environment says of roles counts: not for a profile that was asked for.
enum class UseEnvironment : bool { no, yes };

MaybePlan plan_profile(const Profile& profile, UseEnvironment use_environment);

// AWS_CONTAINER_CREDENTIALS_*: what ECS and EKS set.
// Source: botocore 1.43, ContainerProvider and ContainerMetadataFetcher.
bool may_be_asked_in_the_clear(std::string_view url) {
  std::string_view host = url.substr(std::min(url.find("://") + 3, url.size()));
  host = host.substr(0, host.find_first_of("/?#\\"));
  if (host.contains('@')) return false;  // what stands before it is not the host
  host = host.substr(0, host.starts_with('[') ? host.find(']') + 1 : host.find(':'));
  const bool is_number = host.find_first_not_of("0123456789.") == std::string_view::npos;
  return host == "localhost" || host == "[::1]" || host == "169.254.170.2" ||
         host == "169.254.170.23" || host == "[fd00:ec2::23]" ||
         (is_number && host.starts_with("127."));
}

MaybePlan from_container(const Environment& environment) {
  const auto relative = environment.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  const auto full = environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (!relative && !full) return std::nullopt;
  const std::string_view name =
      relative ? "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" : "AWS_CONTAINER_CREDENTIALS_FULL_URI";
  ContainerRole role{.url = relative ? "http://169.254.170.2" + *relative : *full};
  const bool is_url = role.url.starts_with("http://") || role.url.starts_with("https://");
  if (!is_url || (!role.url.starts_with("https://") && !may_be_asked_in_the_clear(role.url))) {
    return fail_with_hint(
        Errc::invalid_argument,
        fmt::format("{} is not https and not an address of this machine or its container service",
                    name),
        "Credentials are asked for in the clear from loopback and link-local addresses only.");
  }
  role.token_file = environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").value_or("");
  if (auto token = environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN");
      token && role.token_file.empty()) {
    role.token = Secret{*std::move(token)};
  }
  return CredentialPlan{.way = std::move(role),
                        .origin = fmt::format("environment variable {}", name)};
}

std::string path_in_words(const ProfileFile& file) {
  if (file.path.empty()) return "no file (HOME is not set)";
  return file.found == FileFound::yes ? file.path : file.path + " (not there)";
}

std::unexpected<Error> nothing_found(const AccountSources& sources) {
  return fail_with_hint(
      Errc::denied, "no AWS credentials were found",
      fmt::format("Looked at: {}profile '{}' in {} and {}, the container's and the machine's own "
                  "role. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run `aws configure`; "
                  "--emulator needs none.",
                  sources.flags.profile ? "" : "the environment (AWS_ACCESS_KEY_ID), ",
                  choose_profile(sources).name, path_in_words(sources.files.credentials),
                  path_in_words(sources.files.config)));
}

// The last resort.
Result<CredentialPlan> from_machine(const AccountSources& sources) {
  auto nothing = nothing_found(sources);
  auto endpoint = metadata_endpoint(sources);
  if (!endpoint) return nothing;
  return CredentialPlan{.way = InstanceRole{.endpoint = *std::move(endpoint),
                                            .otherwise = std::move(nothing).error()},
                        .origin = "the machine's role"};
}

// Who gives credentials is asked where AWS's own variables and files say: --endpoint-url and the
// settings are about the cloud that is worked on.
Result<std::string> endpoint_of(const AccountSources& sources, const Service& service,
                                std::string_view region) {
  AccountChoice flags = sources.flags;
  AccountChoice settings = sources.settings;
  flags.endpoint_url.reset();
  settings.endpoint_url.reset();
  RUNCTL_TRY_LET(auto resolved, resolve_endpoint({.environment = sources.environment,
                                                  .files = sources.files,
                                                  .flags = std::move(flags),
                                                  .settings = std::move(settings)},
                                                 service, region));
  return std::move(resolved.value);
}

Result<StsPlace> sts_place(const AccountSources& sources) {
  RUNCTL_TRY_LET(auto region, resolve_region(sources));
  RUNCTL_TRY_LET(auto endpoint, endpoint_of(sources, sts_service, region.value));
  return StsPlace{.region = std::move(region.value), .endpoint = std::move(endpoint)};
}

// Source: botocore 1.43, CanonicalNameCredentialSourcer.
MaybePlan from_credential_source(const Profile& profile, const std::string& named) {
  const AccountSources& sources = profile.sources;
  if (lower(named) == "environment") return from_environment(sources.environment);
  if (lower(named) == "ecscontainer") return from_container(sources.environment);
  if (lower(named) == "ec2instancemetadata") {
    RUNCTL_TRY_LET(auto plan, from_machine(sources));
    return plan;
  }
  return profile.wrong("credential_source",
                       fmt::format("names no credential_source: '{}' (there are Environment, "
                                   "Ec2InstanceMetadata and EcsContainer)",
                                   named));
}

// `visited`: the profiles whose roles wait for this one's.
Result<CredentialPlan> plan_role(const Profile& profile, std::vector<std::string> visited);

MaybePlan from_source_profile(const Profile& profile, const std::string& named,
                              std::vector<std::string> visited) {
  const Profile source{.sources = profile.sources, .name = named};
  if (!source.is_there()) {
    return profile.wrong("source_profile",
                         fmt::format("names a source_profile that is nowhere: '{}'", named));
  }
  // A profile may name itself for its own keys.
  if (source.has_keys() || !source.assumes_role()) {
    return plan_profile(source, UseEnvironment::no);
  }
  if (std::ranges::find(visited, named) != visited.end()) {
    return profile.wrong("source_profile",
                         fmt::format("closes a circle: {} -> {}", join(visited, " -> "), named));
  }
  visited.push_back(named);
  RUNCTL_TRY_LET(auto plan, plan_role(source, std::move(visited)));
  return plan;
}

std::optional<int> seconds_of(const std::optional<std::string>& text) {
  int value = 0;
  if (!text) return std::nullopt;
  const char* const end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

Result<CredentialPlan> plan_role(const Profile& profile, std::vector<std::string> visited) {
  const auto source_profile = profile.get("source_profile");
  const auto credential_source = profile.get("credential_source");
  if (source_profile && credential_source) {
    return profile.wrong("role_arn", "has both source_profile and credential_source");
  }
  if (!source_profile && !credential_source) {
    return profile.wrong("role_arn",
                         "has a role_arn, but neither source_profile nor "
                         "credential_source to assume it with");
  }
  RUNCTL_TRY_LET(auto source,
                 source_profile ? from_source_profile(profile, *source_profile, std::move(visited))
                                : from_credential_source(profile, *credential_source));
  if (!source) {
    return profile.wrong("role_arn",
                         fmt::format("assumes its role with '{}', which has no "
                                     "credentials",
                                     source_profile ? *source_profile : *credential_source));
  }
  RUNCTL_TRY_LET(auto sts, sts_place(profile.sources));
  return CredentialPlan{
      .way = RoleToAssume{.sts = std::move(sts),
                          .role_arn = profile.get("role_arn").value_or(""),
                          .session_name = profile.get("role_session_name"),
                          .external_id = profile.get("external_id"),
                          .mfa_serial = profile.get("mfa_serial"),
                          .duration_seconds = seconds_of(profile.get("duration_seconds")),
                          .source = std::make_shared<const CredentialPlan>(*std::move(source))},
      .origin = fmt::format("role of {}", profile.with("role_arn"))};
}

MaybePlan from_web_identity(const Profile& profile, UseEnvironment use_environment) {
  const auto either = [&](std::string_view variable, std::string_view key) {
    auto value = use_environment == UseEnvironment::yes ? profile.sources.environment.get(variable)
                                                        : std::nullopt;
    return value ? value : profile.get(key);
  };
  auto token_file = either("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file");
  if (!token_file) return std::nullopt;
  auto role_arn = either("AWS_ROLE_ARN", "role_arn");
  if (!role_arn) {
    return fail_with_hint(Errc::invalid_argument,
                          fmt::format("a web identity token is named ({}), but no role to assume "
                                      "with it",
                                      *token_file),
                          "Set AWS_ROLE_ARN, or role_arn in the profile.");
  }
  RUNCTL_TRY_LET(auto sts, sts_place(profile.sources));
  const bool of_environment = use_environment == UseEnvironment::yes &&
                              profile.sources.environment.get("AWS_WEB_IDENTITY_TOKEN_FILE");
  return CredentialPlan{
      .way = WebIdentityRole{.sts = std::move(sts),
                             .token_file = *std::move(token_file),
                             .role_arn = *std::move(role_arn),
                             .session_name = either("AWS_ROLE_SESSION_NAME", "role_session_name")},
      .origin = of_environment
                    ? "environment variable AWS_WEB_IDENTITY_TOKEN_FILE"
                    : fmt::format("web identity of {}", profile.with("web_identity_token_file"))};
}

// The profile's setting, or its session's; an error when both say it and differ.
Result<std::string> sso_setting(const Profile& profile, const ProfileSection* session,
                                std::string_view key) {
  const auto own = profile.get(key);
  const std::string shared = session == nullptr ? "" : value_of(*session, key);
  if (own && !shared.empty() && *own != shared) {
    return profile.wrong(key, fmt::format("and its sso-session differ about {}", key));
  }
  if (!own && shared.empty()) return profile.wrong("sso_account_id", fmt::format("has no {}", key));
  return own ? *own : shared;
}

MaybePlan from_sso(const Profile& profile) {
  if (!profile.get("sso_account_id") && !profile.get("sso_role_name")) return std::nullopt;
  const auto& sessions = profile.sources.files.config.sso_sessions;
  const ProfileSection* session = nullptr;
  const auto named = profile.get("sso_session");
  if (named) {
    const auto found = sessions.find(*named);
    if (found == sessions.end()) {
      return profile.wrong("sso_session",
                           fmt::format("names [sso-session {}], which is nowhere", *named));
    }
    session = &found->second;
  }
  SsoRole role{.session = named};
  RUNCTL_TRY_LET(role.account_id, sso_setting(profile, session, "sso_account_id"));
  RUNCTL_TRY_LET(role.role_name, sso_setting(profile, session, "sso_role_name"));
  RUNCTL_TRY_LET(role.start_url, sso_setting(profile, session, "sso_start_url"));
  RUNCTL_TRY_LET(role.region, sso_setting(profile, session, "sso_region"));
  RUNCTL_TRY_LET(role.portal_endpoint, endpoint_of(profile.sources, sso_service, role.region));
  RUNCTL_TRY_LET(role.oidc_endpoint, endpoint_of(profile.sources, sso_oidc_service, role.region));
  return CredentialPlan{
      .way = std::move(role),
      .origin = fmt::format("IAM Identity Center, {}", profile.with("sso_account_id"))};
}

std::optional<CredentialPlan> from_process(const Profile& profile) {
  auto command = profile.get("credential_process");
  if (!command) return std::nullopt;
  return CredentialPlan{
      .way = CredentialProcess{.command = *std::move(command)},
      .origin = fmt::format("credential_process of {}", profile.with("credential_process"))};
}

// A new way to log in, bound to a key that only AWS's own tools hold.
Result<void> refuse_login(const Profile& profile) {
  if (!profile.get("login_session")) return {};
  return fail_with_hint(
      Errc::denied,
      fmt::format("{} uses login_session, which is not supported", profile.with("login_session")),
      "Put keys into the environment instead: eval \"$(aws configure "
      "export-credentials --format env)\".");
}

// The ways that a profile can have without assuming a role from another one.
MaybePlan plan_profile(const Profile& profile, UseEnvironment use_environment) {
  RUNCTL_TRY_LET(auto web_identity, from_web_identity(profile, use_environment));
  if (web_identity) return web_identity;
  RUNCTL_TRY_LET(auto sso, from_sso(profile));
  if (sso) return sso;
  RUNCTL_TRY_LET(auto shared, keys_of_file(profile.sources.files.credentials, profile.name));
  if (shared) return shared;
  RUNCTL_TRY(refuse_login(profile));
  if (auto process = from_process(profile)) return process;
  return keys_of_file(profile.sources.files.config, profile.name);
}

std::vector<std::string_view> names_of_profiles(const ProfileFiles& files) {
  std::vector<std::string_view> names;
  for (const ProfileFile* file : {&files.credentials, &files.config}) {
    for (const auto& [name, section] : file->profiles) names.emplace_back(name);
  }
  return names;
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

}  // namespace

std::optional<std::string> metadata_endpoint(const AccountSources& sources) {
  const Profile profile{.sources = sources, .name = choose_profile(sources).name};
  const auto disabled = sources.environment.get("AWS_EC2_METADATA_DISABLED");
  if (disabled && lower(*disabled) == "true") return std::nullopt;
  const auto either = [&](std::string_view variable, std::string_view key) {
    auto value = sources.environment.get(variable);
    return value ? value : profile.get(key);
  };
  std::string endpoint = "http://169.254.169.254";
  const auto mode =
      either("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ec2_metadata_service_endpoint_mode");
  if (mode && lower(*mode) == "ipv6") endpoint = "http://[fd00:ec2::254]";
  if (auto named = either("AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint")) {
    endpoint = *std::move(named);
  }
  while (endpoint.ends_with('/')) endpoint.pop_back();
  return endpoint;
}

Result<CredentialPlan> plan_credentials(const AccountSources& sources) {
  const UseEnvironment use_environment =
      sources.flags.profile ? UseEnvironment::no : UseEnvironment::yes;
  if (use_environment == UseEnvironment::yes) {
    RUNCTL_TRY_LET(auto found, from_environment(sources.environment));
    if (found) return *std::move(found);
  }
  const ProfileChoice choice = choose_profile(sources);
  const Profile profile{.sources = sources, .name = choice.name};
  if (!profile.is_there() && !choice.origin.empty()) return no_such_profile(sources.files, choice);
  if (profile.assumes_role()) return plan_role(profile, {profile.name});
  RUNCTL_TRY_LET(auto own, plan_profile(profile, use_environment));
  if (own) return *std::move(own);
  RUNCTL_TRY_LET(auto container, from_container(sources.environment));
  if (container) return *std::move(container);
  return from_machine(sources);
}

}  // namespace runctl::aws
