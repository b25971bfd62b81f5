#include "fleet/prewarm.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "aws/ec2/tags.hpp"
#include "base/json.hpp"
#include "base/time_text.hpp"
#include "fleet/data_volumes.hpp"
#include "fleet/give_back.hpp"
#include "fleet/judge.hpp"
#include "fleet/provision.hpp"
#include "fleet/terminate.hpp"
#include "journal/operation.hpp"
#include "node/fetch.hpp"
#include "node/machine_facts.hpp"
#include "volume/attach.hpp"
#include "volume/detach.hpp"
#include "volume/holder.hpp"
#include "volume/machine.hpp"
#include "volume/place.hpp"
#include "volume/plan_attach.hpp"
#include "volume/read.hpp"

namespace runctl::fleet {
namespace {

using volume::Change;
using volume::InstanceFacts;
using volume::Session;
using volume::VolumeFacts;

constexpr std::chrono::seconds question_patience{60};
Error refuse(std::string message, std::string hint, std::string_view anchor) {
  return Error{.code = Errc::conflict,
               .message = std::move(message),
               .hint = std::move(hint),
               .section = fmt::format("EBS_CONCURRENT_ACCESS.md#{}", anchor)};
}

// Of its own, so that nobody takes it for where the data will be.
std::string own_mount_point(const VolumeId& volume) {
  return fmt::format("/run/runctl/pre-warm/{}", volume);
}

Result<void> check_volume(const VolumeFacts& volume) {
  if (volume::mode_of(volume) == volume::VolumeMode::exclusive) return {};
  Error error = refuse(
      fmt::format("Volume {} is {}, and cannot be filled.", volume.id,
                  volume::mode_of(volume) == volume::VolumeMode::sealed ? "sealed"
                                                                        : "in the mode 'cluster'"),
      "What is on it would not be what its readers rely on.", "sealed-volumes");
  if (volume::mode_of(volume) == volume::VolumeMode::sealed) {
    error.ways_out = {fmt::format("runctl aws ebs unseal {}", volume.id),
                      fmt::format("runctl aws ebs clone {}   # or fill a copy", volume.id)};
  }
  return std::unexpected{std::move(error)};
}

// On a machine that has it: it may be mounted there, or not yet.
Result<PrewarmPlan> plan_with_holder(const Session& session, PrewarmPlan plan,
                                     const std::optional<InstanceId>& wanted) {
  RUNCTL_TRY_LET(auto holder, volume::reachable_holder(session, plan.volume, wanted, "filled"));
  const InstanceId id = holder.instance.id;
  plan.machine = std::move(holder.instance);
  RUNCTL_TRY_LET(const auto facts,
                 node::inspect(volume::machine_of(session, id, question_patience)));
  const auto* const device = node::find_volume(facts, plan.volume.id);
  plan.mounts = device == nullptr || device->mounts.empty();
  if (plan.mounts) {
    if (auto refusal = volume::check_mount(plan.volume, *plan.machine, plan.mount))
      return std::unexpected{*std::move(refusal)};
    return plan;
  }
  for (const auto& mount : device->mounts) {
    if (mount.read_only || mount.root != "/" || !mount.own_namespace) continue;
    plan.mount.directory = mount.mount_point;
    return plan;
  }
  Error error = refuse(fmt::format("Instance {} has volume {} mounted, and not so that it can be "
                                   "filled: read-only, or only where a container sees it.",
                                   id, plan.volume.id),
                       "Unmount it there first.", "volume-in-use");
  error.ways_out = {fmt::format("runctl aws ebs unmount {}", plan.volume.id)};
  return std::unexpected{std::move(error)};
}

Result<PrewarmPlan> plan_on_named(const Session& session, PrewarmPlan plan,
                                  const InstanceFacts& instance) {
  RUNCTL_TRY_LET(const auto facts, volume::read_attach_facts(session, plan.volume, instance));
  auto attach = volume::plan_attach(facts);
  if (!attach.refusal) attach.refusal = volume::check_mount(plan.volume, instance, plan.mount);
  if (attach.refusal) return std::unexpected{*std::move(attach.refusal)};
  RUNCTL_TRY_LET(const bool online, session.shell.is_reachable(instance.id, session.stop));
  if (!online) {
    Error error = refuse(fmt::format("Instance {} cannot be reached.", instance.id),
                         "Its SSM agent does not answer.", "unreachable-machine");
    error.ways_out = {
        fmt::format("runctl aws wait {}   # when it has just been started", instance.id)};
    return std::unexpected{std::move(error)};
  }
  plan.machine = instance;
  plan.attaches = plan.mounts = true;
  return plan;
}

Result<PrewarmPlan> plan_with_rented(PrewarmPlan plan) {
  RUNCTL_TRY_LET(plan.launch.zone, zone_for({plan.volume}, plan.volume.zone));
  plan.attaches = plan.mounts = true;
  // What is asked of the volume alone: the machine is yet to come.
  RUNCTL_TRY_LET(auto nobody, InstanceId::parse("i-00000000"));
  const InstanceFacts future{
      .id = std::move(nobody), .state = volume::InstanceState::running, .zone = plan.volume.zone};
  if (auto refusal = volume::check_mount(plan.volume, future, plan.mount))
    return std::unexpected{*std::move(refusal)};
  return plan;
}

// What was done for the filling, as far as it has to be undone.
struct Borrowed {
  VolumeId volume;
  InstanceId machine;
  bool rented = false;
  bool attached = false;
  bool mounted = false;
};

// Whether the volume has left the machine.
Result<bool> is_away(const Session& session, const Borrowed& what) {
  RUNCTL_TRY_LET(const auto volume,
                 volume::read_volume(session.aws, what.volume, session.options()));
  return volume::attachment_to(volume, what.machine) == nullptr;
}

Result<void> take_off(const Change& change, const Borrowed& what) {
  const Session& session = change.session;
  RUNCTL_TRY(node::end_fetch(volume::machine_of(session, what.machine, question_patience),
                             {.volume = what.volume}));
  if (what.mounted) {
    session.progress(fmt::format("unmounting {} on {}", what.volume, what.machine));
    RUNCTL_TRY(volume::quiesce(change, what.volume, what.machine));
  }
  if (!what.attached) return {};
  RUNCTL_TRY_LET(const auto volume,
                 volume::read_volume(session.aws, what.volume, session.options()));
  RUNCTL_TRY_LET(const auto facts, volume::read_detach_facts(session, volume, what.machine));
  auto plan = volume::plan_detach(facts);
  if (plan.refusal) return std::unexpected{*std::move(plan.refusal)};
  if (plan.already_detached) return {};
  return volume::execute_detach(change, facts, plan);
}

// Its volumes must be away, or marked.
Result<void> terminate_rented(const Change& change, const InstanceId& id) {
  const Session& session = change.session;
  auto instance = volume::read_instance(session.aws, id, session.options());
  if (!instance && instance.error().code == Errc::not_found) return {};
  if (!instance) return std::unexpected{std::move(instance).error()};
  const PowerFacts facts{.instance = *std::move(instance)};
  auto plan = plan_terminate(facts, Unmounting::skipped);
  if (plan.refusal) return std::unexpected{*std::move(plan.refusal)};
  if (plan.already_gone) return {};
  session.progress(fmt::format("terminating the temporary instance {}", id));
  return execute_terminate(change, facts, plan);
}

Result<void> give_back(const Change& change, const Borrowed& what) {
  RUNCTL_TRY_LET(const bool away, is_away(change.session, what));
  auto off =
      away ? Result<void>{} : patiently(change.session, [&] { return take_off(change, what); });
  if (!what.rented) return off;
  if (!off) {
    // A machine that costs money is not kept for it, and the volume is not mounted unseen again.
    RUNCTL_TRY(volume::send<aws::ec2::CreateTags>(
        change, {.resources = {what.volume.str()},
                 .tags = {{.key = std::string{volume::tag::needs_check}, .value = "true"}}}));
  }
  return terminate_rented(change, what.machine);
}

struct Work {
  Filling filling = Filling::partial;
  std::optional<volume::Sealed> sealed = {};
};

Result<Work> work_on(const Change& change, const PrewarmPlan& plan, InstanceFacts machine,
                     const Fill& fill) {
  const Session& session = change.session;
  const InstanceId id = machine.id;
  if (!plan.machine) {
    RUNCTL_TRY_LET(machine, wait_until_ready(session, id));
  }
  if (plan.attaches) {
    RUNCTL_TRY(volume::place(change, plan.volume, machine, {.mount = plan.mount}));
  } else if (plan.mounts) {
    RUNCTL_TRY(volume::mount(change, plan.volume, id, plan.mount));
  }
  RUNCTL_TRY(node::end_fetch(volume::machine_of(session, id, question_patience),
                             {.volume = plan.volume.id}));
  Work work;
  RUNCTL_TRY_LET(work.filling,
                 volume::on_machine(change, "fetch",
                                    {{"volume", plan.volume.id.str()}, {"instance", id.str()}},
                                    [&] { return fill(change, id); }));
  if (!plan.seals || work.filling != Filling::complete) return work;
  // What was mounted for this is not mounted again when it is sealed.
  if (plan.mounts) RUNCTL_TRY(volume::quiesce(change, plan.volume.id, id));
  RUNCTL_TRY_LET(const auto now,
                 volume::read_volume(session.aws, plan.volume.id, session.options()));
  auto may = volume::plan_seal(now);
  if (may.refusal) return std::unexpected{*std::move(may.refusal)};
  RUNCTL_TRY_LET(work.sealed, volume::execute_seal(change, now, machine));
  return work;
}

std::unexpected<Error> may_still_act(const journal::Step& step) {
  auto early = fail(Errc::precondition,
                    fmt::format("{} may still take effect until {}: nothing is seen of it so far",
                                step.action, iso8601(step.sent + request_life)));
  early.error().hint = "Run this again then: what it makes is found, and given back.";
  early.error().section = "EBS_CONCURRENT_ACCESS.md#lost-replies";
  return early;
}

// Nothing that was asked for may come into being after the operation is over.
Result<void> check_settled(const journal::Operation& operation, bool rented) {
  for (const journal::Step& step : operation.steps) {
    const bool settled =
        step.outcome == journal::Outcome::applied || step.outcome == journal::Outcome::not_applied;
    const bool makes = step.action == "RunInstances" || (step.action == "AttachVolume" && !rented);
    if (!settled && makes) return may_still_act(step);
  }
  return {};
}

}  // namespace

Result<PrewarmPlan> plan_prewarm(const Session& session, const VolumeFacts& volume,
                                 const PrewarmSpec& spec) {
  RUNCTL_TRY(check_volume(volume));
  PrewarmPlan plan{.volume = volume,
                   .mount = {.directory = own_mount_point(volume.id), .format = spec.filesystem},
                   .seals = spec.seals,
                   .launch = spec.launch};
  std::optional<InstanceId> wanted;
  if (spec.instance) wanted = spec.instance->id;
  const bool held = !volume.attachments.empty();
  const bool has_it = held && (!wanted || volume::attachment_to(volume, *wanted) != nullptr);
  if (has_it) {
    RUNCTL_TRY_LET(plan, plan_with_holder(session, std::move(plan), wanted));
  } else if (spec.instance) {
    RUNCTL_TRY_LET(plan, plan_on_named(session, std::move(plan), *spec.instance));
  } else {
    RUNCTL_TRY_LET(plan, plan_with_rented(std::move(plan)));
  }
  if (!plan.seals) return plan;
  if (auto seal = volume::plan_seal(volume); seal.refusal)
    return std::unexpected{*std::move(seal.refusal)};
  return plan;
}

boost::json::object plan_of(const PrewarmPlan& plan, const std::string& source) {
  return {{"source", source},      {"rents", !plan.machine}, {"attaches", plan.attaches},
          {"mounts", plan.mounts}, {"seals", plan.seals},    {"mount_point", plan.mount.directory}};
}

Result<Prewarmed> execute_prewarm(const Change& change, const PrewarmPlan& plan, const Fill& fill) {
  const bool rents = !plan.machine;
  std::optional<InstanceFacts> machine = plan.machine;
  if (rents) {
    change.session.progress(fmt::format("renting a {} in {}", plan.launch.type, plan.launch.zone));
    RUNCTL_TRY_LET(machine, launch(change, plan.launch));
  }
  const InstanceId id = machine->id;
  auto work = work_on(change, plan, *std::move(machine), fill);

  const Session own = patient(change.session);
  const auto back =
      give_back({.session = own, .recorder = change.recorder}, {.volume = plan.volume.id,
                                                                .machine = id,
                                                                .rented = rents,
                                                                .attached = plan.attaches,
                                                                .mounted = plan.mounts});
  if (!work) {
    Error error = std::move(work).error();
    if (!back) {
      error.details.push_back(
          fmt::format("what was done for it on instance {} could not be taken back: {}", id,
                      back.error().message));
      error.effect = Effect::unknown;  // somebody has to look again
    } else if (rents) {
      error.details.push_back(fmt::format("the temporary instance {} is terminated", id));
    }
    return std::unexpected{std::move(error)};
  }
  if (!back) {
    Error error = back.error();
    error.effect = Effect::unknown;
    error.details.push_back(
        fmt::format("volume {} was filled, and is still on instance {}", plan.volume.id, id));
    return std::unexpected{std::move(error)};
  }
  return Prewarmed{.machine = id, .filling = work->filling, .sealed = std::move(work->sealed)};
}

Result<std::string> take_back_prewarm(const Change& change) {
  const journal::Operation& operation = change.recorder.operation();
  RUNCTL_TRY_LET(const auto plan, parse_json(operation.plan));
  const auto volumes = subjects_of<VolumeId>(operation);
  const auto machines = subjects_of<InstanceId>(operation);
  if (volumes.empty()) {
    return fail(Errc::corrupt, fmt::format("the journal's {} lacks its subjects", operation.id));
  }
  const bool rented = boolean_at(plan, "rents").value_or(false);
  RUNCTL_TRY(check_settled(operation, rented));
  const std::string again = fmt::format("runctl aws ebs pre-warm {} {}{}", volumes.front(),
                                        string_at(plan, "source").value_or("S3URI"),
                                        boolean_at(plan, "seals").value_or(false) ? " --seal" : "");
  if (machines.empty()) {
    return fmt::format("No machine was rented, and nothing filled. It is over: {}", again);
  }
  RUNCTL_TRY(give_back(change, {.volume = volumes.front(),
                                .machine = machines.front(),
                                .rented = rented,
                                .attached = boolean_at(plan, "attaches").value_or(false),
                                .mounted = boolean_at(plan, "mounts").value_or(false)}));
  RUNCTL_TRY_LET(const auto now, volume::read_volume(change.session.aws, volumes.front(),
                                                     change.session.options()));
  const std::string gone =
      rented ? fmt::format(" The temporary instance {} is terminated.", machines.front()) : "";
  if (volume::mode_of(now) == volume::VolumeMode::sealed) {
    return fmt::format("Volume {} is filled and sealed.{}", volumes.front(), gone);
  }
  return fmt::format("Volume {} may be filled in part.{} To go on where it was: {}",
                     volumes.front(), gone, again);
}

}  // namespace runctl::fleet
