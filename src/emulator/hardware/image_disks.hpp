// Volumes and snapshots as sparse images: STATE/volumes/vol-….img and STATE/snapshots/snap-….img.
#pragma once

#include <filesystem>
#include <memory>

#include "emulator/hardware/hardware.hpp"

namespace runctl::emulator {

[[nodiscard]] std::filesystem::path image_of(const std::filesystem::path& state,
                                             const VolumeId& volume);
[[nodiscard]] std::filesystem::path image_of(const std::filesystem::path& state,
                                             const SnapshotId& snapshot);

// Images appear under their names whole and durable, or not at all. Where the filesystem cannot
// share blocks between files, a snapshot of a volume that is written to meanwhile is no single
// moment's content.
[[nodiscard]] std::unique_ptr<Disks> make_image_disks(std::filesystem::path state);

}  // namespace runctl::emulator
