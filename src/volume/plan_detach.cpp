#include "volume/plan_detach.hpp"

#include <utility>

#include <fmt/format.h>

namespace runctl::volume {
namespace {

Error refuse(std::string message, std::string hint, std::string_view anchor) {
  return Error{.code = Errc::conflict,
               .message = std::move(message),
               .hint = std::move(hint),
               .section = fmt::format("EBS_CONCURRENT_ACCESS.md#{}", anchor)};
}

Error which_one(const VolumeFacts& volume) {
  Error error = refuse(
      fmt::format("Volume {} is attached to {} instances.", volume.id, volume.attachments.size()),
      "Say which one is meant with --instance:", "multi-attach");
  for (const auto& attachment : volume.attachments) {
    error.ways_out.push_back(
        fmt::format("runctl aws ebs detach {} --instance {}", volume.id, attachment.instance));
  }
  return error;
}

Error unreachable(const VolumeFacts& volume, const InstanceFacts& holder) {
  Error error = refuse(
      fmt::format("Instance {} holds volume {} and cannot be reached.", holder.id, volume.id),
      "What it has mounted and not yet written would be lost; its SSM agent does not answer.",
      "unreachable-machine");
  error.ways_out = {
      fmt::format("runctl aws ebs snapshot {}   # keeps what has reached the volume", volume.id),
      fmt::format("runctl aws wait {}           # when it has just been started", holder.id),
      fmt::format("runctl aws terminate {}      # when it is lost; see its --help first",
                  holder.id),
      fmt::format("runctl aws ebs detach {} --unsafe-force   # what was not written is lost",
                  volume.id)};
  return error;
}

}  // namespace

const AttachmentFacts* attachment_meant(const VolumeFacts& volume,
                                        const std::optional<InstanceId>& wanted) {
  if (wanted) return attachment_to(volume, *wanted);
  return volume.attachments.size() == 1 ? &volume.attachments.front() : nullptr;
}

DetachPlan plan_detach(const DetachFacts& facts) {
  const VolumeFacts& volume = facts.volume;
  DetachPlan plan;
  const auto* meant = attachment_meant(volume, facts.wanted_instance);
  if (meant == nullptr) {
    if (!facts.wanted_instance && volume.attachments.size() > 1) {
      plan.refusal = which_one(volume);
    } else {
      plan.already_detached = true;
    }
    return plan;
  }
  plan.attachment = *meant;
  if (volume.managed) {
    plan.refusal = refuse(fmt::format("Volume {} is managed by another AWS service.", volume.id),
                          "Only that service can detach it.", "managed-volumes");
    return plan;
  }
  if (meant->state == AttachmentState::detaching) return plan;  // on its way: only the wait is left
  if (!facts.holder) {
    plan.refusal = refuse(fmt::format("Instance {}, which holds volume {}, cannot be read.",
                                      meant->instance, volume.id),
                          "Look at it with the credentials of its account.", "unreachable-machine");
    return plan;
  }
  const InstanceFacts& holder = *facts.holder;
  const bool root = meant->device == holder.root_device;
  const bool off =
      holder.state == InstanceState::stopped || holder.state == InstanceState::terminated;
  if (root && !off) {
    plan.refusal =
        refuse(fmt::format("Volume {} is the root volume of instance {}.", volume.id, holder.id),
               "A root volume can be detached only from a stopped instance.", "root-volumes");
  } else if (!off && !facts.agent_online) {
    plan.by_force = facts.force == Force::yes;
    if (!plan.by_force) plan.refusal = unreachable(volume, holder);
  } else {
    plan.unmount_first = !off;
  }
  return plan;
}

}  // namespace runctl::volume
