#include "emulator/ec2/spot_prices.hpp"

#include <fmt/format.h>

#include "aws/ec2/on_demand_prices.hpp"

namespace runctl::emulator::ec2 {

std::string to_text(HourlyPrice price) {
  return fmt::format("{}.{:04}", price.parts / 10'000, price.parts % 10'000);
}

HourlyPrice on_demand_price(std::string_view type) {
  return {.parts = aws::ec2::on_demand_price(type).value_or(0)};
}

HourlyPrice spot_price(std::string_view type, std::string_view zone) {
  const std::int64_t twentieths = 6 + (zone.empty() ? 0 : zone.back() - 'a');
  return {.parts = on_demand_price(type).parts * twentieths / 20};
}

}  // namespace runctl::emulator::ec2
