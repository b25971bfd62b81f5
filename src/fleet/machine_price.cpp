#include "fleet/machine_price.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

#include <fmt/format.h>

#include "aws/ec2/on_demand_prices.hpp"
#include "aws/ec2/spot_request.hpp"
#include "volume/prices.hpp"

namespace runctl::fleet {
namespace {

// Of Linux machines in a VPC, as all that runctl rents are.
constexpr std::string_view product = "Linux/UNIX";

std::optional<double> parse_price(std::string_view text) {
  double price = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), price);
  if (error != std::errc{} || rest != text.data() + text.size()) return std::nullopt;
  return price;
}

std::optional<double> spot_price(const volume::Session& session, const LaunchSpec& spec) {
  const auto history = session.aws.call<aws::ec2::DescribeSpotPriceHistory>(
      {.instance_types = {spec.type},
       .product_descriptions = {std::string{product}},
       .availability_zone = spec.zone,
       .start_time = session.clock.now()},
      session.options());
  if (!history) return std::nullopt;
  std::optional<double> dearest;
  for (const auto& row : history->spot_price_history) {
    const auto price = parse_price(row.spot_price);
    if (price) dearest = std::max(dearest.value_or(0), *price);
  }
  return dearest;
}

}  // namespace

std::optional<double> list_price(std::string_view type) {
  const auto parts = aws::ec2::on_demand_price(type);
  if (!parts) return std::nullopt;
  return static_cast<double>(*parts) / 10'000;
}

std::optional<MachinePrice> find_price(const volume::Session& session, const LaunchSpec& spec) {
  if (spec.market == Market::spot) {
    const auto price = spot_price(session, spec);
    if (!price) return std::nullopt;
    return MachinePrice{.per_hour = *price, .market = Market::spot};
  }
  const auto price = list_price(spec.type);
  if (!price) return std::nullopt;
  return MachinePrice{.per_hour = *price};
}

std::string in_words(const std::optional<MachinePrice>& price, const LaunchSpec& spec) {
  if (!price) {
    return fmt::format(
        "what a {} costs an hour is not known here: see "
        "https://aws.amazon.com/ec2/pricing",
        spec.type);
  }
  return fmt::format("{} an hour ({}, {})", volume::dollars(price->per_hour), spec.type,
                     price->market == Market::spot ? "spot, as the market is now"
                                                   : "on demand, list price of us-east-1");
}

}  // namespace runctl::fleet
