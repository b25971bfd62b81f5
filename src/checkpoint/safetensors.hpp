// safetensors: a JSON header that says where each tensor's bytes are.
#pragma once

#include "base/result.hpp"
#include "checkpoint/finding.hpp"
#include "checkpoint/source.hpp"

namespace runctl::checkpoint {

// Headers above that are left unread. The format allows 100 MB; a tensor takes about 150 bytes, so
// this is room for 200,000 of them, and for ten times its size in memory when it is read.
inline constexpr std::uint64_t largest_safetensors_header = std::uint64_t{32} << 20U;

// Header, types, shapes, and that the tensors fill the file without gap or overlap: what the format
// has. It has no checksum, so the best verdict is `complete`. Errors: corrupt, beyond(), those of
// the source. Source: https://github.com/huggingface/safetensors, "Format".
[[nodiscard]] Result<Finding> read_safetensors(Source& source);

}  // namespace runctl::checkpoint
