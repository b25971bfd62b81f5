// Accounts, regions and zones of the emulated cloud.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace runctl::emulator {

// Where resources live: each account sees its own only, region by region.
struct Place {
  std::string account;  // twelve digits
  std::string region;

  auto operator<=>(const Place&) const = default;
};

struct Zone {
  std::string name;  // "us-east-1a"
  std::string id;    // "use1-az1"

  auto operator<=>(const Zone&) const = default;
};

// Twelve digits, the same for the same access key id.
[[nodiscard]] std::string account_of(std::string_view access_key_id);

// Any name of the form of AWS's regions is one: "us-east-1", "us-gov-west-1".
[[nodiscard]] bool is_region_name(std::string_view text);

// Three, a to c. AWS shuffles the ids between accounts; here they follow the letters.
// Source: https://docs.aws.amazon.com/global-infrastructure/latest/regions/az-ids.html
[[nodiscard]] std::vector<Zone> zones_of(std::string_view region);

[[nodiscard]] std::optional<Zone> zone_named(std::string_view region, std::string_view name);
[[nodiscard]] std::optional<Zone> zone_with_id(std::string_view region, std::string_view id);

}  // namespace runctl::emulator
