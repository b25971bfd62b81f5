// Volumes and snapshots as sparse images: STATE/volumes/vol-….img and STATE/snapshots/snap-….img.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "emulator/hardware/hardware.hpp"
#include "io/clock.hpp"

namespace runctl::emulator {

[[nodiscard]] std::filesystem::path image_of(const std::filesystem::path& state,
                                             const VolumeId& volume);
[[nodiscard]] std::filesystem::path image_of(const std::filesystem::path& state,
                                             const SnapshotId& snapshot);

// Holds still the machines that have the volume, until what it returns is let go.
using HoldVolumeStill = std::function<std::shared_ptr<void>(const VolumeId&)>;

// Images appear under their names whole and durable, or not at all. A snapshot or a copy of a
// volume that is written to meanwhile is what it held at one moment of the call: see copy_moment,
// which holds the machines still where it must, for the time of the copy.
[[nodiscard]] std::unique_ptr<Disks> make_image_disks(std::filesystem::path state, Clock& clock,
                                                      HoldVolumeStill hold_still = {});

}  // namespace runctl::emulator
