#include "volume/detach.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "aws/ec2/tags.hpp"
#include "node/machine_facts.hpp"
#include "node/run.hpp"
#include "node/volume_on_machine.hpp"
#include "volume/lost_reply.hpp"
#include "volume/machine.hpp"
#include "volume/read.hpp"
#include "volume/snapshot.hpp"
#include "volume/wait.hpp"

namespace runctl::volume {
namespace {

// Writing back gigabytes takes a while on a slow volume.
constexpr std::chrono::seconds unmount_patience{300};
// A device that the machine has let go is detached within seconds; `busy` for longer means it has
// not.
constexpr std::chrono::seconds busy_patience{20};

std::unexpected<Error> held_by_machine(const VolumeFacts& volume,
                                       const AttachmentFacts& attachment) {
  auto error =
      fail(Errc::conflict, fmt::format("Volume {} is '{}': instance {} still holds its device",
                                       volume.id, name_of(attachment.state), attachment.instance));
  error.error().hint =
      "DetachVolume was accepted and ends when the machine lets the device go: a process still has "
      "it open, or a mount does that could not be taken down.";
  error.error().effect = Effect::applied;
  error.error().ways_out = {fmt::format("runctl aws status {}", attachment.instance),
                            fmt::format("runctl aws ebs detach {}   # waits again", volume.id)};
  error.error().section = "EBS_CONCURRENT_ACCESS.md#volume-in-use";
  return error;
}

// EC2 says so of an attachment that is gone already; a read has to agree.
bool may_be_done(const Error& error) {
  if (error.effect != Effect::not_applied) return true;
  return error.remote && (error.remote->code == "IncorrectState" ||
                          error.remote->code == "InvalidAttachment.NotFound");
}

Result<void> wait_until_gone(const Session& session, const VolumeId& id,
                             const AttachmentFacts& attachment) {
  const auto started = session.clock.ticks();
  auto gone = wait_until_agreed<bool>(
      session, {.max_delay = std::chrono::seconds{1}},
      fmt::format("volume {} to be detached from {}", id, attachment.instance),
      [&]() -> Result<std::optional<bool>> {
        RUNCTL_TRY_LET(const auto seen, read_volume(session.aws, id, session.options()));
        const auto* here = attachment_to(seen, attachment.instance);
        // Without Multi-Attach the volume itself has to be free as well.
        if (here == nullptr) {
          const bool free = seen.multi_attach || seen.state != VolumeState::in_use ||
                            !seen.attachments.empty();  // another machine's by now
          return free ? std::optional{true} : std::nullopt;
        }
        const bool patient = session.clock.ticks() - started < busy_patience;
        if (here->state == AttachmentState::busy && !patient) return held_by_machine(seen, *here);
        return std::nullopt;
      });
  if (gone) return {};
  if (gone.error().code == Errc::deadline_exceeded) {
    gone.error().hint = fmt::format(
        "DetachVolume was accepted, and the filesystem is unmounted. See how it stands: "
        "runctl aws ebs show {}",
        id);
    gone.error().effect = Effect::applied;
  } else if (gone.error().effect != Effect::applied) {
    gone.error().details.push_back(
        fmt::format("DetachVolume of {} from {} was accepted", id, attachment.instance));
  }
  return std::unexpected{std::move(gone).error()};
}

// After a lost answer, or one that says that there was nothing to detach: reading tells.
Result<void> resolve(const Session& session, const VolumeId& id, const AttachmentFacts& attachment,
                     const Error& sent) {
  auto gone = wait_until_gone(session, id, attachment);
  if (gone) return gone;
  if (sent.effect == Effect::not_applied) {
    return gone.error().code == Errc::deadline_exceeded ? std::unexpected{sent} : gone;
  }
  return std::unexpected{lost_reply(std::move(gone).error(), "DetachVolume", id,
                                    fmt::format("instance {} still has it", attachment.instance))};
}

// Before a volume is pulled off a machine: what has reached it is kept, and its next mount to write
// checks it first. Source: the design's attach protocol, (c) 9.
Result<void> prepare_force(const Change& change, const VolumeFacts& volume,
                           const InstanceId& instance) {
  // Consent was given to what was seen before it was asked for.
  const Session& session = change.session;
  RUNCTL_TRY_LET(const bool online, session.shell.is_reachable(instance, session.stop));
  if (online) {
    auto answers = fail(Errc::precondition,
                        fmt::format("Instance {} answers again, so that volume {} is not pulled "
                                    "off it",
                                    instance, volume.id));
    answers.error().hint = "Nothing was changed. It can be unmounted first:";
    answers.error().ways_out = {fmt::format("runctl aws ebs detach {}", volume.id)};
    answers.error().section = "EBS_CONCURRENT_ACCESS.md#unreachable-machine";
    return answers;
  }
  RUNCTL_TRY_LET(const auto kept, take_snapshot(change, volume,
                                                {.description = "before a detach by force",
                                                 .freezing = Freezing::no}));
  session.progress(fmt::format("snapshot {} keeps what had reached it", kept.snapshot.id));
  // A sealed one has not been written: there is nothing to be checked, and no mount that could.
  if (mode_of(volume) == VolumeMode::sealed) return {};
  RUNCTL_TRY(send<aws::ec2::CreateTags>(
      change, {.resources = {volume.id.str()},
               .tags = {{.key = std::string{tag::needs_check}, .value = kept.snapshot.id.str()}}}));
  return {};
}

// Whether a directory, as the machine's processes find it, is on the volume. Without block hardware
// they find a mount point below a folder of the machine's own.
bool is_on(const node::MachineFacts& facts, const VolumeId& volume, const std::string& directory) {
  const auto* device = node::find_volume(facts, volume);
  if (device == nullptr) return false;
  return std::ranges::any_of(device->mounts, [&](const node::MountFacts& mount) {
    const std::string folder = mount.mount_point + "/";
    return facts.kind == node::StorageKind::block ? directory.starts_with(folder)
                                                  : directory.contains(folder);
  });
}

// Names the runs that have their checkpoints on the volume, and how each is ended. What the machine
// does not say of them now is left out: the refusal stands without it.
void name_runs(Error& error, const node::Machine& machine, const VolumeId& volume) {
  constexpr std::size_t most = 20;
  const auto facts = node::inspect(machine);
  if (!facts) return;
  const auto runs = node::list_runs(machine, most);
  if (!runs) return;
  for (const node::RunReport& run : *runs) {
    if (run.state != node::RunState::running || !is_on(*facts, volume, run.checkpoint_directory))
      continue;
    error.details.push_back(
        fmt::format("run {} has its checkpoints on it: {}", run.id.str(), run.command));
    error.ways_out.push_back(
        fmt::format("runctl runs stop {}   # it may save its work first", run.id.str()));
  }
}

}  // namespace

Result<DetachFacts> read_detach_facts(const Session& session, const VolumeFacts& volume,
                                      const std::optional<InstanceId>& wanted_instance) {
  DetachFacts facts{.volume = volume, .wanted_instance = wanted_instance};
  const auto* meant = attachment_meant(volume, wanted_instance);
  if (meant == nullptr) return facts;
  auto holder = read_instance(session.aws, meant->instance, session.options());
  if (!holder && holder.error().code == Errc::not_found) return facts;
  if (!holder) return std::unexpected{std::move(holder).error()};
  facts.holder = *std::move(holder);
  RUNCTL_TRY_LET(facts.agent_online, session.shell.is_reachable(meant->instance, session.stop));
  return facts;
}

Result<void> quiesce(const Change& change, const VolumeId& volume, const InstanceId& instance) {
  const Session& session = change.session;
  const auto machine = machine_of(session, instance, unmount_patience);
  auto unmounted =
      on_machine(change, "unmount", {{"volume", volume.str()}, {"instance", instance.str()}},
                 [&]() { return node::unmount(machine, volume); });
  if (unmounted) return {};
  Error& error = unmounted.error();
  const std::string code = error.remote ? error.remote->code : "";
  if (code == "no_device") return {};  // the machine has let go of it already
  if (code == "busy") {
    error.message = fmt::format("Volume {} is in use on instance {}.", volume, instance);
    error.hint = "Nothing was changed. Stop what uses it, or wait until it ends, and try again.";
    error.ways_out = {fmt::format("runctl aws status {}", instance)};
    name_runs(error, machine, volume);
    error.section = "EBS_CONCURRENT_ACCESS.md#volume-in-use";
  }
  return std::unexpected{std::move(error)};
}

Result<void> execute_detach(const Change& change, const DetachFacts& facts,
                            const DetachPlan& plan) {
  const Session& session = change.session;
  const VolumeId& id = facts.volume.id;
  const AttachmentFacts& attachment = *plan.attachment;
  if (plan.unmount_first) {
    session.progress(fmt::format("unmounting {} on {}", id, attachment.instance));
    RUNCTL_TRY(quiesce(change, id, attachment.instance));
  }
  if (plan.by_force) RUNCTL_TRY(prepare_force(change, facts.volume, attachment.instance));
  if (attachment.state != AttachmentState::detaching) {
    // With instance and device, so that it can only mean the attachment that was looked at.
    const aws::ec2::DetachVolumeRequest request{
        .volume_id = id.str(),
        .instance_id = attachment.instance.str(),
        .device = attachment.device,
        .force = plan.by_force ? std::optional{true} : std::nullopt};
    session.progress(fmt::format("detaching {} from {}", id, attachment.instance));
    auto sent = send<aws::ec2::DetachVolume>(change, request);
    if (!sent && !may_be_done(sent.error())) return std::unexpected{std::move(sent).error()};
    if (!sent) return resolve(session, id, attachment, sent.error());
  }
  return wait_until_gone(session, id, attachment);
}

}  // namespace runctl::volume
