// Which checkpoints may go, and which must stay.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time_text.hpp"

namespace runctl::transfer {

// An object below the folder that is cleaned up.
struct CheckpointObject {
  std::string name = {};  // relative to the folder
  std::uint64_t size = 0;
  std::string etag = {};
  Timestamp modified{};
};

// What a name says of the checkpoint that the object belongs to.
struct CheckpointName {
  std::string name = {};    // what all its objects begin with: "run/checkpoint-500/", "epoch_5"
  std::string series = {};  // what its siblings have in common: "run/checkpoint-*", "epoch_*"
  std::vector<std::uint64_t> numbers = {};  // epoch and step, as they stand
};

// Reads the first component of a path that has one of the words epoch, step, iter, iteration,
// checkpoint, ckpt, chkpt or round with a number behind it, directly or after one of - _ = and a
// dot: "checkpoint-500/optimizer.pt", "epoch=3-step=1200.ckpt", "model.ckpt-1000.index",
// "global_step800/zero_pp_rank_0.pt". Nothing for a path without, and for one that says best, last,
// latest or final anywhere: those are nobody's to number. (A file "latest" in a numbered folder is
// DeepSpeed's, and is of that.)
[[nodiscard]] std::optional<CheckpointName> read_checkpoint_name(std::string_view path);

struct Checkpoint {
  CheckpointName name = {};
  std::vector<CheckpointObject> objects = {};
  std::uint64_t bytes = 0;
  Timestamp newest{};  // when its last object was written
  // Why it is not taken for a good one: "it is empty", …; empty for one that is.
  std::string doubt = {};
};

struct CleanupPlan {
  std::vector<Checkpoint> keep = {};    // series by series, the newest first
  std::vector<Checkpoint> remove = {};  // likewise
  std::uint64_t other_objects = 0;      // that are no numbered checkpoint, and stay
};

// Of each series, a checkpoint goes only when at least `keep_last` good ones have higher numbers
// and at least `keep_last` good ones were written after it. So the newest good one stays by either
// measure, also after a training was begun anew in the same folder and counts from zero, and
// nothing that is newer than the oldest one kept goes, good or not. Good is one that has bytes, no
// fewer objects than the series' median, and no less than half the median of their sizes: what an
// interrupted upload leaves has less. `keep_last` is at least 1.
[[nodiscard]] CleanupPlan plan_cleanup(std::vector<CheckpointObject> objects,
                                       std::uint64_t keep_last);

}  // namespace runctl::transfer
