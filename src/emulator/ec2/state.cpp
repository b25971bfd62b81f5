#include "emulator/ec2/state.hpp"

#include <utility>

namespace runctl::emulator::ec2 {
namespace {

template <class... Functions>
struct Overload : Functions... {
  using Functions::operator()...;
};

}  // namespace

std::string_view name_of(VolumeState state) {
  switch (state) {
    case VolumeState::creating:
      return "creating";
    case VolumeState::available:
      return "available";
    case VolumeState::in_use:
      return "in-use";
    case VolumeState::deleting:
      return "deleting";
    case VolumeState::error:
      return "error";
  }
  std::unreachable();
}

std::string_view name_of(AttachmentState state) {
  switch (state) {
    case AttachmentState::attaching:
      return "attaching";
    case AttachmentState::attached:
      return "attached";
    case AttachmentState::detaching:
      return "detaching";
    case AttachmentState::busy:
      return "busy";
  }
  std::unreachable();
}

std::string_view name_of(SnapshotState state) {
  switch (state) {
    case SnapshotState::pending:
      return "pending";
    case SnapshotState::completed:
      return "completed";
    case SnapshotState::error:
      return "error";
  }
  std::unreachable();
}

std::string_view name_of(InstanceState state) {
  switch (state) {
    case InstanceState::pending:
      return "pending";
    case InstanceState::running:
      return "running";
    case InstanceState::stopping:
      return "stopping";
    case InstanceState::stopped:
      return "stopped";
    case InstanceState::shutting_down:
      return "shutting-down";
    case InstanceState::terminated:
      return "terminated";
  }
  std::unreachable();
}

std::string_view name_of(ModificationState state) {
  switch (state) {
    case ModificationState::modifying:
      return "modifying";
    case ModificationState::optimizing:
      return "optimizing";
    case ModificationState::completed:
      return "completed";
    case ModificationState::failed:
      return "failed";
  }
  std::unreachable();
}

DiskSource source_of(const Volume& volume) {
  if (volume.source_volume) return *volume.source_volume;
  if (volume.source) return *volume.source;
  return {};
}

bool precedes_answer(const Order& order) {
  if (std::holds_alternative<Capture>(order) || std::holds_alternative<CutPower>(order))
    return true;
  const auto* const disk = std::get_if<CreateDisk>(&order);
  return disk != nullptr && std::holds_alternative<VolumeId>(disk->source);
}

std::string_view name_of(const Order& order) {
  return std::visit(
      Overload{[](const CreateDisk&) { return std::string_view{"create-disk"}; },
               [](const ResizeDisk&) { return std::string_view{"resize-disk"}; },
               [](const RemoveDisk&) { return std::string_view{"remove-disk"}; },
               [](const Capture&) { return std::string_view{"capture"}; },
               [](const RemoveCapture&) { return std::string_view{"remove-capture"}; },
               [](const Plug&) { return std::string_view{"plug"}; },
               [](const Unplug&) { return std::string_view{"unplug"}; },
               [](const Boot&) { return std::string_view{"boot"}; },
               [](const Reboot&) { return std::string_view{"reboot"}; },
               [](const CutPower&) { return std::string_view{"cut-power"}; },
               [](const Halt&) { return std::string_view{"halt"}; },
               [](const RunCommand&) { return std::string_view{"run-command"}; },
               [](const StopCommand&) { return std::string_view{"stop-command"}; }},
      order);
}

std::vector<std::string> ids_of(const Order& order) {
  using Ids = std::vector<std::string>;
  return std::visit(Overload{[](const CreateDisk& o) {
                               Ids ids{o.volume.str()};
                               if (const auto* s = std::get_if<SnapshotId>(&o.source))
                                 ids.push_back(s->str());
                               if (const auto* v = std::get_if<VolumeId>(&o.source))
                                 ids.push_back(v->str());
                               return ids;
                             },
                             [](const ResizeDisk& o) { return Ids{o.volume.str()}; },
                             [](const RemoveDisk& o) { return Ids{o.volume.str()}; },
                             [](const Capture& o) { return Ids{o.snapshot.str(), o.volume.str()}; },
                             [](const RemoveCapture& o) { return Ids{o.snapshot.str()}; },
                             [](const Plug& o) { return Ids{o.volume.str(), o.instance.str()}; },
                             [](const Unplug& o) { return Ids{o.volume.str(), o.instance.str()}; },
                             [](const Boot& o) { return Ids{o.instance.str()}; },
                             [](const Reboot& o) { return Ids{o.instance.str()}; },
                             [](const CutPower& o) {
                               Ids ids{o.instance.str()};
                               for (const VolumeId& volume : o.volumes) ids.push_back(volume.str());
                               return ids;
                             },
                             [](const Halt& o) { return Ids{o.instance.str()}; },
                             [](const RunCommand& o) { return Ids{o.instance.str()}; },
                             [](const StopCommand& o) { return Ids{o.instance.str()}; }},
                    order);
}

}  // namespace runctl::emulator::ec2
