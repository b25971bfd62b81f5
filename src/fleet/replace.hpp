// Another machine in place of a spot machine that EC2 takes back.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "fleet/fallback.hpp"
#include "fleet/launch.hpp"
#include "volume/change.hpp"
#include "volume/facts.hpp"
#include "volume/session.hpp"

namespace runctl::fleet {

// Whether EC2 has taken the machine back, or is about to: it is none of the user's doing. Pure.
// Source: EC2 User Guide, "Billing for interrupted Spot Instances", the state reasons.
[[nodiscard]] bool is_taken_back(const volume::InstanceFacts& instance);

// How the machine was launched: type, image, zone, subnet, key, groups, profile, the most that it
// may cost on the spot market, and tags but for those of AWS and of the operation that made it.
// Errors: not_found; those of aws::Client::call.
[[nodiscard]] Result<LaunchSpec> launch_spec_of(const volume::Session& session,
                                                const volume::InstanceFacts& instance);

struct ReplacementSpec {
  LaunchSpec launch;                          // the first choice
  std::vector<std::string> other_types = {};  // then these, in this order
  bool on_demand_allowed = true;              // when no type has a spot machine
};

// "a spot t3.medium, …", in the order in which they are tried.
[[nodiscard]] std::vector<std::string> choices_of(const ReplacementSpec& spec);

// Whether EC2 refused a launch, and made nothing, for want of capacity, for the price, or for a
// quota of spot or on-demand machines: another type, market or zone may have one. Pure.
[[nodiscard]] bool lacks_machine(const Error& error);

// Rents the first of them that is to be had: every type as a spot machine, then, where that is
// allowed, every type on demand; `announce` is told why before each that is not the first. Only a
// want of capacity, the price and the quota lead to the next. Errors: those of
// launch_with_fallback, for the last.
[[nodiscard]] Result<Rented> rent_replacement(
    const volume::Change& change, const ReplacementSpec& spec,
    const std::function<void(std::string_view)>& announce);

// Takes a volume off a machine that EC2 takes back: unmounts and detaches it while the machine can
// be asked, waiting for what still uses it; and when EC2 was faster, waits until the machine is off
// and the volume free. Errors: those of execute_detach for a machine that stays; deadline_exceeded.
[[nodiscard]] Result<void> take_off(const volume::Change& change, const VolumeId& volume,
                                    const InstanceId& instance);

}  // namespace runctl::fleet
