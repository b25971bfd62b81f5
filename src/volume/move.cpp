#include "volume/move.hpp"

#include <utility>

#include <fmt/format.h>

#include "volume/attach.hpp"
#include "volume/place.hpp"
#include "volume/read.hpp"

namespace runctl::volume {
namespace {

Error refuse(std::string message, std::string hint, std::string_view anchor) {
  return Error{.code = Errc::conflict,
               .message = std::move(message),
               .hint = std::move(hint),
               .section = fmt::format("EBS_CONCURRENT_ACCESS.md#{}", anchor)};
}

std::optional<Error> check_target(const MoveFacts& facts, const MovePlan& plan) {
  const VolumeFacts& volume = facts.to.volume;
  const InstanceFacts& target = facts.to.instance;
  if (is_shared(volume)) {
    Error error = refuse(
        fmt::format("Volume {} is sealed and shared: there is nothing to hand over.", volume.id),
        "Attach it to the other machine as well.", "sealed-volumes");
    error.ways_out = {fmt::format("runctl aws ebs attach {} --instance {}", volume.id, target.id)};
    return error;
  }
  if (!plan.mount) return std::nullopt;
  if (auto refusal = check_mount(volume, target, *plan.mount)) return refusal;
  if (facts.target_online) return std::nullopt;
  Error error = refuse(
      fmt::format("Instance {} cannot be reached, so nothing can be mounted there.", target.id),
      "Nothing was changed: the volume stays where it is.", "unreachable-machine");
  error.ways_out = {fmt::format("runctl aws wait {}   # when it has just been started", target.id)};
  return error;
}

}  // namespace

Result<MoveFacts> read_move_facts(const Session& session, const VolumeFacts& volume,
                                  const InstanceFacts& target) {
  RUNCTL_TRY_LET(auto from, read_detach_facts(session, volume, std::nullopt));
  VolumeFacts freed = volume;
  // On the target itself there is nothing to be freed from.
  if (attachment_to(volume, target.id) == nullptr) {
    freed.attachments.clear();
    if (freed.state == VolumeState::in_use) freed.state = VolumeState::available;
  }
  RUNCTL_TRY_LET(auto to, read_attach_facts(session, freed, target));
  for (const AttachmentFacts& attachment : volume.attachments) {
    to.recent_devices.push_back(attachment.device);
  }
  MoveFacts facts{.from = std::move(from), .to = std::move(to)};
  if (target.state == InstanceState::running) {
    RUNCTL_TRY_LET(facts.target_online, session.shell.is_reachable(target.id, session.stop));
  }
  if (facts.from.holder && facts.from.agent_online) {
    RUNCTL_TRY_LET(facts.mounted_at, mounted_at(session, volume.id, facts.from.holder->id));
  }
  return facts;
}

MovePlan plan_move(const MoveFacts& facts) {
  MovePlan plan;
  const auto directory = facts.wanted_directory ? facts.wanted_directory : facts.mounted_at;
  if (directory) plan.mount = MountSpec{.directory = *directory};
  if (attachment_to(facts.from.volume, facts.to.instance.id) != nullptr) {
    plan.already_there = true;
    plan.detach.already_detached = true;
  } else {
    plan.detach = plan_detach(facts.from);
    plan.refusal = plan.detach.refusal;
  }
  if (plan.refusal) return plan;
  plan.attach = plan_attach(facts.to);
  plan.refusal = plan.attach.refusal;
  if (!plan.refusal) plan.refusal = check_target(facts, plan);
  return plan;
}

Result<Moved> execute_move(const Change& change, const MoveFacts& facts, const MovePlan& plan) {
  const Session& session = change.session;
  const VolumeId& id = facts.from.volume.id;
  const InstanceFacts& target = facts.to.instance;
  if (!plan.detach.already_detached) {
    RUNCTL_TRY(execute_detach(change, facts.from, plan.detach));
  }
  auto placed = [&]() -> Result<Placed> {
    // As it is now that nobody has it.
    RUNCTL_TRY_LET(const auto freed, read_volume(session.aws, id, session.options()));
    return place(change, freed, target,
                 {.mount = plan.mount,
                  .device = plan.already_there ? std::nullopt : std::optional{plan.attach.device},
                  .recent_devices = facts.to.recent_devices});
  }();
  if (!placed) {
    if (!plan.detach.already_detached) {
      placed.error().details.push_back(fmt::format("volume {} was unmounted and detached from {}",
                                                   id, plan.detach.attachment->instance));
    }
    return std::unexpected{std::move(placed).error()};
  }
  return Moved{.device = std::move(placed->device), .mounted = std::move(placed->mounted)};
}

}  // namespace runctl::volume
