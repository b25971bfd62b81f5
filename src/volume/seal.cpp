#include "volume/seal.hpp"

#include <utility>

#include <fmt/format.h>

#include "aws/ec2/tags.hpp"
#include "node/machine_facts.hpp"
#include "volume/detach.hpp"
#include "volume/job_watch.hpp"
#include "volume/machine.hpp"
#include "volume/mount.hpp"
#include "volume/read.hpp"

namespace runctl::volume {
namespace {

// For one question about the job; the job itself takes as long as it takes.
constexpr std::chrono::seconds question_patience{60};

Error refuse(std::string message, std::string hint) {
  return Error{.code = Errc::conflict,
               .message = std::move(message),
               .hint = std::move(hint),
               .section = "EBS_CONCURRENT_ACCESS.md#sealed-volumes"};
}

Error held_by_several(const VolumeFacts& volume) {
  Error error = refuse(fmt::format("Volume {} is attached to {} instances, and each can write it.",
                                   volume.id, volume.attachments.size()),
                       "Detach all of them but the one that has filled it.");
  for (const auto& attachment : volume.attachments) {
    error.ways_out.push_back(
        fmt::format("runctl aws ebs detach {} --instance {}", volume.id, attachment.instance));
  }
  return error;
}

Error held_by_readers(const VolumeFacts& volume) {
  Error error = refuse(fmt::format("Volume {} is attached to {}, which may be reading it.",
                                   volume.id, volume.attachments.front().instance),
                       "A sealed volume is opened again only while nobody has it.");
  for (const auto& attachment : volume.attachments) {
    error.ways_out.push_back(
        fmt::format("runctl aws ebs detach {} --instance {}", volume.id, attachment.instance));
  }
  error.ways_out.push_back(
      fmt::format("runctl aws ebs clone {}   # or work on a copy: it can be written", volume.id));
  return error;
}

// In this order: a volume that says `sealed` has its manifest.
Result<void> mark_as_sealed(const Change& change, const VolumeId& volume,
                            const std::string& digest) {
  RUNCTL_TRY(send<aws::ec2::CreateTags>(
      change, {.resources = {volume.str()},
               .tags = {{.key = std::string{tag::manifest}, .value = digest},
                        {.key = std::string{tag::mode}, .value = "sealed"}}}));
  return {};
}

}  // namespace

SealPlan plan_seal(const VolumeFacts& volume) {
  SealPlan plan;
  switch (mode_of(volume)) {
    case VolumeMode::sealed:
      plan.already_sealed = true;
      return plan;
    case VolumeMode::cluster:
      plan.refusal = refuse(fmt::format("Volume {} is in the mode 'cluster'.", volume.id),
                            "Its machines write it by the cluster's rules; copy the data to a "
                            "volume of its own and seal that.");
      return plan;
    case VolumeMode::exclusive:
      break;
  }
  if (volume.attachments.size() > 1) {
    plan.refusal = held_by_several(volume);
  } else if (volume.tags.contains(tag::needs_check)) {
    plan.refusal =
        refuse(fmt::format("Volume {} was pulled off a machine by force, and not checked since.",
                           volume.id),
               "Mount it once, which checks it first: runctl aws ebs mount");
  }
  return plan;
}

Result<Sealed> execute_seal(const Change& change, const VolumeFacts& volume,
                            const InstanceFacts& holder) {
  const Session& session = change.session;
  RUNCTL_TRY_LET(const auto machine,
                 node::inspect(machine_of(session, holder.id, question_patience)));
  if (machine.kind == node::StorageKind::directory) {
    return std::unexpected{
        refuse(fmt::format("On instance {} volumes are directories (hardware = files).", holder.id),
               "Nothing there can be made read-only, so nothing is sealed; nothing was changed.")};
  }
  Sealed sealed;
  sealed.mounted_at = mounted_at(machine, volume.id);
  session.progress(fmt::format("unmounting {} on {}", volume.id, holder.id));
  RUNCTL_TRY(quiesce(change, volume.id, holder.id));
  auto made = on_machine(
      change, "seal", {{"volume", volume.id.str()}, {"instance", holder.id.str()}}, [&]() {
        return node::make_manifest(machine_of(session, holder.id, question_patience), volume.id,
                                   watch_of(session, fmt::format("reading {}", volume.id)));
      });
  if (!made) {
    if (sealed.mounted_at) {
      made.error().details.push_back(fmt::format("volume {} was unmounted from {} on {}", volume.id,
                                                 *sealed.mounted_at, holder.id));
    }
    return std::unexpected{std::move(made).error()};
  }
  sealed.manifest = *std::move(made);
  RUNCTL_TRY(mark_as_sealed(change, volume.id, sealed.manifest.digest));
  if (!sealed.mounted_at) return sealed;
  auto now = volume;
  now.tags[std::string{tag::mode}] = "sealed";
  RUNCTL_TRY(mount(change, now, holder.id, {.directory = *sealed.mounted_at}));
  return sealed;
}

UnsealPlan plan_unseal(const VolumeFacts& volume) {
  UnsealPlan plan;
  if (mode_of(volume) != VolumeMode::sealed) {
    plan.already_unsealed = true;
  } else if (!volume.attachments.empty()) {
    plan.refusal = held_by_readers(volume);
  }
  return plan;
}

Result<void> execute_unseal(const Change& change, const VolumeFacts& planned) {
  RUNCTL_TRY_LET(const auto now,
                 read_volume(change.session.aws, planned.id, change.session.options()));
  if (auto plan = plan_unseal(now); plan.refusal) {
    plan.refusal->code = Errc::precondition;
    return std::unexpected{*std::move(plan.refusal)};
  }
  RUNCTL_TRY(send<aws::ec2::DeleteTags>(
      change, {.resources = {planned.id.str()},
               .tags = {{.key = std::string{tag::mode}}, {.key = std::string{tag::manifest}}}}));
  return {};
}

}  // namespace runctl::volume
