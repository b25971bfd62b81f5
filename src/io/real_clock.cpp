#include "io/real_clock.hpp"

#include <condition_variable>
#include <mutex>

namespace runctl {

std::chrono::sys_time<std::chrono::milliseconds> RealClock::now() const {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

std::chrono::steady_clock::time_point RealClock::ticks() const {
  return std::chrono::steady_clock::now();
}

Result<void> RealClock::sleep_until(std::chrono::steady_clock::time_point until,
                                    const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any woken;
  std::unique_lock lock{mutex};
  woken.wait_until(lock, stop, until, [] { return false; });
  if (stop.stop_requested()) return fail(Errc::cancelled, "stopped while waiting");
  return {};
}

}  // namespace runctl
