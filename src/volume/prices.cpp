#include "volume/prices.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace runctl::volume {
namespace {

struct TypePrice {
  std::string_view type;
  double per_gib;
};

constexpr std::array type_prices{
    TypePrice{.type = "gp2", .per_gib = 0.10},     TypePrice{.type = "gp3", .per_gib = 0.08},
    TypePrice{.type = "io1", .per_gib = 0.125},    TypePrice{.type = "io2", .per_gib = 0.125},
    TypePrice{.type = "st1", .per_gib = 0.045},    TypePrice{.type = "sc1", .per_gib = 0.015},
    TypePrice{.type = "standard", .per_gib = 0.05}};

double gp3_extras(const PricedVolume& volume) {
  const auto iops = static_cast<double>(std::max<std::int64_t>(volume.iops.value_or(0) - 3'000, 0));
  const auto mibs =
      static_cast<double>(std::max<std::int64_t>(volume.throughput.value_or(0) - 125, 0));
  return iops * 0.005 + mibs * 0.04;
}

// The first 32,000 at one price, up to 64,000 at another, the rest at a third.
double io2_iops(std::int64_t iops) {
  const auto first = static_cast<double>(std::min<std::int64_t>(iops, 32'000));
  const auto second = static_cast<double>(std::clamp<std::int64_t>(iops - 32'000, 0, 32'000));
  const auto third = static_cast<double>(std::max<std::int64_t>(iops - 64'000, 0));
  return first * 0.065 + second * 0.0455 + third * 0.03185;
}

}  // namespace

std::optional<double> volume_per_month(const PricedVolume& volume) {
  const auto* const row = std::ranges::find(type_prices, volume.type, &TypePrice::type);
  if (row == type_prices.end()) return std::nullopt;
  double price = row->per_gib * static_cast<double>(volume.size.count);
  if (volume.type == "gp3") price += gp3_extras(volume);
  if (volume.type == "io1") price += static_cast<double>(volume.iops.value_or(0)) * 0.065;
  if (volume.type == "io2") price += io2_iops(volume.iops.value_or(0));
  return price;
}

std::string dollars(double amount) {
  if (amount > 0 && amount < 0.01) return "under $0.01";
  if (amount >= 1'000) return fmt::format("${:.0f}", amount);
  return fmt::format("${:.2f}", amount);
}

}  // namespace runctl::volume
