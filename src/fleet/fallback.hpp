// Renting a spot machine, and what is rented in its place when there is none to be had.
#pragma once

#include <functional>
#include <string>

#include "base/result.hpp"
#include "fleet/launch.hpp"
#include "volume/change.hpp"
#include "volume/facts.hpp"

namespace runctl::fleet {

// Whether EC2 refused a spot launch for want of spot capacity, for its price or for its quota, and
// made nothing. Anything else would stop an on-demand launch too, or is not known to be over. Pure.
[[nodiscard]] bool lacks_spot(const Error& error);

struct Fallback {
  bool allowed = true;
  // Told, before an on-demand machine is asked for in its place, why there is no spot machine.
  std::function<void(const Error& why)> announce = [](const Error&) {};
};

struct Rented {
  volume::InstanceFacts instance;
  Market market = Market::on_demand;  // what it is, not what was asked for
  std::string why_not_spot = {};      // EC2's code and words; empty unless it fell back
};

// As `launch`; where a spot machine is asked for and `lacks_spot` says of the refusal that there is
// none, an on-demand one is launched, unless that is not allowed. Each attempt is a step of its own
// in the journal, under a client token of its own. Before the second one the first one's spot
// request is looked up by its tag: one that is open is cancelled, and a machine that it has got
// after all is taken. Errors: those of `launch`; with ways out where there is no spot machine;
// those of cancelling, and then nothing more is rented.
[[nodiscard]] Result<Rented> launch_with_fallback(const volume::Change& change,
                                                  const LaunchSpec& spec, const Fallback& fallback);

}  // namespace runctl::fleet
