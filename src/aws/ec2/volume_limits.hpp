// What each volume type can be. Facts of AWS's, used by the client's checks and by the emulator.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace runctl::aws::ec2 {

struct VolumeLimits {
  std::string_view type;
  std::int64_t least_gib;
  std::int64_t most_gib;
  std::int64_t least_iops;  // 0: IOPS cannot be asked for
  std::int64_t most_iops;
  std::int64_t iops_per_gib;
  bool multi_attach = false;
};

// Source: docs, "Amazon EBS volume types", as of 2026.
inline constexpr std::array<VolumeLimits, 7> volume_limits{{
    {"gp3", 1, 65'536, 3'000, 80'000, 500},
    {"gp2", 1, 16'384, 0, 0, 0},
    {"io1", 4, 16'384, 100, 64'000, 50, true},
    {"io2", 4, 65'536, 100, 256'000, 1'000, true},
    {"st1", 125, 16'384, 0, 0, 0},
    {"sc1", 125, 16'384, 0, 0, 0},
    {"standard", 1, 1'024, 0, 0, 0},
}};

// Only gp3 has a throughput to choose, in MiB/s, and at most a quarter of its IOPS.
inline constexpr std::int64_t gp3_least_throughput = 125;
inline constexpr std::int64_t gp3_most_throughput = 2'000;

// Null for a type that does not exist.
[[nodiscard]] constexpr const VolumeLimits* limits_of(std::string_view type) {
  for (const VolumeLimits& row : volume_limits) {
    if (row.type == type) return &row;
  }
  return nullptr;
}

// The most IOPS that a volume of that size may have; never less than the type's least.
[[nodiscard]] constexpr std::int64_t most_iops(const VolumeLimits& limits, std::int64_t gib) {
  const std::int64_t by_size = limits.iops_per_gib * gib;
  const std::int64_t most = by_size < limits.most_iops ? by_size : limits.most_iops;
  return most > limits.least_iops ? most : limits.least_iops;
}

}  // namespace runctl::aws::ec2
