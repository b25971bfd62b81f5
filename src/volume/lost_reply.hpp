// A request whose answer was lost, and of which nothing is to be seen.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "volume/wait.hpp"

namespace runctl::volume {

// A signed request can be accepted, and act, for as long as its signature lives.
// Source: docs, "Error codes for the Amazon EC2 API": InvalidSecurity.RequestHasExpired above 5
// minutes.
inline constexpr std::chrono::seconds signature_life{300};

// Turns the error of a wait for what became of the request into one that says that this is not
// known: effect `unknown`, for as long as the signed request may still act. `so_far` is what
// reading shows: "nobody has the volume". An error that is not about waiting or silence stays as it
// is: it is what reading showed.
// Source of the 15 minutes: docs, "Common errors", RequestExpired (ebs-facts 3).
[[nodiscard]] inline Error lost_reply(Error waited, std::string_view action, const VolumeId& volume,
                                      std::string_view so_far) {
  const bool timed_out = waited.code == Errc::deadline_exceeded;
  if (!timed_out && !is_silence(waited.code) && waited.code != Errc::cancelled) return waited;
  waited.effect = Effect::unknown;
  waited.message =
      std::string{action} + " for " + volume.str() + " was sent and no answer came; " +
      (timed_out ? "so far " + std::string{so_far} : "what became of it: " + waited.message);
  waited.hint =
      "The request may still act for up to 15 minutes. Look again before you do anything else with "
      "it: runctl aws ebs show " +
      volume.str();
  waited.section = "EBS_CONCURRENT_ACCESS.md#lost-replies";
  return waited;
}

}  // namespace runctl::volume
