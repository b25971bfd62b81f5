// Credentials that stay good: got anew before they end.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <utility>

#include "aws/credentials.hpp"
#include "base/result.hpp"
#include "io/clock.hpp"
#include "io/log.hpp"

namespace runctl::aws {

struct CallOptions {
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  std::stop_token stop = {};
};

using GetCredentials = std::function<Result<Credentials>(const CallOptions&)>;

// Thread safety: may be used from several threads at once; one renews, the others wait for it.
class Renewal {
 public:
  // `renew` may be empty: then the credentials are used to their end.
  Renewal(Clock& clock, Log& log, Credentials credentials, GetCredentials renew)
      : clock_{clock},
        log_{log},
        renew_{std::move(renew)},
        credentials_{std::make_shared<const Credentials>(std::move(credentials))},
        taken_{clock.now()} {}

  // Never null. Renewed when the last fifth of their life, but at most ten minutes of it, has
  // begun. Those that could not be renewed serve to their end. Errors: those of `renew`, after it.
  [[nodiscard]] Result<std::shared_ptr<const Credentials>> current(const CallOptions& options);

 private:
  Clock& clock_;
  Log& log_;
  GetCredentials renew_;
  std::mutex renewing_;
  std::shared_ptr<const Credentials> credentials_;  // guarded by renewing_
  Timestamp taken_;                                 // when they were, guarded by renewing_
};

}  // namespace runctl::aws
