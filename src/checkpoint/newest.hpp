// Which checkpoint a training should go on from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "checkpoint/place.hpp"
#include "checkpoint/survey.hpp"

namespace runctl::checkpoint {

// What a set of checkpoints is ordered by: what all of them say, steps before epochs (a step tells
// two checkpoints of one epoch apart), and the time of writing only where some say neither.
enum class OrderBy : std::uint8_t { step, epoch, time };
[[nodiscard]] std::string_view name_of(OrderBy by);   // "step", stable
[[nodiscard]] std::string_view in_words(OrderBy by);  // "by step"

struct Order {
  OrderBy by = OrderBy::time;
  std::vector<std::size_t> newest_first = {};  // indices
};

// Of those that are neither damaged nor unfinished, and that say their step or epoch; or are named
// for being the last ("last.ckpt", "latest.pt"), or for lack of any of these, of all. A name that
// says nothing of when ("best.pt", "model.npz") does not make the time of writing decide, which a
// copy changes: such ones are behind the others, by their time, and damaged and unfinished ones
// behind these. Of two that say the same, the one written later is newer, then the one whose name
// is greater. Pure.
[[nodiscard]] Order order_of(std::span<const Checkpoint> checkpoints);

// Whether a verdict is enough to go on from.
enum class Trust : std::uint8_t { known_formats, any_format };
[[nodiscard]] bool is_good(const Checkpoint& checkpoint, Trust trust = Trust::known_formats);

struct Skipped {
  std::string name = {};
  std::string why = {};
  Verdict verdict = Verdict::unknown;
  bool is_unfinished = false;  // by its name
};

struct Newest {
  std::optional<Checkpoint> checkpoint = {};  // nothing: there is none to go on from
  OrderBy by = OrderBy::time;
  std::vector<Skipped> skipped = {};  // newer ones, the newest first
  std::string written_later = {};  // a good one that counts less and was written later; "" for none
};

// Looks at all of a place, and reads the contents of the newest, then of the next, until one is
// good. Errors: those of survey().
[[nodiscard]] Result<Newest> find_newest(Place& place, Trust trust = Trust::known_formats);

}  // namespace runctl::checkpoint
