// How an instance is put down and started, whoever wants it.
#pragma once

#include <string_view>

#include "emulator/ec2/state.hpp"

namespace runctl::emulator::ec2 {

// Why an instance goes down, in AWS's words.
struct Cause {
  std::string_view initiator;  // "User initiated"
  std::string_view code;       // "Client.UserInitiatedShutdown"
  std::string_view message;    // "User initiated shutdown"
};

// `to` is `stopping` or `shutting_down`. The instance must be there. A notice of an interruption is
// void from then on.
void put_down(Turn& turn, const InstanceId& id, InstanceState to, const Cause& cause);

// Boots an instance that is `stopped`.
void start_again(Turn& turn, const InstanceId& id);

}  // namespace runctl::emulator::ec2
