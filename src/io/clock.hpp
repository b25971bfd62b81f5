// Time as a dependency. Nothing outside io/ calls a std::chrono clock or sleeps.
#pragma once

#include <chrono>
#include <stop_token>

#include "base/result.hpp"

namespace runctl {

class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  Clock(Clock&&) = delete;
  Clock& operator=(Clock&&) = delete;
  virtual ~Clock() = default;

  // UTC wall time; may jump. For signatures, tags and messages only.
  [[nodiscard]] virtual std::chrono::sys_time<std::chrono::milliseconds> now() const = 0;

  // Never goes back. For deadlines and intervals.
  [[nodiscard]] virtual std::chrono::steady_clock::time_point ticks() const = 0;

  // Returns once `until` has passed. Errors: cancelled if `stop` is requested first.
  virtual Result<void> sleep_until(std::chrono::steady_clock::time_point until,
                                   const std::stop_token& stop) = 0;
};

}  // namespace runctl
