// Volumes and snapshots as directories: STATE/volumes/vol-…/ and STATE/snapshots/snap-…/.
#pragma once

#include <filesystem>
#include <memory>

#include "emulator/hardware/hardware.hpp"

namespace runctl::emulator {

[[nodiscard]] std::filesystem::path directory_of(const std::filesystem::path& state,
                                                 const VolumeId& volume);
[[nodiscard]] std::filesystem::path directory_of(const std::filesystem::path& state,
                                                 const SnapshotId& snapshot);

// A volume's size is not enforced: it can hold what the disk below has room for. A snapshot of a
// volume that is written to meanwhile is no single moment's content.
[[nodiscard]] std::unique_ptr<Disks> make_directory_disks(std::filesystem::path state);

}  // namespace runctl::emulator
