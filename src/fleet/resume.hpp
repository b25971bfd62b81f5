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

// Finds out what became of every open step of `change`'s operation, and then goes on as its command
// would have: an attached volume is mounted where that was asked for, an unmounted one detached,
// what was made is waited for. Never forces, formats what was not to be formatted, or deletes; what
// never took effect is sent again only where a repetition does no harm (fleet/continuation.hpp).
// Errors: precondition while a request may still act, with the time until which; those of the
// steps.
[[nodiscard]] Result<Resumed> resume(const volume::Change& change);

}  // namespace runctl::fleet
