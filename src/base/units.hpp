// Sizes with their unit in the type, and how people read and write them.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace runctl {

// EBS sizes are whole gibibytes (2^30 bytes).
struct GiB {
  unsigned count = 0;
  auto operator<=>(const GiB&) const = default;

  [[nodiscard]] constexpr std::uint64_t bytes() const noexcept {
    return std::uint64_t{count} << 30U;
  }
};

// "1.4 MiB", "512 B": binary units, at most one decimal.
[[nodiscard]] std::string bytes_in_words(std::uint64_t bytes);

// Reads "100", "100GiB", "100 GB" or "100G" as gibibytes, the unit in which EBS sells.
// Errors: invalid_argument for anything else, and for zero.
[[nodiscard]] Result<GiB> parse_gib(std::string_view text);

}  // namespace runctl
