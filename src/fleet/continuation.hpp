// How an operation of each kind is finished once it is known what became of its steps.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "volume/change.hpp"

namespace runctl::fleet {

struct Continuation {
  std::string_view kind;  // of the operation
  // Does what is left of it, from wherever the world is now, and says how it stands. Errors: those
  // of the steps.
  Result<std::string> (*act)(const volume::Change& change);
  // It sends again, word for word, what an earlier step may still do: the second does no harm,
  // since both have the same effect, and settles the first.
  bool repeats = false;
};

// For a kind that is not known, one that only says whether it took effect.
[[nodiscard]] Continuation continuation_of(std::string_view kind);

}  // namespace runctl::fleet
