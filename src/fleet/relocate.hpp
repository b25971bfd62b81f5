// Going on in another zone, where a volume cannot go itself: copies of it, by way of snapshots.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "fleet/launch.hpp"
#include "volume/change.hpp"
#include "volume/facts.hpp"
#include "volume/session.hpp"

namespace runctl::fleet {

// Errors: invalid_argument for a zone that the region does not have, with those that it has.
[[nodiscard]] Result<void> check_zones(const volume::Session& session,
                                       const std::vector<std::string>& zones);

// The same launch in another zone; a subnet is of one zone, so that its network's subnet there
// takes its place. Errors: not_found when the network has none there; those of the calls.
[[nodiscard]] Result<LaunchSpec> in_zone(const volume::Session& session, LaunchSpec spec,
                                         const std::string& zone);

struct VolumeInSnapshot {
  volume::VolumeFacts volume;
  volume::SnapshotFacts snapshot;  // completed
};

// A snapshot of each, which no machine may have any more, and waits for all of them to be complete:
// minutes, and for the first one of a large volume hours. Errors: those of take_snapshot and
// wait_until_completed.
[[nodiscard]] Result<std::vector<VolumeInSnapshot>> keep_in_snapshots(
    const volume::Change& change, const std::vector<volume::VolumeFacts>& volumes);

// A volume like the first in that zone, with its type, size, speed and tags; one of a sealed volume
// is sealed too, since nothing can have written either. It is available on return. Errors: those of
// create_volume and wait_until_available.
[[nodiscard]] Result<volume::VolumeFacts> copy_in_zone(const volume::Change& change,
                                                       const VolumeInSnapshot& kept,
                                                       const std::string& zone);

// What such an operation has made besides the machine, and what goes on costing money: each volume
// and each snapshot, in words, with the command that deletes it. Where that cannot be looked up, it
// says so.
[[nodiscard]] std::vector<std::string> what_was_made(const volume::Change& change);
// The same of the snapshots alone, which the journal knows.
[[nodiscard]] std::vector<std::string> snapshots_taken(const volume::Change& change);
// "aws ec2 delete-snapshot …": runctl itself deletes none.
[[nodiscard]] std::string deletion_of(const SnapshotId& snapshot);

}  // namespace runctl::fleet
