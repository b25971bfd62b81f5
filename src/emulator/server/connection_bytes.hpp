// The bytes of one connection: read, written, and given up when they take too long.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/result.hpp"
#include "io/file.hpp"
#include "io/real_clock.hpp"

namespace runctl::emulator {

using Deadline = std::chrono::steady_clock::time_point;

// Tells every connection that the server goes. Thread safety: may be used from several threads.
class Closing {
 public:
  // Errors: internal when the kernel has no more file descriptors.
  [[nodiscard]] Result<void> prepare();
  // From now on idle connections end at once, and those at work at `last`.
  void begin(Deadline last);
  [[nodiscard]] bool has_begun() const { return begun_.load(); }
  [[nodiscard]] Deadline last() const { return Deadline{Deadline::duration{last_.load()}}; }
  // Readable once it has begun.
  [[nodiscard]] int signal() const { return event_.get(); }

 private:
  UniqueFd event_;
  std::atomic<bool> begun_ = false;
  std::atomic<Deadline::rep> last_ = 0;
};

struct FileRange {
  int file = -1;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

// Thread safety: one caller at a time.
class ConnectionBytes {
 public:
  ConnectionBytes(UniqueFd socket, const Closing& closing)
      : socket_{std::move(socket)}, closing_{closing} {}

  enum class Idle : bool { no, yes };
  // Waits for bytes and returns how many came; 0 when the client has closed its side, and, with
  // Idle::yes, when the server goes. Errors: deadline_exceeded; unavailable when the connection is
  // broken.
  [[nodiscard]] Result<std::size_t> read(std::span<std::byte> into, Deadline deadline,
                                         Idle idle = Idle::no);

  enum class More : bool { no, yes };  // whether other bytes follow at once
  // Errors: unavailable, and deadline_exceeded when for `stall` nothing more was taken.
  [[nodiscard]] Result<void> write(std::span<const std::byte> bytes,
                                   std::chrono::milliseconds stall, More more = More::no);
  // As write, from a file, without a copy in this process. Errors: corrupt when the file is
  // shorter.
  [[nodiscard]] Result<void> write_file(const FileRange& range, std::chrono::milliseconds stall);

  // Ends our side; what was written still arrives.
  void finish();
  // Ends the connection so that the client sees a reset.
  void reset();

  [[nodiscard]] Deadline deadline_in(std::chrono::milliseconds time) const {
    return clock_.ticks() + time;
  }
  // Returns when that time has passed, or the server has gone.
  void pause(std::chrono::milliseconds time);

 private:
  enum class Ready : std::uint8_t { yes, late, gone };
  [[nodiscard]] Ready wait(short events, Deadline deadline, Idle idle);

  UniqueFd socket_;
  const Closing& closing_;
  RealClock clock_;  // a socket's time is the machine's
};

}  // namespace runctl::emulator
