#include "emulator/ec2/modification_steps.hpp"

#include <utility>

namespace runctl::emulator::ec2 {
namespace {

// What was asked for holds from now on, though the volume's data is still being moved.
// Source: EBS User Guide, "Monitor the progress of volume modifications".
void take_effect(Turn& turn, Volume& volume) {
  Modification& modification = *volume.modification;
  const VolumeShape& target = modification.target;
  volume.size = target.size;
  volume.type = target.type;
  volume.iops = target.iops;
  volume.throughput = target.throughput;
  volume.multi_attach = target.multi_attach;
  modification.state = ModificationState::optimizing;
  modification.optimizing = turn.now;
  modification.due = turn.after(turn.pace.optimize);
  modification.ordered = false;
}

}  // namespace

VolumeShape shape_of(const Volume& volume) {
  return {.size = volume.size,
          .type = volume.type,
          .iops = volume.iops,
          .throughput = volume.throughput,
          .multi_attach = volume.multi_attach};
}

std::optional<Timestamp> modification_due(const Volume& volume) {
  const auto& modification = volume.modification;
  if (!modification || modification->ordered || volume.state == VolumeState::deleting) return {};
  switch (modification->state) {
    case ModificationState::modifying:
    case ModificationState::optimizing:
      return modification->due;
    case ModificationState::completed:
    case ModificationState::failed:
      return {};
  }
  std::unreachable();
}

void step_modification(Turn& turn, const VolumeId& id) {
  Volume& volume = turn.state.volumes.edit(id);
  Modification& modification = *volume.modification;
  if (modification.state == ModificationState::optimizing) {
    modification.state = ModificationState::completed;
    modification.ended = turn.now;
  } else if (modification.target.size == modification.original.size) {
    take_effect(turn, volume);
  } else {
    modification.ordered = true;
    turn.orders.emplace_back(ResizeDisk{id, modification.target.size});
  }
}

void on_resized(Turn& turn, const VolumeId& id, const Report& report) {
  if (turn.state.volumes.find(id) == nullptr) return;
  Volume& volume = turn.state.volumes.edit(id);
  if (!volume.modification || volume.modification->state != ModificationState::modifying) return;
  if (!report.error) {
    take_effect(turn, volume);
    return;
  }
  volume.modification->state = ModificationState::failed;
  volume.modification->message = report.error->message;
  volume.modification->ended = turn.now;
  volume.modification->ordered = false;
}

}  // namespace runctl::emulator::ec2
