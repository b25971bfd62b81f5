// Calls to AWS: encode, sign, send, retry, decode.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "aws/codec.hpp"
#include "aws/credentials.hpp"
#include "aws/operation.hpp"
#include "aws/renewal.hpp"
#include "base/result.hpp"
#include "io/clock.hpp"
#include "io/http_transport.hpp"
#include "io/log.hpp"
#include "io/random.hpp"

namespace runctl::aws {

// Retries of what may be sent again (base/result.hpp, may_retry; a read that got no answer in
// time). The delay before attempt n+1 is drawn from [0, min(first_delay * 2^(n-1), max_delay)];
// after throttling the first delay is `throttled_delay`. Source: AWS SDKs and Tools Reference
// Guide, "Retry behavior", standard mode: three attempts, at most 20 s. Unless `attempts` is 1, a
// throttled read is sent up to eight times.
struct RetryPolicy {
  int attempts = 3;
  std::chrono::milliseconds first_delay{100};
  std::chrono::milliseconds throttled_delay{1'000};
  std::chrono::milliseconds max_delay{20'000};
};

// AWS_MAX_ATTEMPTS, else the profile's max_attempts, else three. Every AWS_RETRY_MODE is the
// standard one here: it is the only one that gives up in time when a service is down for all.
// Errors: invalid_argument for what is not a number from 1 to 100.
[[nodiscard]] Result<RetryPolicy> retry_policy(const AccountSources& sources);

// What all retries of a client together may cost, so that many failing calls do not become three
// times as many. Source: botocore 1.43 retries/quota.py and standard.py: 500 tokens; a retry takes
// 5, one after a timeout 10; they come back when it succeeds, and 1 with every first success.
// Thread safety: may be used from several threads at once.
class RetryQuota {
 public:
  static constexpr int capacity = 500;
  static constexpr int retry_cost = 5;
  static constexpr int timeout_cost = 10;

  [[nodiscard]] bool take(int cost);
  void give_back(int tokens);

 private:
  std::mutex mutex_;
  int left_ = capacity;
};

// `random` is uniform; `attempt` counts from 1.
[[nodiscard]] std::chrono::milliseconds retry_delay(int attempt, Errc code,
                                                    const RetryPolicy& policy,
                                                    std::uint64_t random);

struct ClientConfig {
  std::string region;
  Credentials credentials;
  // Endpoints that replace AWS's own, already resolved for each service.
  std::string ec2_endpoint;
  std::string ssm_endpoint;
  std::string sts_endpoint;
  RetryPolicy retry = {};
  std::chrono::milliseconds attempt_timeout{30'000};
  // Gets new credentials when those end; empty where there are none to get.
  GetCredentials renew = {};
};

// Thread safety: may be used from several threads at once. Borrows what it is built from.
class Client {
 public:
  Client(HttpTransport& http, Clock& clock, Random& random, Log& log, ClientConfig config)
      : http_{http},
        clock_{clock},
        random_{random},
        log_{log},
        config_{std::move(config)},
        renewal_{clock, log, config_.credentials, config_.renew} {}

  // Calls an operation that only reads. Errors: those of aws/service_error.hpp when the service
  // refuses; unavailable, deadline_exceeded, cancelled from the transport; corrupt when the answer
  // is none.
  template <class Operation>
    requires(only_reads(Operation::info.name))
  [[nodiscard]] Result<typename Operation::Response> call(
      const typename Operation::Request& request, const CallOptions& options = {}) {
    return perform<Operation>(request, options);
  }

  // Calls one that changes something. Its callers have written the intent down before
  // (volume/change.hpp). One that is not idempotent is sent once: when its answer is lost, or is
  // none, the error's effect is `unknown` and only reading tells what happened. Errors: as `call`.
  template <class Operation>
    requires(!only_reads(Operation::info.name))
  [[nodiscard]] Result<typename Operation::Response> change(
      const typename Operation::Request& request, const CallOptions& options = {}) {
    return perform<Operation>(request, options);
  }

  [[nodiscard]] const ClientConfig& config() const { return config_; }

 private:
  template <class Operation>
  [[nodiscard]] Result<typename Operation::Response> perform(
      const typename Operation::Request& request, const CallOptions& options) {
    RUNCTL_TRY_LET(
        const std::string body,
        exchange(Operation::info, write_request(Operation::info, writing(request)), options));
    typename Operation::Response response{};
    if (auto read = read_response(Operation::info, body, reading(response)); !read) {
      read.error().effect = Effect::unknown;
      return std::unexpected{std::move(read).error()};
    }
    return response;
  }

  [[nodiscard]] Result<std::string> exchange(const OperationInfo& operation,
                                             const std::string& body, const CallOptions& options);
  void log_attempt(const OperationInfo& operation, int number,
                   std::chrono::steady_clock::time_point started,
                   const Result<std::string>& result);
  [[nodiscard]] Result<std::string> attempt(const OperationInfo& operation, const std::string& body,
                                            const CallOptions& options);
  [[nodiscard]] HttpRequest to_request(const OperationInfo& operation,
                                       const std::string& body) const;

  HttpTransport& http_;
  Clock& clock_;
  Random& random_;
  Log& log_;
  ClientConfig config_;
  RetryQuota quota_;
  Renewal renewal_;
};

}  // namespace runctl::aws
