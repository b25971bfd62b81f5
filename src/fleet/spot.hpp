// What EC2 says of the request that a spot machine was rented by.
#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "volume/facts.hpp"
#include "volume/session.hpp"

namespace runctl::fleet {

// States and codes are EC2's. Source: EC2 User Guide, "Get the status of a Spot Instance request".
struct SpotFacts {
  std::string request = {};    // "sir-…"
  bool persistent = false;     // else one-time
  std::string state = {};      // "active"
  std::string code = {};       // "fulfilled", "marked-for-termination"
  std::string behavior = {};   // when it is interrupted: "terminate", "stop", "hibernate"
  std::string max_price = {};  // dollars an hour; the on-demand price where none was named
};

// Nothing for an on-demand machine, and where EC2 has forgotten the request. Errors: those of the
// call.
[[nodiscard]] Result<std::optional<SpotFacts>> read_spot_request(
    const volume::Session& session, const volume::InstanceFacts& instance);

// "one-time request sir-… (active, fulfilled); an interruption terminates it".
[[nodiscard]] std::string in_words(const SpotFacts& spot);

}  // namespace runctl::fleet
