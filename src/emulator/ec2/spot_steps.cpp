#include "emulator/ec2/spot_steps.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "emulator/ec2/instance_steps.hpp"

namespace runctl::emulator::ec2 {
namespace {

using std::chrono::milliseconds;

struct Status {
  SpotState state;
  std::string_view code;
  std::string_view message;
};

constexpr Status fulfilled{SpotState::active, "fulfilled", "Your Spot request is fulfilled."};
constexpr Status marked_for_stop{SpotState::active, "marked-for-stop",
                                 "Your Spot Instance is marked for stop."};
constexpr Status marked_for_termination{SpotState::active, "marked-for-termination",
                                        "Your Spot Instance is marked for termination."};
constexpr Status stopped_by_user{SpotState::disabled, "instance-stopped-by-user",
                                 "Your Spot Instance was stopped by you."};
constexpr Status stopped_no_capacity{
    SpotState::disabled, "instance-stopped-no-capacity",
    "Your Spot Instance was stopped because there is no Spot capacity available."};
constexpr Status terminated_by_user{SpotState::closed, "instance-terminated-by-user",
                                    "Your Spot Instance was terminated by you."};
constexpr Status terminated_no_capacity{
    SpotState::closed, "instance-terminated-no-capacity",
    "Your Spot Instance was terminated because there is no Spot capacity available."};
constexpr Status terminated_by_service{SpotState::closed, "instance-terminated-by-service",
                                       "Your Spot Instance was terminated by EC2."};
constexpr Status cancelled_and_running{
    SpotState::cancelled, "request-canceled-and-instance-running",
    "Your Spot request is canceled, but your Spot Instance is still running."};

// What goes with the instance's state; nothing when the request stays as it is. A power loss is no
// affair of the market's.
std::optional<Status> status_of(const Instance& instance, const SpotRequest& request) {
  switch (instance.state) {
    case InstanceState::pending:
    case InstanceState::running:
      if (!instance.interruption) return fulfilled;
      return request.terms.behavior == InterruptionBehavior::terminate ? marked_for_termination
                                                                       : marked_for_stop;
    case InstanceState::stopping:
    case InstanceState::stopped:
      if (instance.reason_code == spot_shutdown) return stopped_no_capacity;
      if (instance.reason_code == "Client.UserInitiatedShutdown") return stopped_by_user;
      return std::nullopt;
    case InstanceState::shutting_down:
    case InstanceState::terminated:
      if (instance.reason_code == spot_termination) return terminated_no_capacity;
      if (instance.reason_code == "Client.UserInitiatedShutdown") return terminated_by_user;
      return terminated_by_service;
  }
  std::unreachable();
}

void set_status(Turn& turn, const std::string& id, const Status& status) {
  SpotRequest& request = turn.state.spot_requests.edit(id);
  request.state = status.state;
  request.code = status.code;
  request.message = status.message;
  request.updated = turn.now;
}

// When the request is over by time; nothing for one that has no end, or is over.
std::optional<Timestamp> end_of(const SpotRequest& request) {
  const bool holds = request.state == SpotState::active || request.state == SpotState::disabled;
  return holds ? request.terms.valid_until : std::nullopt;
}

}  // namespace

std::string_view name_of(SpotState state) {
  switch (state) {
    case SpotState::active:
      return "active";
    case SpotState::closed:
      return "closed";
    case SpotState::cancelled:
      return "cancelled";
    case SpotState::disabled:
      return "disabled";
  }
  std::unreachable();
}

std::string_view name_of(InterruptionBehavior behavior) {
  switch (behavior) {
    case InterruptionBehavior::terminate:
      return "terminate";
    case InterruptionBehavior::stop:
      return "stop";
    case InterruptionBehavior::hibernate:
      return "hibernate";
  }
  std::unreachable();
}

const SpotRequest* spot_request_of(const State& state, const Instance& instance) {
  return instance.spot_request ? state.spot_requests.find(*instance.spot_request) : nullptr;
}

std::string open_spot_request(Turn& turn, const Instance& instance, const SpotTerms& terms,
                              Tags tags) {
  std::string id;
  do {
    id = "sir-" + random_hex(turn.random, 8);
  } while (turn.state.spot_requests.find(id) != nullptr);
  turn.state.spot_requests.put(id, {.instance = instance.id,
                                    .terms = terms,
                                    .created = turn.now,
                                    .image = instance.image,
                                    .instance_type = instance.type,
                                    .key_name = instance.key_name,
                                    .subnet = instance.subnet,
                                    .zone = instance.zone,
                                    .tags = std::move(tags)});
  set_status(turn, id, fulfilled);
  return id;
}

void follow_instance(Turn& turn, const InstanceId& id) {
  const Instance& instance = *turn.state.instances.find(id);
  const SpotRequest* const request = spot_request_of(turn.state, instance);
  if (request == nullptr || !instance.spot_request) return;
  auto status = status_of(instance, *request);
  if (!status) return;
  if (request->state == SpotState::cancelled) {
    // It never becomes anything else, but still tells how its instance ended.
    if (status->state == SpotState::active) status = cancelled_and_running;
    status->state = SpotState::cancelled;
  }
  if (status->state == request->state && status->code == request->code) return;
  set_status(turn, *instance.spot_request, *status);
}

void cancel_spot_request(Turn& turn, const std::string& id) {
  const SpotRequest& request = *turn.state.spot_requests.find(id);
  if (request.state == SpotState::closed || request.state == SpotState::cancelled) return;
  Status status{SpotState::cancelled, cancelled_and_running.code, cancelled_and_running.message};
  // One that is stopped has a code that says so already.
  const std::string code = request.code;
  const std::string message = request.message;
  if (request.state == SpotState::disabled) status = {SpotState::cancelled, code, message};
  set_status(turn, id, status);
}

void expire_spot_requests(Turn& turn) {
  std::vector<std::string> over;
  for (const auto& [id, request] : turn.state.spot_requests.all()) {
    if (const auto end = end_of(request); end && *end <= turn.now) over.push_back(id);
  }
  for (const std::string& id : over) cancel_spot_request(turn, id);
}

std::optional<Timestamp> next_spot_expiry(const State& state) {
  std::optional<Timestamp> least;
  for (const auto& [id, request] : state.spot_requests.all()) {
    if (const auto end = end_of(request)) least = std::min(least.value_or(*end), *end);
  }
  return least;
}

Result<void> give_notice(Turn& turn, const InstanceId& id, milliseconds left) {
  const Instance* const seen = turn.state.instances.find(id);
  if (seen == nullptr) return fail(Errc::not_found, fmt::format("there is no instance {}", id));
  if (!seen->spot_request) {
    return fail(Errc::conflict,
                fmt::format("{} is an on-demand instance: only spot instances are interrupted "
                            "(RunInstances with InstanceMarketOptions MarketType=spot)",
                            id));
  }
  if (seen->state != InstanceState::running) {
    return fail(Errc::conflict, fmt::format("{} is '{}': only what runs can be interrupted", id,
                                            name_of(seen->state)));
  }
  if (seen->interruption) {
    return fail(Errc::conflict,
                fmt::format("{} has its notice already, for {}: `runctl emulator fault clear {}` "
                            "takes it back",
                            id, iso8601(*seen->interruption), id));
  }
  turn.state.instances.edit(id).interruption = turn.now + left;
  follow_instance(turn, id);
  return {};
}

std::optional<SpotNotice> notice_of(const State& state, const Instance& instance) {
  const SpotRequest* const request = spot_request_of(state, instance);
  if (request == nullptr || !instance.interruption) return std::nullopt;
  return SpotNotice{.action = request->terms.behavior, .time = *instance.interruption};
}

std::optional<milliseconds> interruption_left(const Instance& instance, Timestamp now) {
  if (instance.interruption) return std::max(*instance.interruption - now, milliseconds{0});
  if (instance.reason_code == spot_shutdown) return milliseconds{0};
  return std::nullopt;
}

void take_back_interruption(Turn& turn, const InstanceId& id) {
  const Instance& seen = *turn.state.instances.find(id);
  if (seen.interruption) {
    turn.state.instances.edit(id).interruption.reset();
    follow_instance(turn, id);
    return;
  }
  const SpotRequest* const request = spot_request_of(turn.state, seen);
  const bool waits = request != nullptr && request->state == SpotState::disabled &&
                     seen.state == InstanceState::stopped && seen.reason_code == spot_shutdown;
  if (waits) start_again(turn, id);
}

void interrupt(Turn& turn, const InstanceId& id) {
  const Instance& seen = *turn.state.instances.find(id);
  const bool ends =
      spot_request_of(turn.state, seen)->terms.behavior == InterruptionBehavior::terminate;
  put_down(turn, id, ends ? InstanceState::shutting_down : InstanceState::stopping,
           {.initiator = "Service initiated",
            .code = ends ? spot_termination : spot_shutdown,
            .message = ends ? "Spot instance termination" : "Spot instance shutdown"});
}

}  // namespace runctl::emulator::ec2
