#include "aws/credentials/fetch.hpp"

#include <type_traits>
#include <utility>

#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "aws/credentials/metadata.hpp"
#include "aws/credentials/record.hpp"
#include "aws/credentials/session_cache.hpp"
#include "aws/credentials/sso.hpp"
#include "aws/sts/shapes.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "io/file.hpp"

namespace runctl::aws {
namespace {

// One fetch, with all that it may use.
struct Fetch {
  const CredentialServices& services;
  const CallOptions& options;

  Result<Credentials> operator()(const Credentials& keys) const { return keys; }
  Result<Credentials> operator()(const CredentialProcess& process) const;
  Result<Credentials> operator()(const RoleToAssume& role) const;
  Result<Credentials> operator()(const WebIdentityRole& role) const;
  Result<Credentials> operator()(const SsoRole& role) const {
    return sso_credentials(role, services, options);
  }
  Result<Credentials> operator()(const ContainerRole& role) const {
    return container_credentials(role, services, options);
  }
  Result<Credentials> operator()(const InstanceRole& role) const {
    return instance_credentials(role, services, options);
  }

 private:
  [[nodiscard]] Client sts(const StsPlace& place, Credentials credentials) const {
    return {services.http,
            services.clock,
            services.random,
            services.log,
            {.region = place.region,
             .credentials = std::move(credentials),
             .ec2_endpoint = {},
             .ssm_endpoint = {},
             .sts_endpoint = place.endpoint}};
  }
  [[nodiscard]] std::string session_name(const std::optional<std::string>& wanted) const {
    const auto now = std::chrono::floor<std::chrono::seconds>(services.clock.now());
    return wanted.value_or(fmt::format("runctl-{}", now.time_since_epoch().count()));
  }
};

Credentials from_session(sts::SessionCredentials session) {
  return {.access_key_id = std::move(session.access_key_id),
          .secret_access_key = Secret{std::move(session.secret_access_key)},
          .session_token = Secret{std::move(session.session_token)},
          .expires = session.expiration};
}

// Runs in a shell, as AWS's SDKs for Go, Rust and Java do. It may ask a browser or a key for leave,
// so it has a minute, as with the first of them.
Result<Credentials> Fetch::operator()(const CredentialProcess& process) const {
  ProcessSpec spec{.argv = {"/bin/sh", "-c", process.command}};
  for (const auto& [name, value] : services.environment.variables) {
    spec.environment.push_back(fmt::format("{}={}", name, value));
  }
  const auto deadline =
      std::min(options.deadline, services.clock.ticks() + std::chrono::minutes{1});
  RUNCTL_TRY_LET(const auto outcome, services.process.run(spec, deadline, options.stop));
  if (outcome.exit_status != 0) {
    auto failed =
        fail(Errc::denied,
             outcome.exit_status
                 ? fmt::format("credential_process ended with status {}", *outcome.exit_status)
                 : fmt::format("credential_process was ended by signal {}", outcome.signal));
    for (const std::string_view line : split(trim(outcome.err), '\n')) {
      if (!line.empty()) failed.error().details.emplace_back(line);
    }
    failed.error().hint = fmt::format("It was run as: {}", process.command);
    return failed;
  }
  // What it printed is a secret, or should have been one: it is not shown.
  const auto json = parse_json(outcome.out);
  if (!json) return fail(Errc::denied, "credential_process did not print JSON");
  if (integer_at(*json, "Version") != 1) {
    return fail(Errc::denied, "credential_process printed no \"Version\": 1");
  }
  RUNCTL_TRY_LET(auto found,
                 credentials_from(*json, {.token = "SessionToken"}, "credential_process"));
  if (found.expires && *found.expires <= services.clock.now()) {
    return fail(Errc::denied, fmt::format("credential_process gave credentials that ended at {}",
                                          iso8601(*found.expires)));
  }
  return found;
}

// The key of the AWS CLI's cache, as Python's json.dumps(…, sort_keys=True) writes it.
std::string cache_key(const RoleToAssume& role) {
  std::string key;
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!key.empty()) key += ", ";
    key += fmt::format("\"{}\": {}", name, value);
  };
  const auto quoted = [](const std::string& text) { return to_text(boost::json::value(text)); };
  if (role.duration_seconds) add("DurationSeconds", std::to_string(*role.duration_seconds));
  if (role.external_id) add("ExternalId", quoted(*role.external_id));
  add("RoleArn", quoted(role.role_arn));
  if (role.session_name) add("RoleSessionName", quoted(*role.session_name));
  if (role.mfa_serial) add("SerialNumber", quoted(*role.mfa_serial));
  return '{' + key + '}';
}

Result<Credentials> Fetch::operator()(const RoleToAssume& role) const {
  const std::string cached = session_cache_path(services.environment, cache_key(role));
  if (auto session = read_session(cached, services.clock.now())) return *std::move(session);
  RUNCTL_TRY_LET(auto source, fetch_credentials(*role.source, services, options));
  sts::AssumeRoleRequest request{.role_arn = role.role_arn,
                                 .role_session_name = session_name(role.session_name),
                                 .duration_seconds = role.duration_seconds,
                                 .external_id = role.external_id};
  if (role.mfa_serial) {
    if (!services.ask) {
      auto failed = fail(Errc::denied, fmt::format("role {} needs an MFA code of {}", role.role_arn,
                                                   *role.mfa_serial));
      failed.error().hint =
          "There is no terminal to ask on. Run `aws sts get-caller-identity` with the same profile "
          "first: its session is used here too.";
      return failed;
    }
    request.serial_number = role.mfa_serial;
    request.token_code = services.ask(fmt::format("MFA code of {}: ", *role.mfa_serial));
  }
  Client client = sts(role.sts, std::move(source));
  auto assumed = client.call<sts::AssumeRole>(request, options);
  if (!assumed) return with_context(std::move(assumed).error(), "assuming " + role.role_arn);
  Credentials session = from_session(std::move(assumed->credentials));
  write_session(cached, session);
  return session;
}

Result<Credentials> Fetch::operator()(const WebIdentityRole& role) const {
  auto token = read_file(role.token_file, std::uint64_t{1} << 20U);
  if (!token) return with_context(std::move(token).error(), "reading the web identity token");
  Client client = sts(role.sts, {.secret_access_key = Secret{""}});
  auto assumed = client.call<sts::AssumeRoleWithWebIdentity>(
      {.role_arn = role.role_arn,
       .role_session_name = session_name(role.session_name),
       .web_identity_token = std::string{trim(*token)}},
      options);
  if (!assumed) return with_context(std::move(assumed).error(), "assuming " + role.role_arn);
  return from_session(std::move(assumed->credentials));
}

}  // namespace

Result<Credentials> fetch_credentials(const CredentialPlan& plan,
                                      const CredentialServices& services,
                                      const CallOptions& options) {
  auto found = std::visit(Fetch{.services = services, .options = options}, plan.way);
  if (!found) return with_context(std::move(found).error(), "getting credentials: " + plan.origin);
  found->origin = plan.origin;
  return found;
}

}  // namespace runctl::aws
