// Finishing what an interrupted command began.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "volume/change.hpp"

namespace runctl::fleet {

struct Resumed {
  std::vector<std::string> found;  // of each step that was open, what became of it, in words
  std::string outcome;             // how the operation stands now, a sentence
};

// Whether what an earlier step may still do does no harm beside the same request, sent again.
enum class Repeating : bool { no, yes };

// Thaws what the operation may have frozen, and finds out what became of its open steps; what they
// made is among its subjects then. Gives what was found, in words. Errors: precondition while a
// request may still act, with the time until which, unless it may be repeated; those of the looks.
[[nodiscard]] Result<std::vector<std::string>> settle(const volume::Change& change,
                                                      Repeating repeating);

// Finds out what became of every open step of `change`'s operation, and then goes on as its command
// would have: an attached volume is mounted where that was asked for, an unmounted one detached,
// what was made is waited for. Never forces, formats what was not to be formatted, or deletes; what
// never took effect is sent again only where a repetition does no harm (fleet/continuation.hpp).
// Errors: precondition while a request may still act, with the time until which; those of the
// steps.
[[nodiscard]] Result<Resumed> resume(const volume::Change& change);

}  // namespace runctl::fleet
