// A request whose answer was lost, and of which nothing is to be seen.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/strong_id.hpp"

namespace runctl::volume {

// Turns the error of a wait that saw nothing into one that says so: effect `unknown`, for as long
// as the signed request may still act. `so_far` is what reading shows: "nobody has the volume".
// Source of the 15 minutes: docs, "Common errors", RequestExpired (ebs-facts 3).
[[nodiscard]] inline Error lost_reply(Error waited, std::string_view action, const VolumeId& volume,
                                      std::string_view so_far) {
  waited.effect = Effect::unknown;
  waited.message = std::string{action} + " for " + volume.str() +
                   " was sent and no answer came; so far " + std::string{so_far};
  waited.hint =
      "The request may still act for up to 15 minutes. Look again before you do anything else with "
      "it: runctl aws ebs show " +
      volume.str();
  waited.section = "EBS_CONCURRENT_ACCESS.md#lost-replies";
  return waited;
}

}  // namespace runctl::volume
