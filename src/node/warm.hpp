// Reading every block of a volume once: a restored one is slow until that has been done.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "node/job.hpp"
#include "node/script.hpp"

namespace runctl::node {

struct Warmed {
  std::uint64_t bytes = 0;  // the whole device
  double seconds = 0;
  // What read it: "aio", our own program (block_readers()), or "dd", a process for each request,
  // where that cannot be run; then `why` says so.
  std::string reader = {};
  std::string why = {};
};

// Reads the device from end to end past the page cache, 32 requests of 1 MiB at a time. Never
// writes, and takes no lock: the volume may be mounted, used and snapshotted meanwhile. It has the
// device open, though: unmount() names it as a user, and stop_job(machine, "warm", volume) ends it.
// Errors (`remote->code`): internal (io_error, which names the first byte that cannot be read; our
// own program reads the rest all the same, dd ends there), precondition (no_device), conflict
// (not_possible where volumes are directories); as run_job.
[[nodiscard]] Result<Warmed> warm(const Machine& machine, const VolumeId& volume,
                                  const JobWatch& watch);

// What that sends along: each of block_readers(), as gzip in base64, with blanks between. Errors:
// those of gzip().
[[nodiscard]] Result<std::string> packed_readers();

// The same with other programs, or none: "".
[[nodiscard]] Result<Warmed> warm_with(const std::string& readers, const Machine& machine,
                                       const VolumeId& volume, const JobWatch& watch);

}  // namespace runctl::node
