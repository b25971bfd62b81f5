// Deciding whether a volume may go.
#pragma once

#include <optional>
#include <span>

#include "base/result.hpp"
#include "volume/facts.hpp"

namespace runctl::volume {

// What `ebs delete` would do: a value that can be printed and tested with no cloud.
struct DeletePlan {
  bool already_gone = false;
  // Its content exists nowhere else: consent must name the volume.
  bool is_only_copy = false;
  std::optional<Error> refusal = {};
};

// Rule S15: refuses a volume that is attached, protected, sealed, or in motion. `snapshots` are
// those of this volume.
[[nodiscard]] DeletePlan plan_delete(const VolumeFacts& volume,
                                     std::span<const SnapshotFacts> snapshots);

}  // namespace runctl::volume
