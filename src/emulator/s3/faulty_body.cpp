#include "emulator/s3/faulty_body.hpp"

#include <algorithm>
#include <chrono>

namespace runctl::emulator::s3 {

Result<std::size_t> FaultyBody::read(std::span<std::byte> into) {
  const std::uint64_t size = whole_.size().value_or(0);
  if (strike_.delivery == Delivery::reset && size > 0) {
    if (done_ >= size / 2) return fail(Errc::unavailable, "the emulator was told to reset here");
    into = into.first(
        static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), size / 2 - done_)));
  }
  if (strike_.bytes_per_second) {
    constexpr std::uint64_t steps = 20;  // a second
    const auto step = std::max<std::uint64_t>(*strike_.bytes_per_second / steps, 1);
    into = into.first(static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), step)));
  }
  RUNCTL_TRY_LET(const std::size_t got, whole_.read(into));
  if (strike_.bytes_per_second && got > 0) {
    (void)clock_.sleep_until(
        clock_.ticks() + std::chrono::milliseconds{1'000 * got / *strike_.bytes_per_second}, {});
  }
  if (strike_.flip_draw && size > 0) {
    const std::uint64_t at = *strike_.flip_draw % size;
    if (at >= done_ && at < done_ + got) {
      into[static_cast<std::size_t>(at - done_)] ^= std::byte{1};
    }
  }
  done_ += got;
  return got;
}

}  // namespace runctl::emulator::s3
