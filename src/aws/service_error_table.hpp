// AWS's error codes, one row each.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.hpp"

namespace runctl::aws {

// Whether the service acted, as far as the code tells.
enum class Acted : std::uint8_t { by_status, no, perhaps };

struct Meaning {
  Errc errc = Errc::internal;
  std::string_view hint = {};
  Acted acted = Acted::by_status;
};

inline constexpr std::string_view check_endpoint =
    "Check the endpoint (--endpoint-url, AWS_ENDPOINT_URL), the region and any proxy in between.";

// By the whole code, else by its end ("*.NotFound"); nothing for a code of neither kind.
[[nodiscard]] std::optional<Meaning> known_meaning(std::string_view code);

}  // namespace runctl::aws
