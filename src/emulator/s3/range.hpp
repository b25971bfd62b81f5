// Which bytes of an object are asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.hpp"

namespace runctl::emulator::s3 {

struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

// Of a Range header ("bytes=0-9", "bytes=5-", "bytes=-3") and an object of `size` bytes; nothing
// when the header asks for all, as one does that is not of this form or names several ranges.
// Errors: InvalidRange (416) when no byte of the object is in it.
// Source: RFC 9110, 14.2; "Range" of GetObject in the Amazon S3 API Reference: one range only.
[[nodiscard]] Result<std::optional<ByteRange>> parse_range(std::string_view header,
                                                           std::uint64_t size);

// Of x-amz-copy-source-range, where both ends must be there and in the object.
// Errors: InvalidArgument; InvalidRange is 400 there.
[[nodiscard]] Result<ByteRange> parse_copy_range(std::string_view header, std::uint64_t size);

}  // namespace runctl::emulator::s3
