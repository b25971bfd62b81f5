// How large the pieces are in which an object goes: pure arithmetic.
#pragma once

#include <cstdint>

#include "base/result.hpp"

namespace runctl::transfer {

// What was measured so far; zero where nothing was.
struct Measured {
  double bytes_a_second = 0;  // of one request at a time
  unsigned concurrency = 1;
};

// The size of an upload's parts, all but the last: what one connection moves in two seconds, so
// that a request's own cost (some 50 ms) is little beside it and a failure loses little; but small
// enough that every connection has two of them, from 8 to 64 MiB, in whole MiB, and never so small
// that there are more than 10,000. `asked` (0: none) replaces all but that last rule. Errors:
// invalid_argument for an object of over 5 TiB, and for an `asked` that S3 does not take or that
// would need more parts than S3 allows.
[[nodiscard]] Result<std::uint64_t> part_size_for(std::uint64_t object_size, std::uint64_t asked,
                                                  const Measured& measured);

// The next range of a download of which `left` bytes are not handed out yet: what one connection
// moves in two seconds, from 8 to 64 MiB; less at the end, so that all connections end together.
[[nodiscard]] std::uint64_t range_size_for(std::uint64_t left, std::uint64_t asked,
                                           const Measured& measured);

}  // namespace runctl::transfer
