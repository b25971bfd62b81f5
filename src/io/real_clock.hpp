// The machine's own clocks.
#pragma once

#include "io/clock.hpp"

namespace runctl {

// Thread safety: may be used from several threads at once.
class RealClock final : public Clock {
 public:
  [[nodiscard]] std::chrono::sys_time<std::chrono::milliseconds> now() const override;
  [[nodiscard]] std::chrono::steady_clock::time_point ticks() const override;
  Result<void> sleep_until(std::chrono::steady_clock::time_point until,
                           const std::stop_token& stop) override;
};

}  // namespace runctl
