#include "emulator/place.hpp"

#include <array>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/text.hpp"

namespace runctl::emulator {
namespace {

// "northeast" is "ne" in zone ids, "gov" is "g".
std::string abbreviation(std::string_view word) {
  constexpr std::array<std::string_view, 5> compass{"north", "south", "central", "east", "west"};
  std::string letters;
  std::string_view rest = word;
  for (bool found = true; found && !rest.empty();) {
    found = false;
    for (const std::string_view point : compass) {
      if (!rest.starts_with(point)) continue;
      letters += point.front();
      rest.remove_prefix(point.size());
      found = true;
    }
  }
  if (!rest.empty()) return std::string{word.substr(0, 1)};
  return letters;
}

bool is_lower_word(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == std::string_view::npos;
}

}  // namespace

std::string account_of(std::string_view access_key_id) {
  const std::string digest = sha256(access_key_id);
  std::uint64_t number = 0;
  for (const char byte : digest.substr(0, 8)) {
    number = (number << 8U) | static_cast<unsigned char>(byte);
  }
  // A first digit other than zero survives tools that take the id for a number.
  return fmt::format("{}", 100'000'000'000 + number % 900'000'000'000);
}

bool is_region_name(std::string_view text) {
  if (text.size() > 32) return false;
  const auto words = split(text, '-');
  if (words.size() < 3 || words.front().size() != 2) return false;
  const std::string_view number = words.back();
  if (number.size() != 1 || number.front() < '1' || number.front() > '9') return false;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (!is_lower_word(words[i])) return false;
  }
  return true;
}

std::vector<Zone> zones_of(std::string_view region) {
  const auto words = split(region, '-');
  std::string prefix{words.front()};
  for (std::size_t i = 1; i + 1 < words.size(); ++i) prefix += abbreviation(words[i]);
  prefix += words.back();
  std::vector<Zone> zones;
  for (const char letter : {'a', 'b', 'c'}) {
    zones.push_back({.name = fmt::format("{}{}", region, letter),
                     .id = fmt::format("{}-az{}", prefix, letter - 'a' + 1)});
  }
  return zones;
}

std::optional<Zone> zone_named(std::string_view region, std::string_view name) {
  for (Zone& zone : zones_of(region)) {
    if (zone.name == name) return std::move(zone);
  }
  return std::nullopt;
}

std::optional<Zone> zone_with_id(std::string_view region, std::string_view id) {
  for (Zone& zone : zones_of(region)) {
    if (zone.id == id) return std::move(zone);
  }
  return std::nullopt;
}

}  // namespace runctl::emulator
