#include "fleet/give_back.hpp"

#include "fleet/data_volumes.hpp"
#include "fleet/stop.hpp"
#include "fleet/terminate.hpp"
#include "node/fetch.hpp"
#include "volume/delete.hpp"
#include "volume/machine.hpp"
#include "volume/plan_delete.hpp"
#include "volume/read.hpp"

namespace runctl::fleet {
namespace {

using journal::Outcome;
using volume::Change;

constexpr std::chrono::minutes patience{15};
constexpr std::chrono::seconds question_patience{60};

bool has_step(const journal::Operation& operation, std::string_view action, bool certainly) {
  return std::ranges::any_of(operation.steps, [&](const journal::Step& step) {
    if (step.action != action) return false;
    return certainly ? step.outcome == Outcome::applied : step.outcome != Outcome::not_applied;
  });
}

bool is_ending(volume::InstanceState state) {
  return state == volume::InstanceState::terminated ||
         state == volume::InstanceState::shutting_down;
}

// A download that goes on by itself would hold its volume.
Result<void> end_staging(const Change& change, const PowerFacts& facts) {
  if (!facts.agent_online) return {};
  const auto machine = volume::machine_of(change.session, facts.instance.id, question_patience);
  for (const auto& device : data_volumes_of(facts.instance))
    RUNCTL_TRY(node::end_fetch(machine, {.volume = device.volume}));
  return {};
}

}  // namespace

std::string_view name_of(MachineEnd end) {
  switch (end) {
    case MachineEnd::terminate:
      return "terminated";
    case MachineEnd::stop:
      return "stopped";
    case MachineEnd::keep:
      return "kept";
  }
  std::unreachable();
}

bool has_happened(const journal::Operation& operation, std::string_view action) {
  return has_step(operation, action, true);
}

bool may_have_happened(const journal::Operation& operation, std::string_view action) {
  return has_step(operation, action, false);
}

bool may_pass(const Error& error) {
  const std::string code = error.remote ? error.remote->code : "";
  return code == "locked" || code == "busy" || error.code == Errc::unavailable ||
         error.code == Errc::throttled;
}

volume::Session patient(const volume::Session& session) {
  volume::Session own = session;
  own.stop = {};
  own.deadline = session.clock.ticks() + patience;
  return own;
}

Result<bool> is_gone(const volume::Session& session, const InstanceId& instance) {
  const auto seen = volume::read_instance(session.aws, instance, session.options());
  if (!seen && seen.error().code == Errc::not_found) return true;
  if (!seen) return std::unexpected{seen.error()};
  return is_ending(seen->state);
}

Result<void> end_machine(const Change& change, const InstanceId& instance, MachineEnd end) {
  if (end == MachineEnd::keep) return {};
  const auto& session = change.session;
  const auto seen = volume::read_instance(session.aws, instance, session.options());
  if (!seen && seen.error().code == Errc::not_found) return {};
  if (!seen) return std::unexpected{seen.error()};
  RUNCTL_TRY_LET(auto facts, read_power_facts(session, *seen));
  RUNCTL_TRY(end_staging(change, facts));
  if (end == MachineEnd::stop && !is_ending(seen->state)) {
    RUNCTL_TRY_LET(facts.spot, read_spot_request(session, *seen));
    auto plan = plan_stop(facts, Unmounting::required);
    if (plan.refusal) return std::unexpected{*std::move(plan.refusal)};
    return patiently(session, [&] { return execute_stop(change, facts, plan); });
  }
  auto plan = plan_terminate(facts, Unmounting::required);
  if (plan.refusal) return std::unexpected{*std::move(plan.refusal)};
  if (seen->state == volume::InstanceState::terminated) return {};
  // One that is on its way is asked once more, which does no harm, and waited for: its volumes are
  // not free before.
  if (plan.already_gone) plan.data_volumes = data_volumes_of(*seen);
  return patiently(session, [&] { return execute_terminate(change, facts, plan); });
}

Result<void> discard_new_volume(const Change& change, const VolumeId& id) {
  const auto& session = change.session;
  const auto volume = volume::read_volume(session.aws, id, session.options());
  if (!volume && volume.error().code == Errc::not_found) return {};
  if (!volume) return std::unexpected{volume.error()};
  auto plan = volume::plan_delete(*volume, {});
  if (plan.refusal) return std::unexpected{*std::move(plan.refusal)};
  if (plan.already_gone) return {};
  return volume::execute_delete(change, *volume);
}

}  // namespace runctl::fleet
