#include "aws/credentials/sso.hpp"

#include <utility>

#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "aws/credentials/metadata.hpp"
#include "aws/credentials/record.hpp"
#include "aws/credentials/session_cache.hpp"
#include "base/digest.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "io/file.hpp"

namespace runctl::aws {
namespace {

constexpr Asking asking{.attempts = 3, .timeout = std::chrono::seconds{10}};
// Source: botocore 1.43 tokens.py, _REFRESH_WINDOW.
constexpr std::chrono::minutes renewed_before_end{15};

std::unexpected<Error> log_in(const SsoRole& role, std::string_view why) {
  auto failed =
      fail(Errc::denied, fmt::format("IAM Identity Center ({}): {}", role.start_url, why));
  failed.error().hint =
      role.session ? "Log in again: aws sso login --sso-session " + shell_quote(*role.session)
                   : "Log in again: aws sso login";
  return failed;
}

std::optional<Timestamp> time_at(const boost::json::value& json, std::string_view name) {
  const auto text = string_at(json, name);
  if (!text) return std::nullopt;
  const auto time = parse_utc(*text);
  if (!time) return std::nullopt;
  return *time;
}

struct Token {
  std::string path;
  boost::json::value json;
};

Result<Token> cached_token(const SsoRole& role, const Environment& environment) {
  const auto home = environment.get("HOME");
  if (!home) return log_in(role, "HOME is not set, so there is no token");
  Token token{.path = *home + "/.aws/sso/cache/" +
                      hex(sha1(role.session.value_or(role.start_url))) + ".json",
              .json = {}};
  const auto text = read_file(token.path, std::uint64_t{1} << 20U);
  if (!text && text.error().code != Errc::not_found) return std::unexpected{text.error()};
  if (!text) return log_in(role, "nobody has logged in");
  auto json = parse_json(*text);
  if (!json || !string_at(*json, "accessToken") || !time_at(*json, "expiresAt")) {
    return log_in(role, fmt::format("{} is not a token", token.path));
  }
  token.json = *std::move(json);
  return token;
}

// A token that cannot be renewed goes on as it is, to its end.
void renew(Token& token, const SsoRole& role, const CredentialServices& services,
           const CallOptions& options) {
  boost::json::object wanted{{"grantType", "refresh_token"}};
  for (const std::string_view name : {"clientId", "clientSecret", "refreshToken"}) {
    auto value = string_at(token.json, name);
    if (!value) return;
    wanted[name] = *std::move(value);
  }
  const auto registered_until = time_at(token.json, "registrationExpiresAt");
  if (!registered_until || *registered_until <= services.clock.now()) return;
  const HttpRequest request{.method = "POST",
                            .url = role.oidc_endpoint + "/token",
                            .headers = {{.name = "content-type", .value = "application/json"}},
                            .body = to_text(wanted)};
  // Once: the old refresh token may be used up by the first request that arrives.
  const auto answer =
      ask_beside(request, {.attempts = 1, .timeout = asking.timeout}, services, options);
  if (!answer || answer->status != 200) return;
  const auto json = parse_json(answer->body);
  if (!json) return;
  const auto access = string_at(*json, "accessToken");
  const auto seconds = integer_at(*json, "expiresIn");
  if (!access || !seconds) return;
  boost::json::object& renewed = token.json.as_object();
  renewed["accessToken"] = *access;
  renewed["expiresAt"] = iso8601(services.clock.now() + std::chrono::seconds{*seconds});
  if (const auto refresh = string_at(*json, "refreshToken")) renewed["refreshToken"] = *refresh;
  // A token that is not written is still a token: the next command renews it again, or says why
  // not.
  static_cast<void>(write_file_atomically(token.path, to_text(token.json)));
}

Result<Credentials> role_credentials(const SsoRole& role, const std::string& token,
                                     const CredentialServices& services,
                                     const CallOptions& options) {
  const HttpRequest request{
      .url =
          fmt::format("{}/federation/credentials?account_id={}&role_name={}", role.portal_endpoint,
                      percent_encode(role.account_id), percent_encode(role.role_name)),
      .headers = {{.name = "x-amz-sso_bearer_token", .value = token}}};
  RUNCTL_TRY_LET(const auto answer, ask_beside(request, asking, services, options));
  if (answer.status == 401) return log_in(role, "the session has ended");
  if (answer.status == 403 || answer.status == 404) {
    return fail(Errc::denied, fmt::format("IAM Identity Center does not let you have role {} of "
                                          "account {}",
                                          role.role_name, role.account_id));
  }
  if (answer.status != 200) {
    return fail(Errc::unavailable,
                fmt::format("IAM Identity Center answered with HTTP {}", answer.status));
  }
  RUNCTL_TRY_LET(const auto json, parse_json(answer.body));
  const auto* const found =
      json.is_object() ? json.as_object().if_contains("roleCredentials") : nullptr;
  if (found == nullptr) return fail(Errc::corrupt, "IAM Identity Center gave no roleCredentials");
  return credentials_from(*found,
                          {.id = "accessKeyId",
                           .secret = "secretAccessKey",
                           .token = "sessionToken",
                           .expires = "expiration"},
                          "IAM Identity Center");
}

// As botocore writes it: the key of the AWS CLI's cache.
std::string cache_key(const SsoRole& role) {
  boost::json::object key{{"accountId", role.account_id}, {"roleName", role.role_name}};
  if (role.session) {
    key["sessionName"] = *role.session;
  } else {
    key["startUrl"] = role.start_url;
  }
  return to_text(key);
}

}  // namespace

Result<Credentials> sso_credentials(const SsoRole& role, const CredentialServices& services,
                                    const CallOptions& options) {
  const std::string cached = session_cache_path(services.environment, cache_key(role));
  if (auto session = read_session(cached, services.clock.now())) return *std::move(session);
  RUNCTL_TRY_LET(auto token, cached_token(role, services.environment));
  const auto now = services.clock.now();
  if (role.session && time_at(token.json, "expiresAt").value() < now + renewed_before_end) {
    renew(token, role, services, options);
  }
  if (time_at(token.json, "expiresAt").value() <= now) return log_in(role, "the session has ended");
  RUNCTL_TRY_LET(auto found, role_credentials(role, string_at(token.json, "accessToken").value(),
                                              services, options));
  write_session(cached, found);
  return found;
}

}  // namespace runctl::aws
