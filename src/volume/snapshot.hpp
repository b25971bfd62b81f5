// Snapshots: made, waited for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "volume/change.hpp"
#include "volume/facts.hpp"

namespace runctl::volume {

// What a snapshot is worth: `consistent` only when nothing could write while it was taken.
enum class Consistency : std::uint8_t {
  consistent,       // the volume was not mounted anywhere
  crash_consistent  // mounted: as after a power cut at that moment, with what was synced before in
                    // it
};
[[nodiscard]] std::string_view name_of(Consistency consistency);

struct SnapshotSpec {
  VolumeId volume;
  std::string description = {};
  std::string name = {};
  Consistency consistency = Consistency::crash_consistent;
};

// CreateSnapshot has no client token: it is sent once, with a tag of this operation; when the
// answer is lost the snapshot is found by that tag. Errors: EC2's own; unavailable with effect
// `unknown` when no snapshot of ours can be seen.
[[nodiscard]] Result<SnapshotFacts> create_snapshot(const Change& change, const SnapshotSpec& spec);

// Waits for `completed`, without a limit of its own: a first snapshot of a large volume takes
// hours. Errors: internal for the states error and recoverable; deadline_exceeded at the session's
// deadline.
[[nodiscard]] Result<SnapshotFacts> wait_until_completed(const Session& session,
                                                         const SnapshotId& id);

}  // namespace runctl::volume
