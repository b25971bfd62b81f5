// A clock that a test moves.
#pragma once

#include <chrono>
#include <mutex>

#include "io/clock.hpp"

namespace runctl {

// Sleeping takes no time: it moves this clock, and with it everything that reads it.
// Thread safety: may be used from several threads at once.
class FakeClock final : public Clock {
 public:
  [[nodiscard]] std::chrono::sys_time<std::chrono::milliseconds> now() const override;
  [[nodiscard]] std::chrono::steady_clock::time_point ticks() const override;
  Result<void> sleep_until(std::chrono::steady_clock::time_point until,
                           const std::stop_token& stop) override;

  void advance(std::chrono::milliseconds by);

 private:
  mutable std::mutex mutex_;
  std::chrono::milliseconds elapsed_{0};
};

}  // namespace runctl
