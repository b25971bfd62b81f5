// One file: what it is, whether it is whole, what it says of itself.
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "checkpoint/finding.hpp"
#include "checkpoint/source.hpp"

namespace runctl::checkpoint {

// The format is what the first bytes say, and where they say nothing, what the name's extension
// promises: a .pt that begins as no PyTorch file does is damaged, a .bin is unknown. An empty file
// is damaged. Facts are the file's own; those of its name are facts_of_name's. Damage is a finding.
// Errors: those of the source.
[[nodiscard]] Result<Finding> inspect_file(Source& source, std::string_view name, Depth depth);

}  // namespace runctl::checkpoint
