#include "aws/client.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "aws/service_error.hpp"
#include "aws/sigv4.hpp"

namespace runctl::aws {
namespace {

std::string request_id_of(const HttpResponse& response) {
  for (const HttpHeader& header : response.headers) {
    if (header.name == "x-amzn-requestid" || header.name == "x-amz-request-id") return header.value;
  }
  return {};
}

std::string_view outcome_of(const Result<std::string>& result) {
  if (result) return "ok";
  return result.error().remote ? std::string_view{result.error().remote->code} : "no answer";
}

}  // namespace

std::chrono::milliseconds retry_delay(int attempt, Errc code, const RetryPolicy& policy,
                                      std::uint64_t random) {
  const auto base = code == Errc::throttled ? policy.throttled_delay : policy.first_delay;
  const int doublings = std::clamp(attempt - 1, 0, 20);
  const auto ceiling = std::min(base * (std::int64_t{1} << doublings), policy.max_delay);
  const auto range = static_cast<std::uint64_t>(ceiling.count()) + 1;
  return std::chrono::milliseconds{static_cast<std::int64_t>(random % range)};
}

HttpRequest Client::to_request(const OperationInfo& operation, const std::string& body) const {
  const Service& service = operation.service;
  std::string endpoint = config_.ec2_endpoint;
  if (&service == &ssm_service) endpoint = config_.ssm_endpoint;
  if (&service == &sts_service) endpoint = config_.sts_endpoint;
  HttpRequest request{.method = "POST", .url = endpoint + '/', .headers = {}, .body = body};
  request.headers.push_back({.name = "user-agent", .value = "runctl"});
  if (service.protocol == Protocol::json) {
    request.headers.push_back({.name = "content-type", .value = "application/x-amz-json-1.1"});
    request.headers.push_back(
        {.name = "x-amz-target",
         .value = fmt::format("{}.{}", service.target_prefix, operation.name)});
  } else {
    request.headers.push_back(
        {.name = "content-type", .value = "application/x-www-form-urlencoded; charset=utf-8"});
  }
  return request;
}

Result<std::string> Client::attempt(const OperationInfo& operation, const std::string& body,
                                    const CallOptions& options) {
  const HttpRequest request = sign_v4(
      to_request(operation, body), config_.credentials,
      {.region = config_.region, .service = std::string{operation.service.id}}, clock_.now());
  const auto deadline = std::min(options.deadline, clock_.ticks() + config_.attempt_timeout);
  RUNCTL_TRY_LET(HttpResponse response, http_.send(request, deadline, options.stop));
  if (response.status >= 200 && response.status < 300) return std::move(response.body);

  WireError wire = read_error(operation.service.protocol, response.body);
  if (wire.request_id.empty()) wire.request_id = request_id_of(response);
  return std::unexpected{error_from({.http_status = response.status,
                                     .code = std::move(wire.code),
                                     .message = std::move(wire.message),
                                     .request_id = std::move(wire.request_id)})};
}

Result<std::string> Client::exchange(const OperationInfo& operation, const std::string& body,
                                     const CallOptions& options) {
  for (int number = 1;; ++number) {
    const auto started = clock_.ticks();
    auto result = attempt(operation, body, options);
    if (log_.enabled(LogLevel::debug)) {
      const auto elapsed =
          std::chrono::duration_cast<std::chrono::milliseconds>(clock_.ticks() - started);
      const bool remote = !result && result.error().remote.has_value();
      log_.write({.level = LogLevel::debug,
                  .name = "aws.call",
                  .fields = {{.name = "operation", .value = std::string{operation.name}},
                             {.name = "attempt", .value = std::to_string(number)},
                             {.name = "outcome", .value = std::string{outcome_of(result)}},
                             {.name = "ms", .value = std::to_string(elapsed.count())},
                             {.name = "request_id",
                              .value = remote ? result.error().remote->request_id : "-"}}});
    }
    if (result) return result;
    Error& error = result.error();
    if (number >= config_.retry.attempts ||
        !may_retry(error.code, error.effect, operation.idempotent)) {
      return with_context(std::move(error),
                          fmt::format("calling {} of {}", operation.name, operation.service.id));
    }
    const auto wake =
        clock_.ticks() + retry_delay(number, error.code, config_.retry, random_.next());
    if (wake >= options.deadline) return result;
    RUNCTL_TRY(clock_.sleep_until(wake, options.stop));
  }
}

}  // namespace runctl::aws
