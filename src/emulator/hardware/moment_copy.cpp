#include "emulator/hardware/moment_copy.hpp"

#include <cerrno>
#include <chrono>
#include <ctime>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "emulator/hardware/file_copy.hpp"
#include "io/file.hpp"

namespace runctl::emulator {
namespace {

constexpr int attempts_beside_writers = 2;
constexpr int attempts = 12;
// What writers that are held still have under way comes in within this.
constexpr std::chrono::milliseconds settling{20};

struct Moment {
  timespec written{};
  off_t size = 0;

  bool operator==(const Moment& other) const {
    return written.tv_sec == other.written.tv_sec && written.tv_nsec == other.written.tv_nsec &&
           size == other.size;
  }
};

Result<Moment> last_write(int fd, const std::string& name) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return fail_errno(errno, "read what becomes", name);
  return Moment{.written = status.st_mtim, .size = status.st_size};
}

// Writes are stamped by a clock that ticks every few milliseconds: one that comes within the tick
// of the last could not be told from it.
bool tick_is_over(const Moment& moment) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return now.tv_sec > moment.written.tv_sec ||
         (now.tv_sec == moment.written.tv_sec && now.tv_nsec > moment.written.tv_nsec);
}

// Whether nothing was written meanwhile.
Result<bool> try_copy(int from, int to, const std::string& name, Clock& clock) {
  RUNCTL_TRY_LET(Moment before, last_write(from, name));
  while (!tick_is_over(before)) {
    RUNCTL_TRY(clock.sleep_until(clock.ticks() + std::chrono::milliseconds{1}, {}));
    RUNCTL_TRY_LET(const Moment now, last_write(from, name));
    if (!(now == before)) return false;
  }
  if (::ftruncate(to, 0) != 0) return fail_errno(errno, "write", name);
  RUNCTL_TRY(copy_content(from, to, name));
  RUNCTL_TRY_LET(const Moment after, last_write(from, name));
  return after == before;
}

}  // namespace

Result<void> copy_moment(int from, int to, const std::string& name, Clock& clock,
                         const HoldStill& hold_still) {
  if (share_blocks(from, to)) return {};
  std::shared_ptr<void> held;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    if (attempt == attempts_beside_writers && hold_still) held = hold_still();
    if (held) RUNCTL_TRY(clock.sleep_until(clock.ticks() + settling, {}));
    RUNCTL_TRY_LET(const bool whole, try_copy(from, to, name, clock));
    if (whole) return {};
  }
  return fail(Errc::deadline_exceeded,
              fmt::format("{} could not be made: what it is a copy of was written to during each "
                          "of {} attempts",
                          name, attempts));
}

}  // namespace runctl::emulator
