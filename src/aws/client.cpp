#include "aws/client.hpp"

#include <algorithm>
#include <charconv>
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

// EC2's limits are shared by everybody in an account, and can be used up for minutes: a read that
// is told to slow down does so, instead of failing a change that is under way (ebs-facts 6; EBS CSI
// #535). Of a policy that asks once only, nothing is asked again.
constexpr int throttled_attempts = 8;

// How often a call has failed so far. Being told to slow down is counted apart, so that a read that
// waited its turn can still lose an answer.
struct Failures {
  int throttled = 0;
  int other = 0;
};

bool attempts_are_spent(const Failures& failures, const OperationInfo& operation,
                        const RetryPolicy& policy) {
  if (!only_reads(operation.name) || policy.attempts == 1) {
    return failures.throttled + failures.other >= policy.attempts;
  }
  return failures.other >= policy.attempts ||
         failures.throttled >= std::max(policy.attempts, throttled_attempts);
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

Result<RetryPolicy> retry_policy(const AccountSources& sources) {
  std::string origin = "environment variable AWS_MAX_ATTEMPTS";
  auto text = sources.environment.get("AWS_MAX_ATTEMPTS");
  if (!text) {
    const std::string profile = choose_profile(sources).name;
    const auto found = find_setting(sources.files, profile, "max_attempts");
    if (!found) return RetryPolicy{};
    text = found->setting.value;
    origin = fmt::format("max_attempts of profile '{}' in {}", profile, found->file.path);
  }
  RetryPolicy policy;
  const char* const end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, policy.attempts);
  if (error != std::errc{} || stop != end || policy.attempts < 1 || policy.attempts > 100) {
    return fail(Errc::invalid_argument,
                fmt::format("not a number of attempts from 1 to 100: '{}' ({})", *text, origin));
  }
  return policy;
}

bool RetryQuota::take(int cost) {
  const std::lock_guard lock{mutex_};
  if (left_ < cost) return false;
  left_ -= cost;
  return true;
}

void RetryQuota::give_back(int tokens) {
  const std::lock_guard lock{mutex_};
  left_ = std::min(left_ + tokens, capacity);
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
  HttpRequest request = to_request(operation, body);
  if (operation.is_signed == Signed::yes) {
    RUNCTL_TRY_LET(const auto signer, renewal_.current(options));
    request = sign_v4(request, *signer,
                      {.region = config_.region, .service = std::string{operation.service.id}},
                      clock_.now());
  }
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

void Client::log_attempt(const OperationInfo& operation, int number,
                         std::chrono::steady_clock::time_point started,
                         const Result<std::string>& result) {
  if (!log_.enabled(LogLevel::debug)) return;
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

Result<std::string> Client::exchange(const OperationInfo& operation, const std::string& body,
                                     const CallOptions& options) {
  int taken = 0;
  Failures failures;
  for (int number = 1;; ++number) {
    const auto started = clock_.ticks();
    auto result = attempt(operation, body, options);
    log_attempt(operation, number, started, result);
    if (result) {
      quota_.give_back(taken == 0 ? 1 : taken);
      return result;
    }
    Error& error = result.error();
    // The attempt's own time ran out, not the caller's.
    const bool silent = error.code == Errc::deadline_exceeded && clock_.ticks() < options.deadline;
    const bool again =
        may_retry(silent ? Errc::unavailable : error.code, error.effect, operation.idempotent);
    taken = silent ? RetryQuota::timeout_cost : RetryQuota::retry_cost;
    ++(error.code == Errc::throttled ? failures.throttled : failures.other);
    const bool spent = attempts_are_spent(failures, operation, config_.retry);
    if (spent || !again || !quota_.take(taken)) {
      if (only_reads(operation.name)) error.effect = Effect::not_applied;
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
