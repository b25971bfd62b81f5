#include "emulator/ec2/instance_steps.hpp"

#include <fmt/format.h>

#include "emulator/ec2/spot_steps.hpp"

namespace runctl::emulator::ec2 {

void put_down(Turn& turn, const InstanceId& id, InstanceState to, const Cause& cause) {
  Instance& instance = turn.state.instances.edit(id);
  instance.state = to;
  instance.reason = fmt::format("{} ({})", cause.initiator, iso8601(turn.now));
  instance.reason_code = cause.code;
  instance.reason_message = fmt::format("{}: {}", cause.code, cause.message);
  instance.interruption.reset();
  instance.due = turn.after(turn.pace.stop);
  instance.ordered = false;
  follow_instance(turn, id);
}

void start_again(Turn& turn, const InstanceId& id) {
  Instance& instance = turn.state.instances.edit(id);
  instance.state = InstanceState::pending;
  instance.launched = turn.now;
  instance.reason.clear();
  instance.reason_code.clear();
  instance.reason_message.clear();
  instance.due = turn.after(turn.pace.boot);
  turn.orders.emplace_back(Boot{id});
  follow_instance(turn, id);
}

}  // namespace runctl::emulator::ec2
