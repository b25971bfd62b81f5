// Which checkpoints may go, and which must stay: a plan over what was found of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "checkpoint/survey.hpp"

namespace runctl::checkpoint {

enum class Best : std::uint8_t { min, max };

struct BestBy {
  std::string metric = {};
  Best best = Best::min;
};

// "val_loss", "accuracy:max". Without :min or :max the usual words in the name decide (loss, error,
// perplexity, … are best small; acc, f1, score, … large). Errors: invalid_argument for a name that
// has none of these.
[[nodiscard]] Result<BestBy> parse_best(std::string_view text);

struct Policy {
  std::uint64_t keep_last = 1;  // good ones of each series; at least 1
  std::vector<BestBy> best = {};
  std::optional<std::uint64_t> every = {};  // those whose epoch, or step without one, it divides
};

struct Decision {
  std::size_t index = 0;  // in what was given
  bool goes = false;
  // Nothing of this would hold if what it leans on were damaged: to be read whole before acting.
  bool is_leaned_on = false;
  std::string why = {};  // "1st of the last 3", "best val_loss", "its name has no number", …
};

// A decision for each, in the order given. What goes has a number in its name, is known to be of a
// series, and of that series at least `keep_last` good ones have higher numbers and at least
// `keep_last` good ones were written after it: so the newest good one stays by either measure, also
// after a training was begun anew in the same folder. Stays: what is best or divided by `every`
// while it is good; what is unfinished, linked, unknown, named for its place (best.pt) or without a
// number. A damaged one goes when good ones have followed it as above, and is never counted as
// kept; so does what an earlier clean-up has begun to remove. Pure.
//
// transfer::plan_cleanup is the rule's other half, for a bucket whose objects nobody reads: there a
// good one is told by its size alone. Here it was read.
[[nodiscard]] std::vector<Decision> plan_retention(std::span<const Checkpoint> checkpoints,
                                                   const Policy& policy);

}  // namespace runctl::checkpoint
