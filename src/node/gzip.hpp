// Making things small enough to be sent as a command.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace runctl::node {

// As gzip(1) does; the same bytes for the same content. Errors: internal when there is no memory
// for it, invalid_argument for more than zlib can be told of (2 GiB).
[[nodiscard]] Result<std::string> gzip(std::string_view content);

}  // namespace runctl::node
