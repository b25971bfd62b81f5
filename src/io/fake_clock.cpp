#include "io/fake_clock.hpp"

namespace runctl {
namespace {

// Any start serves; a date in 2026 makes messages read naturally.
constexpr auto start = std::chrono::sys_days{std::chrono::year{2026} / 1 / 31};

}  // namespace

std::chrono::sys_time<std::chrono::milliseconds> FakeClock::now() const {
  const std::lock_guard lock{mutex_};
  return start + elapsed_;
}

std::chrono::steady_clock::time_point FakeClock::ticks() const {
  const std::lock_guard lock{mutex_};
  return std::chrono::steady_clock::time_point{} + elapsed_;
}

Result<void> FakeClock::sleep_until(std::chrono::steady_clock::time_point until,
                                    const std::stop_token& stop) {
  if (stop.stop_requested()) return fail(Errc::cancelled, "stopped while waiting");
  const std::lock_guard lock{mutex_};
  const auto target = std::chrono::ceil<std::chrono::milliseconds>(until.time_since_epoch());
  if (target > elapsed_) elapsed_ = target;
  return {};
}

void FakeClock::advance(std::chrono::milliseconds by) {
  const std::lock_guard lock{mutex_};
  elapsed_ += by;
}

}  // namespace runctl
