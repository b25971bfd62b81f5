// Checkpoints that are zip archives: PyTorch's, NumPy's, Keras's, anybody's.
#pragma once

#include "base/result.hpp"
#include "checkpoint/finding.hpp"
#include "checkpoint/source.hpp"

namespace runctl::checkpoint {

// With Depth::contents every member is read and compared with its checksum, and the verdict can be
// `sound`. What the archive should hold is checked as well: that each tensor of PyTorch's data.pkl
// has a member of its size, that each array's header agrees with its size, that Keras's weights are
// whole. Errors: corrupt, beyond(), those of the source.
[[nodiscard]] Result<Finding> read_archive(Source& source, Depth depth);

}  // namespace runctl::checkpoint
