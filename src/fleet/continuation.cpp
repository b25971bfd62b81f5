#include "fleet/continuation.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/json.hpp"
#include "fleet/give_back.hpp"
#include "fleet/launch.hpp"
#include "fleet/prewarm.hpp"
#include "fleet/provision.hpp"
#include "fleet/relocate.hpp"
#include "volume/attach.hpp"
#include "volume/create.hpp"
#include "volume/detach.hpp"
#include "volume/modify.hpp"
#include "volume/mount.hpp"
#include "volume/move.hpp"
#include "volume/place.hpp"
#include "volume/read.hpp"
#include "volume/seal.hpp"
#include "volume/snapshot.hpp"

namespace runctl::fleet {
namespace {

using journal::Operation;
using journal::Outcome;
using journal::Step;
using volume::Change;

// The first subject of that kind. Errors: corrupt when there is none.
template <class Id>
Result<Id> subject(const Operation& operation) {
  auto found = subjects_of<Id>(operation);
  if (!found.empty()) return std::move(found.front());
  return fail(Errc::corrupt, fmt::format("the journal's {} lacks its subjects", operation.id));
}

// A member of the operation's last request of that kind; nothing when it sent none.
std::optional<std::string> requested(const Operation& operation, std::string_view action,
                                     std::string_view member) {
  std::optional<std::string> found;
  for (const Step& step : operation.steps) {
    if (step.action != action) continue;
    const auto request = parse_json(step.request);
    if (request) found = string_at(*request, member);
  }
  return found;
}

std::string never_happened(std::string_view what) {
  return fmt::format("{} It is over: run the command again if you still want it.", what);
}

Result<volume::VolumeFacts> read_volume(const Change& change, const VolumeId& id) {
  return volume::read_volume(change.session.aws, id, change.session.options());
}

Result<volume::InstanceFacts> read_instance(const Change& change, const InstanceId& id) {
  return volume::read_instance(change.session.aws, id, change.session.options());
}

std::string words_of(const VolumeId& id, const InstanceId& instance, const volume::Placed& placed) {
  std::string words =
      fmt::format("Volume {} is attached to {} as {}.", id, instance, placed.device);
  if (placed.mounted) words += fmt::format(" It is mounted at {}.", placed.mounted->path);
  return words;
}

// Mounts, where that was asked for.
Result<std::string> go_on_attach(const Change& change) {
  const Operation& operation = change.recorder.operation();
  RUNCTL_TRY_LET(const auto id, subject<VolumeId>(operation));
  RUNCTL_TRY_LET(const auto instance_id, subject<InstanceId>(operation));
  RUNCTL_TRY_LET(const auto plan, parse_json(operation.plan));
  RUNCTL_TRY_LET(auto spec, volume::read_plan(plan));
  RUNCTL_TRY_LET(const auto volume, read_volume(change, id));
  const auto* here = volume::attachment_to(volume, instance_id);
  if (here == nullptr || here->device != spec.device.value_or("")) {
    return never_happened(fmt::format("Volume {} was not attached to {}.", id, instance_id));
  }
  RUNCTL_TRY_LET(const auto instance, read_instance(change, instance_id));
  RUNCTL_TRY_LET(const auto placed, volume::place(change, volume, instance, spec));
  return words_of(id, instance_id, placed);
}

Result<std::string> go_on_detach(const Change& change) {
  const Operation& operation = change.recorder.operation();
  RUNCTL_TRY_LET(const auto id, subject<VolumeId>(operation));
  RUNCTL_TRY_LET(const auto from, subject<InstanceId>(operation));
  RUNCTL_TRY_LET(const auto volume, read_volume(change, id));
  if (const auto* const here = volume::attachment_to(volume, from)) {
    const auto device = requested(operation, "DetachVolume", "Device");
    if (device && *device != here->device) {
      return fmt::format("Volume {} was detached from {}, and has been attached to it again since.",
                         id, from);
    }
    RUNCTL_TRY_LET(const auto facts, volume::read_detach_facts(change.session, volume, from));
    auto plan = volume::plan_detach(facts);
    if (plan.refusal) return std::unexpected{*std::move(plan.refusal)};
    RUNCTL_TRY(volume::execute_detach(change, facts, plan));
  }
  return fmt::format("Volume {} is detached from {}.", id, from);
}

// Whom the volume has gone to since then is nobody's whom the move may take it from.
Result<void> check_holders(const Operation& operation, const volume::VolumeFacts& volume,
                           const std::string& from, const InstanceId& to) {
  for (const auto& attachment : volume.attachments) {
    const InstanceId& holder = attachment.instance;
    if (holder == to || holder.str() == from) continue;
    auto elsewhere = fail(Errc::conflict, fmt::format("Volume {} is attached to {} by now, which "
                                                      "the move to {} did not speak of.",
                                                      volume.id, holder, to));
    elsewhere.error().hint = "Nothing was changed. If it is to go there all the same:";
    elsewhere.error().ways_out = {fmt::format("runctl operations abandon {}", operation.id),
                                  fmt::format("runctl aws ebs move {} --to {}", volume.id, to)};
    return elsewhere;
  }
  return {};
}

// From whichever step it had reached.
Result<std::string> go_on_move(const Change& change) {
  const Operation& operation = change.recorder.operation();
  RUNCTL_TRY_LET(const auto id, subject<VolumeId>(operation));
  RUNCTL_TRY_LET(const auto to, subject<InstanceId>(operation));
  RUNCTL_TRY_LET(const auto wanted, parse_json(operation.plan));
  RUNCTL_TRY_LET(const auto volume, read_volume(change, id));
  RUNCTL_TRY(check_holders(operation, volume, string_at(wanted, "from").value_or(""), to));
  RUNCTL_TRY_LET(const auto target, read_instance(change, to));
  RUNCTL_TRY_LET(auto facts, volume::read_move_facts(change.session, volume, target));
  facts.wanted_directory = string_at(wanted, "mount_point");
  // The same name, should the request that was sent still act.
  if (may_have_happened(operation, "AttachVolume")) {
    facts.to.wanted_device = requested(operation, "AttachVolume", "Device");
  }
  auto plan = volume::plan_move(facts);
  if (plan.refusal) return std::unexpected{*std::move(plan.refusal)};
  RUNCTL_TRY_LET(const auto moved, volume::execute_move(change, facts, plan));
  std::string words = fmt::format("Volume {} is attached to {} as {}.", id, to, moved.device);
  if (moved.mounted) words += fmt::format(" It is mounted at {}.", moved.mounted->path);
  return words;
}

Result<std::string> go_on_unmount(const Change& change) {
  const Operation& operation = change.recorder.operation();
  RUNCTL_TRY_LET(const auto id, subject<VolumeId>(operation));
  RUNCTL_TRY_LET(const auto instance, subject<InstanceId>(operation));
  RUNCTL_TRY_LET(const auto volume, read_volume(change, id));
  if (volume::attachment_to(volume, instance) != nullptr) {
    RUNCTL_TRY(volume::quiesce(change, id, instance));
  }
  return fmt::format("Volume {} is not mounted on {}.", id, instance);
}

// What was made, and where it was to go.
Result<std::string> go_on_with_new_volume(const Change& change) {
  const Operation& operation = change.recorder.operation();
  const bool made =
      has_happened(operation, "CreateVolume") || has_happened(operation, "CopyVolumes");
  const auto volumes = subjects_of<VolumeId>(operation);
  if (!made || volumes.empty()) return never_happened("No volume was made.");
  const VolumeId& id = volumes.back();  // behind that which a copy was made of
  RUNCTL_TRY_LET(const auto ready, volume::wait_until_available(change.session, id));
  if (operation.kind == "clone" && !ready.tags.contains(volume::tag::consistency)) {
    RUNCTL_TRY(volume::label(change, id.str(), volume::Consistency::crash_consistent));
  }
  RUNCTL_TRY_LET(const auto plan, parse_json(operation.plan));
  const auto instance_text = string_at(plan, "instance");
  if (!instance_text) {
    return fmt::format("Volume {} is there ({}).", id, volume::name_of(ready.state));
  }
  RUNCTL_TRY_LET(const auto instance_id, InstanceId::parse(*instance_text));
  RUNCTL_TRY_LET(const auto spec, volume::read_plan(plan));
  RUNCTL_TRY_LET(const auto instance, read_instance(change, instance_id));
  RUNCTL_TRY_LET(const auto placed, volume::place(change, ready, instance, spec));
  return words_of(id, instance_id, placed);
}

// What went with a launch that was to go on in another zone: none of it is a machine's to have.
std::string rest_of_launch(const Change& change) {
  std::string words;
  for (std::string line : what_was_made(change)) {
    line.front() = static_cast<char>(line.front() - 'a' + 'A');
    words += fmt::format(" {}.", line);
  }
  return words;
}

// A machine that was to have data volumes gets them.
Result<std::string> go_on_launch(const Change& change) {
  const Operation& operation = change.recorder.operation();
  const auto machines = subjects_of<InstanceId>(operation);
  if (!has_happened(operation, "RunInstances") || machines.empty()) {
    return never_happened("No machine was rented.") + rest_of_launch(change);
  }
  const InstanceId& id = machines.front();
  RUNCTL_TRY_LET(const auto plan, parse_json(operation.plan));
  RUNCTL_TRY_LET(const auto data, read_data_volumes(plan));
  RUNCTL_TRY_LET(auto instance, read_instance(change, id));
  if (!is_empty(data)) {
    RUNCTL_TRY_LET(instance, wait_until_ready(change.session, id));
    RUNCTL_TRY(provision(change, instance, data));
  }
  return fmt::format(
             "Instance {} is there ('{}'){} and costs money. To give it back: runctl aws terminate "
             "{}",
             id, volume::name_of(instance.state),
             is_empty(data) ? "" : ", with its volumes mounted,", id) +
         (is_empty(data) ? rest_of_launch(change) : "");
}

// A snapshot whose label was not written is worth what one without a freeze is.
Result<std::string> go_on_snapshot(const Change& change) {
  const Operation& operation = change.recorder.operation();
  const auto snapshots = subjects_of<SnapshotId>(operation);
  if (!has_happened(operation, "CreateSnapshot") || snapshots.empty()) {
    return never_happened("No snapshot was taken.");
  }
  const SnapshotId& id = snapshots.front();
  const auto& session = change.session;
  RUNCTL_TRY_LET(const auto made, volume::read_snapshot(session.aws, id, session.options()));
  const auto consistency = volume::consistency_of(made);
  if (consistency == volume::Consistency::crash_consistent) {
    RUNCTL_TRY(volume::label(change, id.str(), consistency));
  }
  return fmt::format("Snapshot {} is there ({}, {}).", id, volume::name_of(made.state),
                     volume::name_of(consistency));
}

// Until the volume is marked, it is as it was: all of it is done again.
Result<std::string> go_on_seal(const Change& change) {
  const Operation& operation = change.recorder.operation();
  RUNCTL_TRY_LET(const auto id, subject<VolumeId>(operation));
  RUNCTL_TRY_LET(const auto instance_id, subject<InstanceId>(operation));
  RUNCTL_TRY_LET(const auto volume, read_volume(change, id));
  auto plan = volume::plan_seal(volume);
  if (plan.refusal) return std::unexpected{*std::move(plan.refusal)};
  if (!plan.already_sealed && volume::attachment_to(volume, instance_id) == nullptr) {
    return never_happened(fmt::format("Volume {} was not sealed.", id));
  }
  const auto mounted_before = requested(operation, "machine:seal", "mounted_at");
  if (!plan.already_sealed) {
    RUNCTL_TRY_LET(const auto instance, read_instance(change, instance_id));
    RUNCTL_TRY(volume::execute_seal(change, volume, instance, mounted_before));
  } else if (mounted_before && volume::attachment_to(volume, instance_id) != nullptr) {
    RUNCTL_TRY(volume::mount(change, volume, instance_id, {.directory = *mounted_before}));
  }
  return fmt::format("Volume {} is sealed.", id);
}

Result<std::string> go_on_modify(const Change& change) {
  const Operation& operation = change.recorder.operation();
  RUNCTL_TRY_LET(const auto id, subject<VolumeId>(operation));
  RUNCTL_TRY_LET(const auto plan, parse_json(operation.plan));
  RUNCTL_TRY_LET(auto volume, read_volume(change, id));
  const auto size = integer_at(plan, "size");
  const bool is_sent = has_happened(operation, "ModifyVolume");
  const bool is_small = size && volume.size.count < *size;
  if (!is_sent && (!size || is_small)) {
    return never_happened(fmt::format("Volume {} was not modified.", id));
  }
  if (!size) return fmt::format("Volume {} is modified.", id);
  if (is_small) {
    RUNCTL_TRY(volume::execute_modify(change, volume, {.is_under_way = true},
                                      {.size = GiB{static_cast<unsigned>(*size)}}));
    RUNCTL_TRY_LET(volume, read_volume(change, id));
  }
  RUNCTL_TRY_LET(const auto growth, volume::grow_filesystem(change, volume, volume.size));
  return growth.grown ? fmt::format("Volume {} has {} GiB, and its filesystem fills it.", id,
                                    volume.size.count)
                      : fmt::format("Volume {} has {} GiB; its filesystem was not grown: {}.", id,
                                    volume.size.count, growth.why_not);
}

Result<std::string> go_on_train(const Change& change) {
  const Operation& operation = change.recorder.operation();
  const auto machines = subjects_of<InstanceId>(operation);
  if (!has_happened(operation, "machine:start-run") || machines.empty()) {
    return never_happened("The run was not started; volumes that were attached for it stay so.");
  }
  return fmt::format("The run was started. How it stands: runctl aws status {}", machines.front());
}

// Asked to end, a run may end by itself; whether it has is what was looked at.
Result<std::string> go_on_stop_run(const Change& change) {
  const Operation& operation = change.recorder.operation();
  if (has_happened(operation, "machine:stop-run")) return "The run has ended.";
  return never_happened(
      fmt::format("The run goes on. To stop it: runctl runs stop {}",
                  operation.subjects.empty() ? "RUN" : operation.subjects.back()));
}

// What was asked for has happened or it has not; there is nothing between.
Result<std::string> go_on_with_nothing(const Change& change) {
  const Operation& operation = change.recorder.operation();
  const bool applied = std::ranges::any_of(operation.steps, [](const Step& step) {
    return step.outcome == Outcome::applied && !step.action.starts_with(volume::on_machine_prefix);
  });
  if (applied) return fmt::format("The {} is done.", operation.kind);
  return never_happened(fmt::format("The {} did not take effect.", operation.kind));
}

constexpr std::array continuations{
    Continuation{.kind = "attach", .act = go_on_attach},
    Continuation{.kind = "mount", .act = go_on_attach},
    Continuation{.kind = "unmount", .act = go_on_unmount},
    Continuation{.kind = "detach", .act = go_on_detach, .repeats = true},
    Continuation{.kind = "move", .act = go_on_move, .repeats = true},
    Continuation{.kind = "create", .act = go_on_with_new_volume},
    Continuation{.kind = "restore", .act = go_on_with_new_volume},
    Continuation{.kind = "clone", .act = go_on_with_new_volume},
    Continuation{.kind = "launch", .act = go_on_launch},
    Continuation{.kind = "snapshot", .act = go_on_snapshot},
    Continuation{.kind = "seal", .act = go_on_seal},
    Continuation{.kind = "modify", .act = go_on_modify},
    Continuation{.kind = "train", .act = go_on_train},
    Continuation{.kind = "stop-run", .act = go_on_stop_run},
    // What it must not repeat it refuses itself.
    Continuation{.kind = "pre-warm", .act = take_back_prewarm, .repeats = true},
};

}  // namespace

Continuation continuation_of(std::string_view kind) {
  const auto found = std::ranges::find(continuations, kind, &Continuation::kind);
  if (found != continuations.end()) return *found;
  return {.kind = "", .act = go_on_with_nothing};
}

}  // namespace runctl::fleet
