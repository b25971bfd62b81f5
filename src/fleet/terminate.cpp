#include "fleet/terminate.hpp"

#include <utility>

#include <fmt/format.h>

#include "node/ssm_shell.hpp"
#include "volume/detach.hpp"
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

Error unreachable(const volume::InstanceFacts& instance) {
  Error error = refuse(
      fmt::format("Instance {} holds data volumes and cannot be reached.", instance.id),
      "What it has mounted and not yet written would be lost; its SSM agent does not answer.");
  for (const auto& device : instance.devices) {
    if (device.device == instance.root_device) continue;
    error.ways_out.push_back(fmt::format("runctl aws ebs snapshot {}", device.volume));
  }
  error.ways_out.push_back(
      fmt::format("runctl aws terminate {} --unsafe-skip-unmount   # what was not written is lost",
                  instance.id));
  return error;
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

TerminatePlan plan_terminate(const TerminateFacts& facts, Unmounting unmounting) {
  TerminatePlan plan;
  const auto& instance = facts.instance;
  if (instance.state == InstanceState::terminated ||
      instance.state == InstanceState::shutting_down) {
    plan.already_gone = true;
    return plan;
  }
  for (const auto& device : instance.devices) {
    if (device.device == instance.root_device) continue;
    if (device.delete_on_termination) {
      plan.refusal = would_be_deleted(instance, device);
      return plan;
    }
    plan.data_volumes.push_back(device);
  }
  const bool on = instance.state != InstanceState::stopped;
  plan.unmount_first = on && !plan.data_volumes.empty() && unmounting == Unmounting::required;
  if (plan.unmount_first && !facts.agent_online) plan.refusal = unreachable(instance);
  return plan;
}

Result<TerminateFacts> read_terminate_facts(const volume::Session& session,
                                            const volume::InstanceFacts& instance) {
  TerminateFacts facts{.instance = instance};
  if (instance.state == InstanceState::running) {
    RUNCTL_TRY_LET(facts.agent_online,
                   node::is_agent_online(session.aws, instance.id, session.options()));
  }
  return facts;
}

Result<void> execute_terminate(const volume::Change& change, const TerminateFacts& facts,
                               const TerminatePlan& plan) {
  const volume::Session& session = change.session;
  const InstanceId& id = facts.instance.id;
  for (const auto& device : plan.data_volumes) {
    if (!plan.unmount_first) break;
    session.progress(fmt::format("unmounting {} on {}", device.volume, id));
    RUNCTL_TRY(volume::quiesce(change, device.volume, id));
  }
  RUNCTL_TRY(volume::send<aws::ec2::TerminateInstances>(change, {.instance_ids = {id.str()}}));
  session.progress(fmt::format("waiting for {} to end", id));
  RUNCTL_TRY(wait_until_terminated(session, id));
  for (const auto& device : plan.data_volumes)
    RUNCTL_TRY(wait_until_free(session, device.volume, id));
  return {};
}

}  // namespace runctl::fleet
