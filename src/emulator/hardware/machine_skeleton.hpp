// What a machine's root has besides the host's files: kernel filesystems, devices, a name.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"

namespace runctl::emulator {

struct Furniture {
  std::filesystem::path host;   // the host's root
  std::filesystem::path state;  // hidden from the machine
  std::string hostname;
  std::string boot_id;
  std::string resolver;  // of the host's /etc/resolv.conf
};

// Mounts /dev, /proc, /sys, /run and /tmp of its own in the working directory, which becomes the
// machine's root. Errors: as fail_errno.
[[nodiscard]] Result<void> furnish_machine(const Furniture& furniture);

// Makes the keys that users keep in their home directories invisible, by whiteouts in the layer
// `upper` of the host's root `host`: a machine that one rents has none of them, and one that finds
// them could reach the real cloud. Best effort: what cannot be hidden is left as it is.
void hide_keys(const std::filesystem::path& host, const std::filesystem::path& upper);

// The same for a layer that starts at `start` ("home", "root") instead of at the root.
void hide_keys_below(const std::filesystem::path& start, const std::filesystem::path& host,
                     const std::filesystem::path& upper);

// Best effort.
void copy_owner_and_mode(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace runctl::emulator
