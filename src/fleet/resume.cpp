#include "fleet/resume.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/json.hpp"
#include "base/time_text.hpp"
#include "fleet/judge.hpp"
#include "volume/attach.hpp"
#include "volume/create.hpp"
#include "volume/detach.hpp"
#include "volume/mount.hpp"
#include "volume/read.hpp"
#include "volume/snapshot.hpp"
#include "volume/standstill.hpp"

namespace runctl::fleet {
namespace {

using journal::Operation;
using journal::Outcome;
using journal::Step;
using volume::Change;

// The last step of that action that took effect, or null.
const Step* last_applied(const Operation& operation, std::string_view action) {
  const Step* last = nullptr;
  for (const Step& step : operation.steps) {
    if (step.action == action && step.outcome == Outcome::applied) last = &step;
  }
  return last;
}

// The first subject that is an id of that kind.
template <class Id>
std::optional<Id> subject(const Operation& operation) {
  for (const std::string& text : operation.subjects) {
    if (auto id = Id::parse(text)) return *std::move(id);
  }
  return std::nullopt;
}

std::unexpected<Error> may_still_act(const Step& step, const Finding& finding) {
  const Timestamp until = step.sent + request_life;
  auto early = fail(Errc::precondition, fmt::format("{} may still take effect until {}: so far {}",
                                                    step.action, iso8601(until), finding.words));
  early.error().hint = "Nothing was changed. Run this again then.";
  early.error().section = "EBS_CONCURRENT_ACCESS.md#lost-replies";
  return early;
}

Result<void> settle_steps(const Change& change, Resumed& resumed) {
  const std::size_t count = change.recorder.operation().steps.size();
  for (std::size_t i = 0; i < count; ++i) {
    const Step step = change.recorder.operation().steps[i];
    if (step.outcome == Outcome::applied || step.outcome == Outcome::not_applied) continue;
    RUNCTL_TRY_LET(const auto finding, judge(change.session, step));
    if (finding.verdict == Verdict::still_open) return may_still_act(step, finding);
    const bool applied = finding.verdict == Verdict::applied;
    change.recorder.settle(i, applied ? Outcome::applied : Outcome::not_applied, finding.words);
    for (const std::string& id : finding.subjects) change.recorder.add_subject(id);
    resumed.found.push_back(fmt::format(
        "{} {}: {}", step.action, applied ? "took effect" : "did not take effect", finding.words));
  }
  return {};
}

std::string never_happened(std::string_view what) {
  return fmt::format("{} It is over: run the command again if you still want it.", what);
}

// Mounts, where that was asked for.
Result<std::string> go_on_attach(const Change& change) {
  const Operation& operation = change.recorder.operation();
  const auto plan = parse_json(operation.plan);
  const auto id = subject<VolumeId>(operation);
  const auto instance_id = subject<InstanceId>(operation);
  if (!plan || !id || !instance_id) {
    return fail(Errc::corrupt, fmt::format("the journal's {} lacks its plan", operation.id));
  }
  const auto device = string_at(*plan, "device").value_or("");
  const auto& session = change.session;
  RUNCTL_TRY_LET(const auto volume, volume::read_volume(session.aws, *id, session.options()));
  const auto* here = volume::attachment_to(volume, *instance_id);
  if (here == nullptr || here->device != device) {
    return never_happened(fmt::format("Volume {} was not attached to {}.", *id, *instance_id));
  }
  RUNCTL_TRY(volume::wait_until_attached(session, *id, *instance_id, device));
  std::string outcome =
      fmt::format("Volume {} is attached to {} as {}.", *id, *instance_id, device);
  const auto mount_point = string_at(*plan, "mount_point");
  if (!mount_point) return outcome;
  volume::MountSpec spec{.directory = *mount_point};
  if (const auto format = string_at(*plan, "format")) {
    RUNCTL_TRY_LET(spec.format, volume::parse_filesystem(*format));
  }
  RUNCTL_TRY_LET(const auto instance,
                 volume::read_instance(session.aws, *instance_id, session.options()));
  if (auto refusal = volume::check_mount(volume, instance, spec)) {
    return std::unexpected{*std::move(refusal)};
  }
  RUNCTL_TRY_LET(const auto mounted, volume::mount(change, volume, *instance_id, spec));
  return fmt::format("{} It is mounted at {}.", outcome, mounted.path);
}

Result<std::string> go_on_detach(const Change& change) {
  const Operation& operation = change.recorder.operation();
  const auto id = subject<VolumeId>(operation);
  const auto from = subject<InstanceId>(operation);
  if (!id || !from) {
    return fail(Errc::corrupt, fmt::format("the journal's {} lacks its subjects", operation.id));
  }
  const auto& session = change.session;
  RUNCTL_TRY_LET(const auto volume, volume::read_volume(session.aws, *id, session.options()));
  if (volume::attachment_to(volume, *from) != nullptr) {
    RUNCTL_TRY_LET(const auto facts, volume::read_detach_facts(session, volume, from));
    auto plan = volume::plan_detach(facts);
    if (plan.refusal) return std::unexpected{*std::move(plan.refusal)};
    RUNCTL_TRY(volume::execute_detach(change, facts, plan));
  }
  return fmt::format("Volume {} is detached from {}.", *id, *from);
}

Result<std::string> go_on_create(const Change& change) {
  const Operation& operation = change.recorder.operation();
  const auto id = subject<VolumeId>(operation);
  if (last_applied(operation, "CreateVolume") == nullptr || !id) {
    return never_happened("No volume was made.");
  }
  RUNCTL_TRY_LET(const auto volume, volume::wait_until_available(change.session, *id));
  return fmt::format("Volume {} is there ({}).", volume.id, volume::name_of(volume.state));
}

Result<std::string> go_on_launch(const Change& change) {
  const Operation& operation = change.recorder.operation();
  const auto id = subject<InstanceId>(operation);
  if (last_applied(operation, "RunInstances") == nullptr || !id) {
    return never_happened("No machine was rented.");
  }
  RUNCTL_TRY_LET(const auto instance,
                 volume::read_instance(change.session.aws, *id, change.session.options()));
  return fmt::format(
      "Instance {} is there ('{}') and costs money. To give it back: runctl aws terminate {}", *id,
      volume::name_of(instance.state), *id);
}

// Nothing may stay frozen, whatever became of the rest.
Result<void> thaw_all(const Change& change) {
  for (const Step& step : change.recorder.operation().steps) {
    if (step.action != "machine:freeze") continue;
    RUNCTL_TRY_LET(const auto what, parse_json(step.request));
    RUNCTL_TRY_LET(const auto id, VolumeId::parse(string_at(what, "volume").value_or("")));
    RUNCTL_TRY_LET(const auto from, InstanceId::parse(string_at(what, "instance").value_or("")));
    RUNCTL_TRY(volume::thaw(change.session, id, from, string_at(what, "token").value_or("")));
  }
  return {};
}

// A snapshot whose label was not written is worth what one without a freeze is.
Result<std::string> go_on_snapshot(const Change& change) {
  const Operation& operation = change.recorder.operation();
  const auto id = subject<SnapshotId>(operation);
  if (last_applied(operation, "CreateSnapshot") == nullptr || !id) {
    return never_happened("No snapshot was taken.");
  }
  const auto& session = change.session;
  RUNCTL_TRY_LET(const auto made, volume::read_snapshot(session.aws, *id, session.options()));
  const auto consistency = volume::consistency_of(made);
  if (consistency == volume::Consistency::crash_consistent) {
    RUNCTL_TRY(volume::label(change, *id, consistency));
  }
  return fmt::format("Snapshot {} is there ({}, {}).", *id, volume::name_of(made.state),
                     volume::name_of(consistency));
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

Result<std::string> go_on_train(const Change& change) {
  const Operation& operation = change.recorder.operation();
  const auto instance = subject<InstanceId>(operation);
  if (last_applied(operation, "machine:start-run") == nullptr || !instance) {
    return never_happened("The run was not started; volumes that were attached for it stay so.");
  }
  return fmt::format("The run was started. How it stands: runctl aws status {}", *instance);
}

struct Continuation {
  std::string_view kind;
  Result<std::string> (*act)(const Change&);
};

constexpr std::array continuations{
    Continuation{.kind = "attach", .act = go_on_attach},
    Continuation{.kind = "detach", .act = go_on_detach},
    Continuation{.kind = "create", .act = go_on_create},
    Continuation{.kind = "restore", .act = go_on_create},
    Continuation{.kind = "launch", .act = go_on_launch},
    Continuation{.kind = "snapshot", .act = go_on_snapshot},
    Continuation{.kind = "train", .act = go_on_train},
};

}  // namespace

Result<Resumed> resume(const Change& change) {
  Resumed resumed;
  RUNCTL_TRY(thaw_all(change));
  RUNCTL_TRY(settle_steps(change, resumed));
  auto act = go_on_with_nothing;
  for (const Continuation& row : continuations) {
    if (row.kind == change.recorder.operation().kind) act = row.act;
  }
  RUNCTL_TRY_LET(resumed.outcome, act(change));
  return resumed;
}

}  // namespace runctl::fleet
