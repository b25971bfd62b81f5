#include "aws/credentials/metadata.hpp"

#include <utility>

#include <fmt/format.h>

#include "aws/credentials/record.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "io/file.hpp"

namespace runctl::aws {
namespace {

constexpr std::string_view service_name = "the machine's metadata service";

// Only the first request finds out whether there is a service at all.
// Source: botocore 1.43 utils.py, IMDSFetcher: one second, one attempt.
constexpr Asking first_question{};
constexpr Asking next_question{.attempts = 3, .timeout = std::chrono::seconds{5}};

Result<std::string> metadata_token(const std::string& endpoint, const CredentialServices& services,
                                   const CallOptions& options) {
  const HttpRequest request{
      .method = "PUT",
      .url = endpoint + "/latest/api/token",
      .headers = {{.name = "x-aws-ec2-metadata-token-ttl-seconds", .value = "21600"}}};
  RUNCTL_TRY_LET(auto answer, ask_beside(request, first_question, services, options));
  if (answer.status != 200) {
    return fail(Errc::not_found,
                fmt::format("{} gave no token (HTTP {})", service_name, answer.status));
  }
  return std::string{trim(answer.body)};
}

Result<std::string> metadata(const std::string& url, const std::string& token,
                             const CredentialServices& services, const CallOptions& options) {
  const HttpRequest request{.url = url,
                            .headers = {{.name = "x-aws-ec2-metadata-token", .value = token}}};
  RUNCTL_TRY_LET(auto answer, ask_beside(request, next_question, services, options));
  if (answer.status != 200 || trim(answer.body).empty()) {
    return fail(Errc::not_found, fmt::format("{} does not have {} (HTTP {})", service_name,
                                             url.substr(url.find("/latest/")), answer.status));
  }
  return std::string{trim(answer.body)};
}

}  // namespace

Result<HttpResponse> ask_beside(const HttpRequest& request, const Asking& asking,
                                const CredentialServices& services, const CallOptions& options) {
  for (int attempt = 1;; ++attempt) {
    const auto deadline = std::min(options.deadline, services.clock.ticks() + asking.timeout);
    auto answer = services.http.send(request, deadline, options.stop);
    const bool is_answer = answer && answer->status < 500 && answer->status != 429;
    const bool stopped = !answer && answer.error().code == Errc::cancelled;
    if (is_answer || stopped || attempt >= asking.attempts) return answer;
    RUNCTL_TRY(
        services.clock.sleep_until(services.clock.ticks() + std::chrono::seconds{1}, options.stop));
  }
}

Result<Credentials> instance_credentials(const InstanceRole& role,
                                         const CredentialServices& services,
                                         const CallOptions& options) {
  const std::string base = role.endpoint + "/latest/meta-data/iam/security-credentials/";
  const auto nothing = [&](Error why) {
    if (why.code == Errc::cancelled) return std::unexpected{std::move(why)};
    Error otherwise = role.otherwise;
    otherwise.details.push_back(why.message);
    return std::unexpected{std::move(otherwise)};
  };
  const auto token = metadata_token(role.endpoint, services, options);
  if (!token) return nothing(token.error());
  const auto name = metadata(base, *token, services, options);
  if (!name) return nothing(name.error());
  // Percent-encoded: a name is a part of the next path, whatever it has in it.
  const std::string first_name = percent_encode(split(*name, '\n').front());
  RUNCTL_TRY_LET(const auto text, metadata(base + first_name, *token, services, options));
  RUNCTL_TRY_LET(const auto json, parse_json(text));
  const std::string from = fmt::format("role {} of this machine", first_name);
  // "Success", or a code with a message, as when EC2 may not assume the role.
  const std::string code = string_at(json, "Code").value_or("Success");
  if (code != "Success") {
    return fail(Errc::denied, fmt::format("{} gives no credentials: {}: {}", from, code,
                                          string_at(json, "Message").value_or("")));
  }
  return credentials_from(json, {}, from);
}

Result<std::string> instance_region(const std::string& endpoint, const CredentialServices& services,
                                    const CallOptions& options) {
  RUNCTL_TRY_LET(const auto token, metadata_token(endpoint, services, options));
  return metadata(endpoint + "/latest/meta-data/placement/region", token, services, options);
}

Result<Credentials> container_credentials(const ContainerRole& role,
                                          const CredentialServices& services,
                                          const CallOptions& options) {
  HttpRequest request{.url = role.url,
                      .headers = {{.name = "accept", .value = "application/json"}}};
  std::string authorization{role.token ? role.token->reveal() : ""};
  if (!role.token_file.empty()) {
    RUNCTL_TRY_LET(authorization, read_file(role.token_file, std::uint64_t{1} << 20U));
  }
  if (authorization.find_first_of("\r\n") != std::string::npos) {
    return fail(Errc::invalid_argument, "the container's authorization token has a line end in it");
  }
  if (!authorization.empty()) {
    request.headers.push_back({.name = "authorization", .value = std::move(authorization)});
  }
  // Source: botocore 1.43 utils.py, ContainerMetadataFetcher: three attempts of two seconds.
  RUNCTL_TRY_LET(
      const auto answer,
      ask_beside(request, {.attempts = 3, .timeout = std::chrono::seconds{2}}, services, options));
  constexpr std::string_view from = "the container's credential service";
  if (answer.status != 200) {
    return fail(Errc::denied, fmt::format("{} refused (HTTP {})", from, answer.status));
  }
  RUNCTL_TRY_LET(const auto json, parse_json(answer.body));
  return credentials_from(json, {}, from);
}

}  // namespace runctl::aws
