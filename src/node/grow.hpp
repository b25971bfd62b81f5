// Growing a filesystem after its volume has grown.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "base/units.hpp"
#include "node/script.hpp"

namespace runctl::node {

struct GrowRequest {
  VolumeId volume;
  GiB size;  // what the device must have by then
  // EC2 says that a volume has grown before its machine sees it.
  std::chrono::seconds device_wait{60};
};

struct Grown {
  std::string type;             // ext4 or xfs
  std::uint64_t old_bytes = 0;  // by the filesystem's own account
  std::uint64_t new_bytes = 0;
  bool already = false;  // it filled its device
};

// Grows the mounted filesystem to the whole of its device. Allow for `device_wait` in the machine's
// time-out. Errors (`remote->code`): conflict (not_mounted: nowhere, read-only or in part;
// no_filesystem, also for a partition table; locked; not_possible where volumes are directories),
// precondition (no_device, wrong_device; not_grown: the device is still too small), internal
// (grow_failed); as run_script.
[[nodiscard]] Result<Grown> grow(const Machine& machine, const GrowRequest& request);

}  // namespace runctl::node
