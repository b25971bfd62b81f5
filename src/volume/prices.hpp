// What volumes, snapshots and S3 cost, for comparisons.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/units.hpp"

namespace runctl::volume {

// Said beside every price that is shown. List prices of us-east-1; what an account pays, and other
// regions, differ.
inline constexpr std::string_view price_note =
    "US dollars, list prices of us-east-1 in 2025, without taxes and discounts; other regions "
    "differ: https://aws.amazon.com/ebs/pricing";

inline constexpr double snapshot_per_gib_month = 0.05;
inline constexpr double s3_standard_per_gib_month = 0.023;
// Amazon EBS Provisioned Rate for Volume Initialization, once for the snapshot's whole size.
inline constexpr double initialization_per_gib = 0.0036;

struct PricedVolume {
  std::string_view type;
  GiB size;
  std::optional<std::int64_t> iops = {};
  std::optional<std::int64_t> throughput = {};  // MiB/s
};

// What it costs a month, used or not. Nothing for a type that has no price here. I/O requests of
// `standard` volumes come on top. Source: Amazon EBS pricing, us-east-1.
[[nodiscard]] std::optional<double> volume_per_month(const PricedVolume& volume);

// "$12.80"; "under $0.01" where that is all.
[[nodiscard]] std::string dollars(double amount);

}  // namespace runctl::volume
