// Files that PyTorch wrote before 1.6, or with _use_new_zipfile_serialization=False.
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "checkpoint/finding.hpp"
#include "checkpoint/source.hpp"

namespace runctl::checkpoint {

// Protocol 2, LONG1 of ten bytes, 0x1950a86a20f9469cfc6c. Source: torch/serialization.py,
// MAGIC_NUMBER.
inline constexpr std::string_view torch_legacy_magic{
    "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 14};

// Four pickles (magic, version, machine, the object), a list of keys, and for each of these its
// count and its numbers, to the file's end. No checksum: the best verdict is `complete`. Errors:
// corrupt, beyond(), those of the source.
[[nodiscard]] Result<Finding> read_torch_legacy(Source& source);

// One or more plain pickles, the last of which ends with the file: `complete`. Errors as above.
[[nodiscard]] Result<Finding> read_pickles(Source& source);

}  // namespace runctl::checkpoint
