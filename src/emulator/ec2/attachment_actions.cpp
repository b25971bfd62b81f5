#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "emulator/ec2/actions.hpp"
#include "emulator/ec2/catalogue.hpp"
#include "emulator/ec2/lookup.hpp"
#include "emulator/ec2/views.hpp"
#include "emulator/refusal.hpp"

namespace runctl::emulator::ec2 {
namespace {

// Source: ebs-facts, section 8.
constexpr std::size_t most_multi_attachments = 16;

bool is_letter(char c) { return c >= 'a' && c <= 'z'; }

// Source: EC2 User Guide, "Device names for volumes on Amazon EC2 instances"; ebs-facts, section 9.
bool is_device_name(std::string_view name) {
  if (name.starts_with("/dev/")) name.remove_prefix(5);
  if (name.starts_with("sd")) {
    name.remove_prefix(2);
    if (name.empty() || !is_letter(name.front())) return false;
    name.remove_prefix(1);
    if (name.empty()) return true;
    const bool digits = name.find_first_not_of("0123456789") == std::string_view::npos;
    return digits && name.front() != '0' &&
           (name.size() == 1 || (name.size() == 2 && name <= "15"));
  }
  if (!name.starts_with("xvd")) return false;
  name.remove_prefix(3);
  if (name.size() == 1) return is_letter(name[0]);
  return name.size() == 2 && name[0] >= 'a' && name[0] <= 'd' && is_letter(name[1]) &&
         !(name[0] == 'd' && name[1] > 'x');
}

// One volume's place on one instance.
struct Held {
  const Volume* volume;
  const Attachment* attachment;
};

std::vector<Held> held_by(const State& state, const InstanceId& instance) {
  std::vector<Held> held;
  for (const auto& [id, volume] : state.volumes.all()) {
    for (const Attachment& a : volume.attachments) {
      if (a.instance == instance) held.push_back({.volume = &volume, .attachment = &a});
    }
  }
  return held;
}

// Source: ebs-facts, section 4: IncorrectState "Instance i-.. is not 'running'" and
// IncorrectInstanceState.
Result<void> check_instance_state(const Instance& instance) {
  switch (instance.state) {
    case InstanceState::running:
    case InstanceState::stopped:
      return {};
    case InstanceState::pending:
    case InstanceState::stopping:
      return refuse("IncorrectState", fmt::format("Instance '{}' is not 'running'.", instance.id));
    case InstanceState::shutting_down:
    case InstanceState::terminated:
      return refuse("IncorrectInstanceState", fmt::format("Instance '{}' is in the '{}' state",
                                                          instance.id, name_of(instance.state)));
  }
  std::unreachable();
}

// Also for the instance that has the volume already: AttachVolume is not idempotent (ebs-facts,
// section 3).
Result<void> check_volume_state(const Volume& volume, const Instance& instance,
                                const InstanceType& type) {
  const auto ours = [&](const Attachment& a) { return a.instance == instance.id; };
  const bool same = std::ranges::any_of(volume.attachments, ours);
  if (!volume.attachments.empty() && (!volume.multi_attach || same)) {
    return refuse("VolumeInUse", fmt::format("{} is already attached to an instance", volume.id));
  }
  if (volume.attachments.empty() && volume.state != VolumeState::available) {
    return refuse("IncorrectState", fmt::format("{} is not 'available'.", volume.id));
  }
  if (!volume.multi_attach) return {};
  if (type.hypervisor != Hypervisor::nitro) {
    return refuse("UnsupportedOperation",
                  fmt::format("The instance type {} does not support Multi-Attach", type.name));
  }
  if (volume.attachments.size() >= most_multi_attachments) {
    return refuse("AttachmentLimitExceeded",
                  fmt::format("{} is attached to {} instances, the most for Multi-Attach",
                              volume.id, most_multi_attachments));
  }
  return {};
}

Result<void> check_slot(const State& state, const Instance& instance, const InstanceType& type,
                        const std::string& device) {
  if (!is_device_name(device)) {
    return refuse("InvalidParameterValue",
                  fmt::format("Value ({0}) for parameter device is invalid. {0} is not a valid EBS "
                              "device name.",
                              device));
  }
  const std::vector<Held> held = held_by(state, instance.id);
  const bool taken =
      std::ranges::any_of(held, [&](const Held& h) { return h.attachment->device == device; });
  if (taken) {
    return refuse(
        "InvalidParameterValue",
        fmt::format("Invalid value '{0}' for unixDevice. Attachment point {0} is already in use",
                    device));
  }
  if (held.size() >= static_cast<std::size_t>(type.ebs_attachments)) {
    return refuse("AttachmentLimitExceeded",
                  fmt::format("Instance {} has {} volumes, the most that a {} takes", instance.id,
                              held.size(), type.name));
  }
  return {};
}

// The one attachment that a DetachVolume means.
Result<std::size_t> attachment_meant(const Volume& volume,
                                     const wire::DetachVolumeRequest& request) {
  if (volume.attachments.empty()) {
    return refuse("IncorrectState", fmt::format("Volume '{}' is in the '{}' state.", volume.id,
                                                name_of(volume.state)));
  }
  if (request.instance_id.empty()) {
    // Source: DetachVolumeRequest.InstanceId in the model.
    if (volume.multi_attach) return missing("instanceId");
    return std::size_t{0};
  }
  for (std::size_t i = 0; i < volume.attachments.size(); ++i) {
    if (volume.attachments[i].instance.str() == request.instance_id) return i;
  }
  return refuse(
      "InvalidAttachment.NotFound",
      fmt::format("Volume '{}' is not attached to instance '{}'.", volume.id, request.instance_id));
}

Result<void> check_detach(const State& state, const Volume& volume, const Attachment& attachment,
                          const wire::DetachVolumeRequest& request) {
  // Not documented whether EC2 compares it; to take another attachment than the one named would be
  // worse.
  if (!request.device.empty() && request.device != attachment.device) {
    return refuse("InvalidAttachment.NotFound",
                  fmt::format("Volume '{}' is not attached as '{}'.", volume.id, request.device));
  }
  if (attachment.is_root) {
    return refuse("OperationNotPermitted",
                  fmt::format("Unable to detach root volume '{}' from instance '{}'", volume.id,
                              attachment.instance));
  }
  const Instance* const instance = state.instances.find(attachment.instance);
  if (instance != nullptr) RUNCTL_TRY(check_instance_state(*instance));
  if (request.force.value_or(false) && attachment.state == AttachmentState::busy) {
    return refuse(
        "UnsupportedOperation",
        fmt::format("The emulator does not tear a device from under instance '{}', which has "
                    "{} open: unmount it there, or terminate the instance",
                    attachment.instance, volume.id));
  }
  return {};
}

}  // namespace

// Longer than any emulator lives.
constexpr std::chrono::hours never{24 * 365 * 100};

Result<wire::VolumeAttachment> attach_volume(Turn& turn, const wire::AttachVolumeRequest& request) {
  if (request.volume_id.empty()) return missing("volumeId");
  if (request.instance_id.empty()) return missing("instanceId");
  if (request.device.empty()) return missing("device");
  RUNCTL_TRY_LET(const VolumeId id, existing_volume(turn.state, request.volume_id));
  RUNCTL_TRY_LET(const InstanceId instance_id, existing_instance(turn.state, request.instance_id));
  const Volume& seen = *turn.state.volumes.find(id);
  const Instance& instance = *turn.state.instances.find(instance_id);
  const InstanceType* const type = instance_type_named(instance.type);
  if (type == nullptr) {  // a state file of a version that knew more types
    return refuse("UnsupportedOperation",
                  fmt::format("The emulator does not know {}", instance.type));
  }
  RUNCTL_TRY(check_instance_state(instance));
  RUNCTL_TRY(check_volume_state(seen, instance, *type));
  if (seen.zone != instance.zone) {
    return refuse(
        "InvalidVolume.ZoneMismatch",
        fmt::format("The volume '{}' is not in the same availability zone as instance '{}'", id,
                    instance_id));
  }
  RUNCTL_TRY(check_slot(turn.state, instance, *type, request.device));
  Volume& volume = turn.state.volumes.edit(id);
  volume.state = VolumeState::in_use;
  volume.attachments.push_back(
      {.instance = instance_id,
       .device = request.device,
       .attached = turn.now,
       .due = turn.stuck_attaching ? turn.now + never : turn.after(turn.pace.attach),
       .attempt = ++turn.state.last_attempt});
  return view_of(id, volume.attachments.back());
}

Result<wire::VolumeAttachment> detach_volume(Turn& turn, const wire::DetachVolumeRequest& request) {
  RUNCTL_TRY_LET(const VolumeId id, existing_volume(turn.state, request.volume_id));
  if (!request.instance_id.empty()) {
    RUNCTL_TRY(existing_instance(turn.state, request.instance_id));
  }
  const Volume& seen = *turn.state.volumes.find(id);
  RUNCTL_TRY_LET(const std::size_t at, attachment_meant(seen, request));
  RUNCTL_TRY(check_detach(turn.state, seen, seen.attachments[at], request));
  Attachment& attachment = turn.state.volumes.edit(id).attachments[at];
  // One that detaches already, or cannot as the machine has it open, goes on as it is.
  if (attachment.state == AttachmentState::attaching ||
      attachment.state == AttachmentState::attached) {
    attachment.state = AttachmentState::detaching;
    attachment.due = turn.after(turn.pace.detach);
    attachment.ordered = false;
  }
  return view_of(id, attachment);
}

}  // namespace runctl::emulator::ec2
