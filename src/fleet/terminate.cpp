#include "fleet/terminate.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/json.hpp"
#include "volume/read.hpp"
#include "volume/wait.hpp"

namespace runctl::fleet {
namespace {

using volume::InstanceState;

Error refuse(std::string message, std::string hint) {
  return Error{.code = Errc::conflict,
               .message = std::move(message),
               .hint = std::move(hint),
               .section = "EBS_CONCURRENT_ACCESS.md#terminating-a-machine"};
}

Error would_be_deleted(const volume::InstanceFacts& instance, const volume::DeviceMapping& device) {
  Error error = refuse(fmt::format("Volume {} would be deleted together with instance {}.",
                                   device.volume, instance.id),
                       "Its delete-on-termination flag is set; take it off the machine first.");
  error.ways_out = {fmt::format("runctl aws ebs detach {}", device.volume),
                    fmt::format("runctl aws terminate {}", instance.id)};
  return error;
}

Error would_be_lost(const volume::InstanceFacts& instance, const node::UnfinishedRun& run) {
  Error error =
      refuse(fmt::format("What run {} has written is on the disk of instance {} alone.",
                         run.id.str(), instance.id),
             run.is_running ? "It is running, and its results are uploaded until it has ended."
                            : "Not all of it is where it is uploaded to.");
  error.ways_out = {
      fmt::format("runctl runs show {}   # what is still to be sent, and why", run.id.str()),
      fmt::format("runctl runs logs {} --follow   # ends when the last upload is over",
                  run.id.str()),
      fmt::format("runctl aws terminate {} --unsafe-lose-results", instance.id)};
  return error;
}

Error may_be_lost(const volume::InstanceFacts& instance, const std::string& run) {
  const bool off = instance.state == InstanceState::stopped;
  Error error = refuse(
      fmt::format("What run {} has written may be on the disk of instance {} alone.", run,
                  instance.id),
      fmt::format("Its results were to be uploaded from there, and the machine {} cannot be asked "
                  "whether they are.",
                  off ? "is off and" : "does not answer and"));
  error.ways_out = {
      off ? fmt::format("runctl aws start {} --wait   # then this command again", instance.id)
          : fmt::format("runctl aws wait {}   # then this command again", instance.id),
      fmt::format("runctl aws terminate {} --unsafe-lose-results", instance.id)};
  return error;
}

bool has_whole_end(const journal::Operation& operation) {
  return std::ranges::any_of(operation.steps, [](const journal::Step& step) {
    if (step.action != "machine:run-ended") return false;
    const auto end = parse_json(step.request);
    return end && boolean_at(*end, "results_are_whole").value_or(false);
  });
}

Result<void> wait_until_terminated(const volume::Session& session, const InstanceId& instance) {
  RUNCTL_TRY(volume::wait_for<bool>(
      session, {}, fmt::format("instance {} to be terminated", instance),
      [&]() -> Result<std::optional<bool>> {
        const auto seen = volume::read_instance(session.aws, instance, session.options());
        if (!seen && seen.error().code == Errc::not_found) return true;
        if (!seen) return std::unexpected{seen.error()};
        return seen->state == InstanceState::terminated ? std::optional{true} : std::nullopt;
      }));
  return {};
}

Result<void> wait_until_free(const volume::Session& session, const VolumeId& id,
                             const InstanceId& from) {
  RUNCTL_TRY(volume::wait_for<bool>(
      session, {}, fmt::format("volume {} to be free again", id),
      [&]() -> Result<std::optional<bool>> {
        RUNCTL_TRY_LET(const auto seen, volume::read_volume(session.aws, id, session.options()));
        return volume::attachment_to(seen, from) == nullptr ? std::optional{true} : std::nullopt;
      }));
  return {};
}

}  // namespace

std::vector<std::string> started_uploads(std::span<const journal::Operation> operations,
                                         const InstanceId& instance) {
  std::vector<std::string> runs;
  for (const journal::Operation& operation : operations) {
    if (has_whole_end(operation)) continue;
    for (const journal::Step& step : operation.steps) {
      if (step.action != "machine:start-run" || step.outcome == journal::Outcome::not_applied)
        continue;
      const auto started = parse_json(step.request);
      if (!started || string_at(*started, "instance") != instance.str()) continue;
      if (!boolean_at(*started, "only_here").value_or(false)) continue;
      runs.push_back(string_at(*started, "run").value_or(""));
    }
  }
  return runs;
}

TerminatePlan plan_terminate(const PowerFacts& facts, Unmounting unmounting, Results results) {
  TerminatePlan plan;
  const auto& instance = facts.instance;
  if (instance.state == InstanceState::terminated ||
      instance.state == InstanceState::shutting_down) {
    plan.already_gone = true;
    return plan;
  }
  for (const auto& device : data_volumes_of(instance)) {
    if (device.delete_on_termination) {
      plan.refusal = would_be_deleted(instance, device);
      return plan;
    }
    plan.data_volumes.push_back(device);
  }
  const auto only_copy =
      std::ranges::find_if(facts.runs, [](const auto& run) { return run.is_only_here; });
  if (only_copy != facts.runs.end() && results == Results::kept) {
    plan.refusal = would_be_lost(instance, *only_copy);
    return plan;
  }
  if (!facts.runs_are_known && !facts.maybe_only_here.empty() && results == Results::kept) {
    plan.refusal = may_be_lost(instance, facts.maybe_only_here.front());
    return plan;
  }
  const bool on = instance.state != InstanceState::stopped;
  plan.unmount_first = on && !plan.data_volumes.empty() && unmounting == Unmounting::required;
  if (plan.unmount_first && !facts.agent_online) plan.refusal = unreachable(instance, "terminate");
  return plan;
}

Result<void> execute_terminate(const volume::Change& change, const PowerFacts& facts,
                               const TerminatePlan& plan) {
  const volume::Session& session = change.session;
  const InstanceId& id = facts.instance.id;
  if (plan.unmount_first) RUNCTL_TRY(quiesce_all(change, id, plan.data_volumes));
  auto sent = volume::send<aws::ec2::TerminateInstances>(change, {.instance_ids = {id.str()}});
  // After a lost answer reading tells.
  if (!sent && sent.error().effect == Effect::not_applied) {
    return std::unexpected{std::move(sent).error()};
  }
  session.progress(fmt::format("waiting for {} to end", id));
  RUNCTL_TRY(wait_until_terminated(session, id));
  for (const auto& device : plan.data_volumes)
    RUNCTL_TRY(wait_until_free(session, device.volume, id));
  return {};
}

}  // namespace runctl::fleet
