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

// What was read is what will be: nobody else may have had it since.
Result<void> check_still_alone(const Session& session, const VolumeId& volume,
                               const InstanceId& holder) {
  RUNCTL_TRY_LET(const auto now, read_volume(session.aws, volume, session.options()));
  if (now.attachments.size() == 1 && attachment_to(now, holder) != nullptr) return {};
  auto changed = fail(Errc::precondition,
                      fmt::format("volume {} has been attached or detached while it was read, so "
                                  "it is not sealed",
                                  volume));
  changed.error().hint = fmt::format("Look at it: runctl aws ebs show {}", volume);
  return changed;
}

Result<Sealed> seal_unmounted(const Change& change, const VolumeFacts& volume,
                              const InstanceId& holder,
                              const std::optional<std::string>& mount_point) {
  const Session& session = change.session;
  boost::json::object what{{"volume", volume.id.str()}, {"instance", holder.str()}};
  if (mount_point) what["mounted_at"] = *mount_point;
  RUNCTL_TRY_LET(auto manifest, on_machine(change, "seal", what, [&]() {
                   return node::make_manifest(
                       machine_of(session, holder, question_patience), volume.id,
                       watch_of(session, fmt::format("reading {}", volume.id)));
                 }));
  auto marked = check_still_alone(session, volume.id, holder);
  if (marked) marked = mark_as_sealed(change, volume.id, manifest.digest);
  if (!marked) {
    marked.error().details.push_back(
        fmt::format("the device of {} on {} is read-only until it is detached and attached again, "
                    "or sealed",
                    volume.id, holder));
    return std::unexpected{std::move(marked).error()};
  }
  Sealed sealed{.manifest = std::move(manifest), .mounted_at = mount_point};
  if (!mount_point) return sealed;
  auto now = volume;
  now.tags[std::string{tag::mode}] = "sealed";
  auto mounted = mount(change, now, holder, {.directory = *mount_point});
  if (mounted) return sealed;
  mounted.error().details.push_back(fmt::format("volume {} is sealed", volume.id));
  return std::unexpected{std::move(mounted).error()};
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
                            const InstanceFacts& holder,
                            std::optional<std::string> mounted_before) {
  const Session& session = change.session;
  RUNCTL_TRY_LET(const auto machine,
                 node::inspect(machine_of(session, holder.id, question_patience)));
  if (machine.kind == node::StorageKind::directory) {
    return std::unexpected{
        refuse(fmt::format("On instance {} volumes are directories (hardware = files).", holder.id),
               "Nothing there can be made read-only, so nothing is sealed; nothing was changed.")};
  }
  auto mount_point = mounted_at(machine, volume.id);
  if (!mount_point) mount_point = std::move(mounted_before);
  session.progress(fmt::format("unmounting {} on {}", volume.id, holder.id));
  RUNCTL_TRY(quiesce(change, volume.id, holder.id));
  auto sealed = seal_unmounted(change, volume, holder.id, mount_point);
  if (!sealed && mount_point) {
    sealed.error().details.push_back(
        fmt::format("volume {} was unmounted from {} on {}", volume.id, *mount_point, holder.id));
  }
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
