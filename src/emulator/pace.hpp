// How long the emulated cloud takes for its state changes.
#pragma once

#include <chrono>
#include <string_view>

#include "base/result.hpp"
#include "io/random.hpp"

namespace runctl::emulator {

// Least durations: a change also waits for the hardware behind it.
struct Pace {
  std::string_view name = "instant";
  std::chrono::milliseconds create_volume{0};
  std::chrono::milliseconds delete_volume{0};
  std::chrono::milliseconds attach{0};
  std::chrono::milliseconds detach{0};
  std::chrono::milliseconds release{0};  // from "attachment gone" to "volume available"
  std::chrono::milliseconds snapshot{0};
  std::chrono::milliseconds modify{0};    // until the new size and speed can be used
  std::chrono::milliseconds optimize{0};  // from then to the modification's end
  std::chrono::milliseconds boot{0};
  std::chrono::milliseconds stop{0};  // also shutting down
  std::chrono::milliseconds busy_retry{0};
  // SnapshotCreationPerVolumeRateExceeded below this. Source: ebs-facts, section 4 (15 s).
  std::chrono::milliseconds snapshot_interval{0};
  bool varies = false;

  auto operator<=>(const Pace&) const = default;
};

// Errors: invalid_argument for a name other than instant, fast and aws.
[[nodiscard]] Result<Pace> pace_named(std::string_view name);

// `least`, or where the pace varies something between half of it and half as much again.
[[nodiscard]] std::chrono::milliseconds draw(const Pace& pace, std::chrono::milliseconds least,
                                             Random& random);

}  // namespace runctl::emulator
