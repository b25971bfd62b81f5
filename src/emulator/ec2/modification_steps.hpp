// How modifications go on with time.
#pragma once

#include <optional>

#include "emulator/ec2/state.hpp"

namespace runctl::emulator::ec2 {

[[nodiscard]] VolumeShape shape_of(const Volume& volume);

// When the volume's modification has its next step to take by time.
[[nodiscard]] std::optional<Timestamp> modification_due(const Volume& volume);

// Takes it. The volume must be there, and its modification under way.
void step_modification(Turn& turn, const VolumeId& id);

// The disk has its new size, or could not be given it.
void on_resized(Turn& turn, const VolumeId& id, const Report& report);

}  // namespace runctl::emulator::ec2
