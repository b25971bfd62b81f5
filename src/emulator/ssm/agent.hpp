// The agents of machines, through which commands reach them.
#pragma once

#include "emulator/ec2/state.hpp"

namespace runctl::emulator::ssm {

[[nodiscard]] inline ec2::Agent agent_of(const ec2::Turn& turn, const InstanceId& id) {
  return turn.agents ? turn.agents(id) : ec2::Agent{};
}

// Whether Systems Manager knows the machine: it does as soon as its agent has answered once.
[[nodiscard]] inline bool is_registered(const ec2::Instance& instance) {
  return instance.state == ec2::InstanceState::running && instance.booted;
}

// Whether its agent answers.
[[nodiscard]] inline bool is_online(const ec2::Turn& turn, const InstanceId& id) {
  const ec2::Instance* const instance = turn.state.instances.find(id);
  return instance != nullptr && is_registered(*instance) && !agent_of(turn, id).offline;
}

}  // namespace runctl::emulator::ssm
