#include "transfer/bandwidth.hpp"

#include <algorithm>

namespace runctl::transfer {
namespace {

constexpr std::chrono::milliseconds kept{100};
constexpr std::uint64_t greatest_portion = std::uint64_t{256} << 10U;

}  // namespace

Result<void> Bandwidth::take(std::uint64_t bytes, const std::stop_token& stop) {
  if (bytes_a_second_ == 0) return {};
  std::chrono::steady_clock::time_point passes;
  {
    const std::scoped_lock lock{mutex_};
    free_at_ = std::max(free_at_, clock_.ticks() - kept);
    free_at_ += std::chrono::nanoseconds{static_cast<std::int64_t>(
        static_cast<double>(bytes) * 1e9 / static_cast<double>(bytes_a_second_))};
    passes = free_at_;
  }
  if (passes <= clock_.ticks()) return {};
  return clock_.sleep_until(passes, stop);
}

std::uint64_t Bandwidth::portion() const {
  if (bytes_a_second_ == 0) return greatest_portion;
  return std::clamp<std::uint64_t>(bytes_a_second_ / 20, 1024, greatest_portion);
}

}  // namespace runctl::transfer
