// What an hour of a machine costs: on demand, and on the emulator's spot market.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace runctl::emulator::ec2 {

// Ten thousandths of a dollar an hour, as fine as AWS's prices of these types are.
struct HourlyPrice {
  std::int64_t parts = 0;

  auto operator<=>(const HourlyPrice&) const = default;
};

// "0.0104"
[[nodiscard]] std::string to_text(HourlyPrice price);

// Of a type that is in the catalogue; every region has the prices of us-east-1 here.
[[nodiscard]] HourlyPrice on_demand_price(std::string_view type);

// The emulator's own: three tenths of the on-demand price in a region's first zone, and a twentieth
// more in each further one. It never changes. (AWS: "up to 90% off"; its prices move.)
[[nodiscard]] HourlyPrice spot_price(std::string_view type, std::string_view zone);

}  // namespace runctl::emulator::ec2
