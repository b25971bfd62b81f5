// How spot instances are interrupted, and how their requests follow them.
//
// Source of the states and codes: EC2 User Guide, "Get the status of a Spot Instance request" and
// "State changes for a Spot request"; of the notice: "Spot Instance interruption notices".
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "emulator/ec2/spot.hpp"
#include "emulator/ec2/state.hpp"

namespace runctl::emulator::ec2 {

inline constexpr std::string_view spot_termination = "Server.SpotInstanceTermination";
inline constexpr std::string_view spot_shutdown = "Server.SpotInstanceShutdown";

// The request that the instance was launched by; null for an on-demand instance.
[[nodiscard]] const SpotRequest* spot_request_of(const State& state, const Instance& instance);

// Makes the request of an instance that is being launched, which must not be in the table yet.
// Returns its id.
[[nodiscard]] std::string open_spot_request(Turn& turn, const Instance& instance,
                                            const SpotTerms& terms, Tags tags);

// The request's state and code become those that go with its instance's state. Nothing for an
// on-demand instance.
void follow_instance(Turn& turn, const InstanceId& id);

// From now on nobody starts the request's instance again; one that runs goes on running.
void cancel_spot_request(Turn& turn, const std::string& id);

// Cancels the requests whose time is over.
void expire_spot_requests(Turn& turn);
[[nodiscard]] std::optional<Timestamp> next_spot_expiry(const State& state);

// The instance is told that it is interrupted after `left`. Errors: not_found; conflict when it is
// on-demand, does not run or has been told already.
[[nodiscard]] Result<void> give_notice(Turn& turn, const InstanceId& id,
                                       std::chrono::milliseconds left);

// What its machine is told of it; nothing without a notice.
[[nodiscard]] std::optional<SpotNotice> notice_of(const State& state, const Instance& instance);

// How long the instance still has, 0 for one that is stopped until there is capacity again; nothing
// without an interruption that could be taken back.
[[nodiscard]] std::optional<std::chrono::milliseconds> interruption_left(const Instance& instance,
                                                                         Timestamp now);

// There is capacity again: a notice is void, and what was stopped for want of it starts. Nothing
// for any other instance.
void take_back_interruption(Turn& turn, const InstanceId& id);

// EC2 takes the capacity back, in the way that the request asks for. The instance must have a
// notice.
void interrupt(Turn& turn, const InstanceId& id);

}  // namespace runctl::emulator::ec2
