// What an hour of a machine costs on demand, for estimates and for the emulator's spot market.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace runctl::aws::ec2 {

// Ten thousandths of a dollar an hour, as fine as AWS's prices of these types are; nothing for a
// type that is not among them. Source: AWS's price list of EC2, on demand, Linux, shared tenancy,
// us-east-1, of 2026.
[[nodiscard]] std::optional<std::int64_t> on_demand_price(std::string_view type);

}  // namespace runctl::aws::ec2
