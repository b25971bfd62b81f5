// The root directory of an emulated machine: the host's own programs, but none of its devices,
// mounts or keys.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.hpp"

namespace runctl::emulator {

struct RootPlan {
  std::filesystem::path instance;  // the machine's directory below the state directory; must exist
  std::filesystem::path state;     // hidden from the machine
  std::string hostname;
  std::string boot_id;  // what /proc/sys/kernel/random/boot_id says: another one with every boot
};

// Where the machine's own files go. In memory, they are gone when it halts: the filesystem of the
// state directory cannot carry the upper layer of an overlay.
enum class Upper : std::uint8_t { on_disk, in_memory };

// Makes the calling process, which must be alone in new mount, process, uts and ipc namespaces, see
// the machine's root and nothing of the host's mounts. After an error the process is good for
// nothing but to end. Errors: as fail_errno.
[[nodiscard]] Result<Upper> enter_machine_root(const RootPlan& plan);

}  // namespace runctl::emulator
