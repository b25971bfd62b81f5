// The way from a command to S3: endpoint, region, credentials, client; and what stops it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string_view>
#include <thread>
#include <utility>

#include "aws/client.hpp"
#include "aws/s3/client.hpp"
#include "aws/s3/customer_key.hpp"
#include "base/result.hpp"
#include "cli/context.hpp"
#include "cli/s3/option_specs.hpp"

namespace runctl::cli {

// Lives as long as the command. Neither copied nor moved: what runs on it borrows it.
class S3Session {
 public:
  S3Session(Context& context, const aws::s3::S3Config& config, aws::s3::CustomerKeys keys = {})
      : context_{context},
        keys_{std::move(keys)},
        client_{context.http, context.clock, context.random, context.log, config},
        engine_client_{context.http, context.clock, context.random, context.log, once(config)},
        forward_{context.stop, [this] { stop_.request_stop(); }} {
    if (context.globals.timeout) deadline_ = context.clock.ticks() + *context.globals.timeout;
  }
  S3Session(const S3Session&) = delete;
  S3Session& operator=(const S3Session&) = delete;
  S3Session(S3Session&&) = delete;
  S3Session& operator=(S3Session&&) = delete;
  ~S3Session() = default;

  [[nodiscard]] Context& context() { return context_; }
  [[nodiscard]] aws::s3::S3Client& client() { return client_; }
  // For the engine, which does its own retrying.
  [[nodiscard]] aws::s3::S3Client& engine_client() { return engine_client_; }
  // The user's own, that the command's options name: for every request of an object.
  [[nodiscard]] const aws::s3::CustomerKeys& keys() const { return keys_; }
  [[nodiscard]] std::string_view payer() const {
    return client_.config().requester_pays ? "requester" : "";
  }
  [[nodiscard]] aws::CallOptions options() const {
    return {.deadline = deadline_, .stop = stop_.get_token()};
  }
  // Requested by Ctrl-C, by --timeout, and by stop().
  [[nodiscard]] std::stop_token stop_token() const { return stop_.get_token(); }
  // Ends what runs on the session, for an error that all the rest would have too.
  void stop() { stop_.request_stop(); }
  [[nodiscard]] bool has_deadline() const {
    return deadline_ != std::chrono::steady_clock::time_point::max();
  }
  // Whether --timeout has passed.
  [[nodiscard]] bool is_late() const { return context_.clock.ticks() >= deadline_; }

 private:
  [[nodiscard]] static aws::s3::S3Config once(aws::s3::S3Config config) {
    config.retry.attempts = 1;
    return config;
  }

  Context& context_;
  aws::s3::CustomerKeys keys_;
  aws::s3::S3Client client_;
  aws::s3::S3Client engine_client_;
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> forward_;
  std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::time_point::max();
};

// Stops the session when its --timeout has passed, as long as this lives: what is asked of S3 has
// a deadline of its own, what reads files has none. Borrows the session.
class StopAtTimeout {
 public:
  explicit StopAtTimeout(S3Session& session);

 private:
  std::jthread thread_;
};

// Resolves endpoint, region and credentials from the words of `connection_options` and the global
// ones, and reads the keys that parse_customer_keys finds, before anything is sent. A region that
// nobody names is us-east-1, as in AWS's tools: each bucket's own is learnt from S3. With
// --no-sign-request no credentials are looked for. Errors: denied (no credentials),
// invalid_argument, those of the emulator.
[[nodiscard]] Result<std::unique_ptr<S3Session>> connect_s3(Context& context,
                                                            const Arguments& arguments);

}  // namespace runctl::cli
