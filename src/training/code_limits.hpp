// Refusing code that is too much, with what to do about it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <vector>

#include "base/result.hpp"
#include "training/code_tree.hpp"

namespace runctl::training {

// The sum of the sizes of some entries.
[[nodiscard]] std::uint64_t bytes_of(const CodeTree& tree, const std::vector<std::size_t>& which);

// Above the limit that --code-limit raises. The largest are its details.
[[nodiscard]] std::unexpected<Error> above_limit(const CodeTree& tree,
                                                 const std::vector<std::size_t>& which,
                                                 std::uint64_t limit);

// Above what goes to the machine as commands, where there is no bucket. Sizes are compressed ones.
struct CommandLimit {
  std::uint64_t archive_bytes = 0;
  std::uint64_t limit = 0;
};
[[nodiscard]] std::unexpected<Error> above_command_limit(const CodeTree& tree,
                                                         const std::vector<std::size_t>& which,
                                                         const CommandLimit& sizes);

}  // namespace runctl::training
