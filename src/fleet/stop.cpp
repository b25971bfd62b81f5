#include "fleet/stop.hpp"

#include <utility>

#include <fmt/format.h>

#include "volume/read.hpp"
#include "volume/wait.hpp"

namespace runctl::fleet {
namespace {

using volume::InstanceState;

Error wrong_state(const volume::InstanceFacts& instance, std::string_view verb, std::string hint) {
  return Error{.code = Errc::conflict,
               .message = fmt::format("Instance {} is '{}', and cannot be {}", instance.id,
                                      volume::name_of(instance.state), verb),
               .hint = std::move(hint)};
}

bool is_gone(InstanceState state) {
  return state == InstanceState::terminated || state == InstanceState::shutting_down;
}

// EC2 would say so only after the volumes have been unmounted.
Error not_for_spot(const volume::InstanceFacts& instance, const SpotFacts& spot) {
  return Error{
      .code = Errc::conflict,
      .message = fmt::format("Instance {} is a spot machine of a {} request, and cannot be stopped",
                             instance.id, spot.persistent ? "cancelled" : "one-time"),
      .hint =
          "EC2 stops only what a persistent request that is in force has rented. Nothing was "
          "unmounted. What is on its data volumes stays when the machine is given back:",
      .ways_out = {fmt::format("runctl aws terminate {}   # unmounts first; data volumes stay",
                               instance.id)}};
}

constexpr std::string_view gone_hint = "It was given back; create another one.";

Result<void> wait_until_stopped(const volume::Session& session, const InstanceId& instance) {
  RUNCTL_TRY(volume::wait_for<bool>(
      session, {.budget = std::chrono::minutes{15}},
      fmt::format("instance {} to be stopped", instance), [&]() -> Result<std::optional<bool>> {
        RUNCTL_TRY_LET(const auto seen,
                       volume::read_instance(session.aws, instance, session.options()));
        if (is_gone(seen.state)) {
          return std::unexpected{wrong_state(seen, "stopped", std::string{gone_hint})};
        }
        return seen.state == InstanceState::stopped ? std::optional{true} : std::nullopt;
      }));
  return {};
}

}  // namespace

StopPlan plan_stop(const PowerFacts& facts, Unmounting unmounting) {
  StopPlan plan{.data_volumes = data_volumes_of(facts.instance)};
  switch (facts.instance.state) {
    case InstanceState::stopped:
    case InstanceState::stopping:
      plan.already_stopped = true;
      return plan;
    case InstanceState::terminated:
    case InstanceState::shutting_down:
      plan.refusal = wrong_state(facts.instance, "stopped", std::string{gone_hint});
      return plan;
    case InstanceState::pending:
      plan.refusal =
          wrong_state(facts.instance, "stopped",
                      fmt::format("Wait for it first: runctl aws wait {}", facts.instance.id));
      return plan;
    case InstanceState::running:
      break;
  }
  if (facts.spot && (!facts.spot->persistent || facts.spot->state == "cancelled")) {
    plan.refusal = not_for_spot(facts.instance, *facts.spot);
    return plan;
  }
  plan.unmount_first = !plan.data_volumes.empty() && unmounting == Unmounting::required;
  if (plan.unmount_first && !facts.agent_online) plan.refusal = unreachable(facts.instance, "stop");
  return plan;
}

Result<void> execute_stop(const volume::Change& change, const PowerFacts& facts,
                          const StopPlan& plan) {
  const InstanceId& id = facts.instance.id;
  if (plan.unmount_first) RUNCTL_TRY(quiesce_all(change, id, plan.data_volumes));
  if (!plan.already_stopped) {
    auto sent = volume::send<aws::ec2::StopInstances>(change, {.instance_ids = {id.str()}});
    // After a lost answer reading tells.
    if (!sent && sent.error().effect == Effect::not_applied) {
      return std::unexpected{std::move(sent).error()};
    }
  }
  change.session.progress(fmt::format("waiting for {} to stop", id));
  return wait_until_stopped(change.session, id);
}

StartPlan plan_start(const volume::InstanceFacts& instance) {
  StartPlan plan;
  switch (instance.state) {
    case InstanceState::running:
    case InstanceState::pending:
      plan.already_running = true;
      return plan;
    case InstanceState::stopped:
      if (instance.reason_code == "Server.SpotInstanceShutdown") {
        plan.refusal =
            wrong_state(instance, "started",
                        "EC2 stopped it for want of spot capacity, and starts it by itself when "
                        "there is some again. Its volumes can be moved to another machine until "
                        "then: runctl aws ebs move VOLUME --to INSTANCE");
      }
      return plan;
    case InstanceState::stopping:
      plan.refusal = wrong_state(instance, "started",
                                 fmt::format("It can be once it has stopped; see: runctl aws "
                                             "status {}",
                                             instance.id));
      return plan;
    case InstanceState::terminated:
    case InstanceState::shutting_down:
      plan.refusal = wrong_state(instance, "started", std::string{gone_hint});
      return plan;
  }
  std::unreachable();
}

Result<void> execute_start(const volume::Change& change, const InstanceId& instance) {
  RUNCTL_TRY(volume::send<aws::ec2::StartInstances>(change, {.instance_ids = {instance.str()}}));
  return {};
}

}  // namespace runctl::fleet
