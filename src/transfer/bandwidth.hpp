// A limit on bytes a second that all threads share.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <stop_token>

#include "base/result.hpp"
#include "io/clock.hpp"

namespace runctl::transfer {

// Thread safety: may be used from several threads at once.
class Bandwidth {
 public:
  // `bytes_a_second` 0: no limit.
  Bandwidth(Clock& clock, std::uint64_t bytes_a_second)
      : clock_{clock}, bytes_a_second_{bytes_a_second} {}

  // Waits until `bytes` more may pass. Threads pass in the order in which they came; a tenth of a
  // second that was not used is kept. Errors: cancelled.
  [[nodiscard]] Result<void> take(std::uint64_t bytes, const std::stop_token& stop);

  // The most bytes to ask for at once, so that no connection rests for long.
  [[nodiscard]] std::uint64_t portion() const;

 private:
  Clock& clock_;
  std::uint64_t bytes_a_second_;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point free_at_{};  // when all that was taken has passed
};

}  // namespace runctl::transfer
