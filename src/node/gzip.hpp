// Making things small enough to be sent as a command.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace runctl::node {

// As gzip(1) does; the same bytes for the same content. Errors: internal when there is no memory
// for it, invalid_argument for more than zlib can be told of (2 GiB).
[[nodiscard]] Result<std::string> gzip(std::string_view content);

// The reverse, of what a machine sent: at most `limit` bytes are unpacked, whatever it claims.
// Errors: corrupt for what is no whole gzip text, or a longer one.
[[nodiscard]] Result<std::string> gunzip(std::string_view bytes, std::size_t limit);

}  // namespace runctl::node
