#include "volume/plan_attach.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace runctl::volume {
namespace {

constexpr std::string_view guide = "EBS_CONCURRENT_ACCESS.md";
// Source: docs, "Attach an EBS volume to multiple EC2 instances using Multi-Attach" (ebs-facts 8).
constexpr std::size_t most_attachments = 16;

Error refuse(std::string message, std::string hint, std::string_view anchor) {
  return Error{.code = Errc::conflict,
               .message = std::move(message),
               .hint = std::move(hint),
               .section = fmt::format("{}#{}", guide, anchor)};
}

// The names that AWS recommends for data volumes, /dev/sdf to /dev/sdp.
// Source: docs, "Device names for volumes on Amazon EC2 instances".
constexpr std::string_view recommended_letters = "fghijklmnop";

bool is_taken(const InstanceFacts& instance, std::string_view device) {
  return std::ranges::any_of(instance.devices,
                             [&](const DeviceMapping& d) { return d.device == device; });
}

// A recommended name that is free; where the search begins depends on the nonce, so that a volume
// that comes back does not get the name that it had, and two attempts rarely have the same. Once
// these are used up, the second letter row that EC2 knows follows. Empty when no name is left.
std::string free_device(const AttachFacts& facts) {
  const auto is_usable = [&](const std::string& device) {
    return !is_taken(facts.instance, device) &&
           std::ranges::find(facts.recent_devices, device) == facts.recent_devices.end();
  };
  for (std::size_t i = 0; i < recommended_letters.size(); ++i) {
    const char letter = recommended_letters[(facts.nonce + i) % recommended_letters.size()];
    std::string device = fmt::format("/dev/sd{}", letter);
    if (is_usable(device)) return device;
  }
  for (const char first : {'b', 'c'}) {
    for (char second = 'a'; second <= 'z'; ++second) {
      std::string device = fmt::format("/dev/xvd{}{}", first, second);
      if (is_usable(device)) return device;
    }
  }
  return {};
}

std::optional<Error> check_volume(const VolumeFacts& volume) {
  const std::string& id = volume.id.str();
  if (volume.managed) {
    return refuse(fmt::format("Volume {} is managed by another AWS service", id),
                  "Only that service can attach it; use a volume of your own.", "managed-volumes");
  }
  if (volume.state == VolumeState::creating) {
    return refuse(fmt::format("Volume {} is still being created", id),
                  fmt::format("Try again when `runctl aws ebs show {}` says 'available'.", id),
                  "volume-states");
  }
  if (volume.state == VolumeState::error) {
    return refuse(
        fmt::format("Volume {} is in the state 'error': AWS lost the hardware behind it", id),
        "What was on it is gone; restore its newest snapshot (runctl aws ebs restore).",
        "volume-states");
  }
  if (volume.state == VolumeState::deleting || volume.state == VolumeState::deleted) {
    return refuse(fmt::format("Volume {} is being deleted", id), "Use a different volume.",
                  "volume-states");
  }
  return std::nullopt;
}

std::optional<Error> check_instance(const InstanceFacts& instance) {
  if (instance.state == InstanceState::running || instance.state == InstanceState::stopped) {
    return std::nullopt;
  }
  const std::string& id = instance.id.str();
  const bool starting = instance.state == InstanceState::pending;
  return refuse(
      fmt::format("Instance {} is '{}', and volumes can be attached only to one that is running or "
                  "stopped",
                  id, name_of(instance.state)),
      starting ? fmt::format("Wait for it first: runctl aws wait {}", id)
               : "Use a different instance.",
      "instance-states");
}

Error wrong_zone(const AttachFacts& facts) {
  const std::string& id = facts.volume.id.str();
  Error error = refuse(fmt::format("Volume {} is in zone {}, instance {} in zone {}", id,
                                   facts.volume.zone, facts.instance.id, facts.instance.zone),
                       "A volume can be attached only within its own zone; a snapshot goes "
                       "everywhere in the region.",
                       "wrong-zone");
  error.ways_out = {fmt::format("SNAP=$(runctl aws ebs snapshot {} --wait --output id)", id),
                    fmt::format("runctl aws ebs restore $SNAP --availability-zone {} --wait",
                                facts.instance.zone)};
  return error;
}

// What the machine's type cannot do with this volume.
std::optional<Error> check_type(const AttachFacts& facts) {
  const auto& instance = facts.instance;
  if (facts.volume.multi_attach && !facts.type.nitro.value_or(true)) {
    return refuse(
        fmt::format("Volume {} has Multi-Attach, and {} instances such as {} cannot use it",
                    facts.volume.id, instance.type, instance.id),
        "Use an instance type on the Nitro system (t3, m5, g4dn and newer).", "multi-attach");
  }
  if (facts.volume.encrypted && !facts.type.takes_encrypted.value_or(true)) {
    return refuse(fmt::format("Volume {} is encrypted, and {} instances such as {} cannot use it",
                              facts.volume.id, instance.type, instance.id),
                  "Use a newer instance type.", "attachment-limits");
  }
  return std::nullopt;
}

std::optional<Error> check_slots(const AttachFacts& facts) {
  const auto& instance = facts.instance;
  if (facts.type.attachment_limit && instance.devices.size() >= *facts.type.attachment_limit) {
    return refuse(fmt::format("Instance {} ({}) has {} volumes, as many as its type takes",
                              instance.id, instance.type, instance.devices.size()),
                  "Detach one of them, or use a larger instance type.", "attachment-limits");
  }
  if (facts.wanted_device && is_taken(instance, *facts.wanted_device)) {
    return refuse(
        fmt::format("Instance {} has another volume as {}", instance.id, *facts.wanted_device),
        "Leave --device out, and a free name is chosen.", "device-names");
  }
  return std::nullopt;
}

}  // namespace

Error held_volume(const VolumeFacts& volume, const AttachmentFacts& attachment,
                  const std::optional<InstanceFacts>& holder, const InstanceId& wanted_by) {
  const std::string& id = volume.id.str();
  Error error =
      refuse(fmt::format("Volume {} is already attached to instance {}.", id, attachment.instance),
             "Detach it first or use a different volume.", "held-volume");
  std::string machine = holder ? label_of(*holder) : attachment.instance.str();
  if (holder) machine += fmt::format(", {}, {}", holder->type, name_of(holder->state));
  error.details.push_back("held by:   " + machine);
  error.details.push_back(
      fmt::format("device:    {} ({})", attachment.device, name_of(attachment.state)));
  if (attachment.since) error.details.push_back("since:     " + iso8601(*attachment.since));
  if (mode_of(volume) == VolumeMode::sealed) {
    error.details.emplace_back("note:      it is sealed, but has no Multi-Attach");
  } else {
    error.details.emplace_back("danger:    two machines that write one filesystem destroy it");
  }
  if (volume.multi_attach && mode_of(volume) != VolumeMode::sealed) {
    // The API has no read-only attach, so a second machine could write.
    error.details.emplace_back(
        "note:      Multi-Attach is on, but ext4 and XFS cannot be shared by writers");
    error.ways_out.push_back(
        fmt::format("runctl aws ebs seal {}   # then all of its machines read it", id));
  }
  error.ways_out.insert(
      error.ways_out.end(),
      {fmt::format("runctl aws ebs detach {}", id),
       fmt::format("runctl aws ebs attach {} --instance {}", id, wanted_by),
       fmt::format("runctl aws ebs move {} --to {}   # both in one", id, wanted_by),
       fmt::format("runctl aws ebs clone {} --instance {}   # or work on a copy", id, wanted_by)});
  if (volume.multi_attach) error.ways_out.emplace_back("runctl aws ebs advise   # compares them");
  return error;
}

std::optional<Error> check_use(const VolumeFacts& volume, const InstanceId& instance) {
  const auto* const here = attachment_to(volume, instance);
  if (here != nullptr && here->state != AttachmentState::attached &&
      here->state != AttachmentState::attaching) {
    return refuse(fmt::format("Volume {} is on its way off instance {} ('{}')", volume.id, instance,
                              name_of(here->state)),
                  "Wait until it is detached, then attach it again.", "volume-states");
  }
  if (is_shared(volume)) return std::nullopt;
  const auto other = std::ranges::find_if(
      volume.attachments,
      [&](const AttachmentFacts& attachment) { return attachment.instance != instance; });
  if (other == volume.attachments.end()) return std::nullopt;
  Error error = held_volume(volume, *other, std::nullopt, instance);
  if (here == nullptr) return error;
  error.details.push_back(
      fmt::format("note:      it is attached to {} as well, and only one may use it", instance));
  error.ways_out = {
      fmt::format("runctl aws ebs detach {} --instance {}", volume.id, other->instance),
      fmt::format("runctl aws ebs detach {} --instance {}   # or leave it to that one", volume.id,
                  instance)};
  return error;
}

AttachPlan plan_attach(const AttachFacts& facts) {
  const VolumeFacts& volume = facts.volume;
  AttachPlan plan;
  if (const auto* here = attachment_to(volume, facts.instance.id)) {
    plan.device = here->device;
    plan.refusal = check_use(volume, facts.instance.id);
    plan.already_attached = !plan.refusal.has_value();
    return plan;
  }
  plan.refusal = check_volume(volume);
  if (!plan.refusal && !volume.attachments.empty() && !is_shared(volume)) {
    plan.refusal = held_volume(volume, volume.attachments.front(), facts.holder, facts.instance.id);
  }
  if (!plan.refusal && volume.attachments.size() >= most_attachments) {
    plan.refusal =
        refuse(fmt::format("Volume {} is attached to {} instances, as many as "
                           "Multi-Attach takes",
                           volume.id, volume.attachments.size()),
               "Detach it from one of them, or restore a snapshot of it.", "multi-attach");
  }
  if (!plan.refusal) plan.refusal = check_instance(facts.instance);
  if (!plan.refusal && volume.zone != facts.instance.zone) plan.refusal = wrong_zone(facts);
  if (!plan.refusal) plan.refusal = check_type(facts);
  if (!plan.refusal) plan.refusal = check_slots(facts);
  if (plan.refusal) return plan;

  plan.device = facts.wanted_device.value_or(free_device(facts));
  if (plan.device.empty()) {
    plan.refusal = refuse(fmt::format("Instance {} has no device name left", facts.instance.id),
                          "Detach one of its volumes first.", "device-names");
  }
  return plan;
}

AttachOutcome classify_attach(const VolumeFacts& volume, const InstanceId& instance,
                              const std::string& device) {
  if (const auto* here = attachment_to(volume, instance)) {
    return here->device == device ? AttachOutcome::ours : AttachOutcome::other_name;
  }
  if (volume.attachments.empty() || is_shared(volume)) return AttachOutcome::not_yet;
  return AttachOutcome::lost;
}

}  // namespace runctl::volume
