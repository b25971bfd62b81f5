#include "base/units.hpp"

#include <array>
#include <charconv>
#include <cstddef>
#include <system_error>

#include <fmt/format.h>

namespace runctl {

std::string bytes_in_words(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 5> units{"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  // What one decimal would round up to 1024 is already one of the next unit.
  while (value >= (unit == 0 ? 1024.0 : 1023.95) && unit + 1 < units.size()) {
    value /= 1024.0;
    ++unit;
  }
  if (unit == 0) return fmt::format("{} B", bytes);
  return fmt::format("{:.1f} {}", value, units.at(unit));
}

Result<GiB> parse_gib(std::string_view text) {
  unsigned count = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, count);
  std::string_view unit{rest, static_cast<std::size_t>(end - rest)};
  const bool bare = unit.empty();
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  const bool known = bare || unit == "G" || unit == "GB" || unit == "GiB";
  if (error != std::errc{} || !known || count == 0) {
    return fail(Errc::invalid_argument,
                fmt::format("not a size in GiB: '{}' (write a whole number, such as 100)", text));
  }
  return GiB{count};
}

}  // namespace runctl
