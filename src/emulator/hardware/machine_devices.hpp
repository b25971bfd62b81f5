// A volume's device as programs in the machine find it: /dev, /dev/disk/by-id and /sys.
#pragma once

#include <cstdint>
#include <string>
#include <sys/types.h>

#include "base/result.hpp"
#include "base/strong_id.hpp"

namespace runctl::emulator {

struct DeviceEntry {
  VolumeId volume;
  unsigned controller = 1;  // of nvmeXn1; 0 is the root disk's
  dev_t number = 0;
  std::uint64_t bytes = 0;
};

// "nvme1n1"
[[nodiscard]] std::string device_name(const DeviceEntry& device);

// Names, links and serial are those that an instance shows for an EBS volume. `pid` is a process of
// the machine. Source: Amazon EBS User Guide, "Map Amazon EBS volumes to NVMe device names".
// Errors: as fail_errno; then part of the entries may be there, and `hide_device` takes them away.
[[nodiscard]] Result<void> show_device(pid_t pid, const DeviceEntry& device);

// Lets /sys tell the size that `device` has by now. One that the machine does not show is no error.
[[nodiscard]] Result<void> show_device_size(pid_t pid, const DeviceEntry& device);

// What is not there any more is no error: the machine may have removed it itself.
void hide_device(pid_t pid, const DeviceEntry& device);

}  // namespace runctl::emulator
