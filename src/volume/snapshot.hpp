// Snapshots: taken, labelled, waited for.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "volume/change.hpp"
#include "volume/facts.hpp"
#include "volume/standstill.hpp"

namespace runctl::volume {

// What a snapshot is worth.
enum class Consistency : std::uint8_t {
  consistent,       // nothing can have written while it was taken
  crash_consistent  // as after a power cut at that moment, with what was synced before in it
};
[[nodiscard]] std::string_view name_of(Consistency consistency);
// From its tag. Whatever does not say `consistent` is not: the label of one that runctl did not
// live to finish is `pending`.
[[nodiscard]] Consistency consistency_of(const SnapshotFacts& snapshot);

struct SnapshotSpec {
  std::string description = {};
  std::string name = {};
  Freezing freezing = Freezing::yes;
};

// What a snapshot or a copy turned out to be worth, and what it cost.
struct Worth {
  Consistency consistency = Consistency::crash_consistent;
  std::string why = {};                                      // it is not consistent, in words
  std::optional<std::chrono::milliseconds> frozen_for = {};  // how long writers waited
};

// After the standstill's end. A request that was not answered may have acted after it.
[[nodiscard]] Worth worth_of(const Standstill& ended, bool answered);

// Of a copy that got no label, which counts as crash-consistent.
[[nodiscard]] Worth without_label(const Worth& worth, const Error& why);

// The session for the one request: where something is frozen its answer comes before the dead-man.
[[nodiscard]] Session while_still(const Session& session, const Standstill& still);

struct TakenSnapshot {
  SnapshotFacts snapshot;
  Worth worth;
};

// Rule S9: has its machine write the volume back and freezes its filesystem for the one call.
// CreateSnapshot has no client token: it is sent once, with a tag of this operation; when the
// answer is lost the snapshot is found by that tag, and is crash-consistent. Errors: EC2's own,
// before anything is frozen where it is about rights; those of the machine; unavailable with effect
// `unknown` when no snapshot of ours can be seen. Nothing stays frozen after any of them.
[[nodiscard]] Result<TakenSnapshot> take_snapshot(const Change& change, const VolumeFacts& volume,
                                                  const SnapshotSpec& spec);

// Says on the snapshot or copy of that id what it is worth. Errors: EC2's own.
[[nodiscard]] Result<void> label(const Change& change, const std::string& id,
                                 Consistency consistency);

// Waits for `completed`, without a limit of its own: a first snapshot of a large volume takes
// hours. Errors: internal for the states error and recoverable; deadline_exceeded at the session's
// deadline.
[[nodiscard]] Result<SnapshotFacts> wait_until_completed(const Session& session,
                                                         const SnapshotId& id);

}  // namespace runctl::volume
