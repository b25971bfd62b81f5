#include "volume/plan_delete.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace runctl::volume {
namespace {

Error refuse(std::string message, std::string hint) {
  return Error{.code = Errc::conflict,
               .message = std::move(message),
               .hint = std::move(hint),
               .section = "EBS_CONCURRENT_ACCESS.md#deleting"};
}

Error attached(const VolumeFacts& volume) {
  const auto& attachment = volume.attachments.front();
  Error error = refuse(fmt::format("Volume {} is attached to instance {} as {}.", volume.id,
                                   attachment.instance, attachment.device),
                       "Detach it first; detaching unmounts it and refuses while it is in use.");
  error.ways_out = {fmt::format("runctl aws ebs detach {}", volume.id),
                    fmt::format("runctl aws ebs delete {}", volume.id)};
  return error;
}

}  // namespace

DeletePlan plan_delete(const VolumeFacts& volume, std::span<const SnapshotFacts> snapshots) {
  DeletePlan plan;
  if (volume.state == VolumeState::deleting || volume.state == VolumeState::deleted) {
    plan.already_gone = true;
    return plan;
  }
  if (!volume.attachments.empty()) {
    plan.refusal = attached(volume);
  } else if (volume.tags.contains(tag::is_protected)) {
    plan.refusal =
        refuse(fmt::format("Volume {} is protected (tag {}).", volume.id, tag::is_protected),
               "Take the protection away first if it really may go.");
    plan.refusal->ways_out = {fmt::format("runctl aws ebs unprotect {}", volume.id)};
  } else if (mode_of(volume) == VolumeMode::sealed) {
    plan.refusal = refuse(
        fmt::format("Volume {} is sealed: it holds a dataset that others may rely on.", volume.id),
        "Open it first if it really may go.");
    plan.refusal->ways_out = {fmt::format("runctl aws ebs unseal {}", volume.id)};
  } else if (volume.managed) {
    plan.refusal = refuse(fmt::format("Volume {} is managed by another AWS service.", volume.id),
                          "Delete it there.");
  } else if (volume.state == VolumeState::creating) {
    plan.refusal = refuse(fmt::format("Volume {} is still being created.", volume.id),
                          "Try again when it is 'available'.");
  }
  plan.is_only_copy = std::ranges::none_of(snapshots, [](const SnapshotFacts& snapshot) {
    return snapshot.state == SnapshotState::completed;
  });
  return plan;
}

}  // namespace runctl::volume
