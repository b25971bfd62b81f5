// What a launch says of the market that its instances are to be of. Members are those in use; names
// are the service model's.
#pragma once

#include <optional>
#include <string>

#include "aws/shape.hpp"

namespace runctl::aws::ec2 {

// BlockDurationMinutes is left out: AWS has withdrawn it.
struct SpotMarketOptions {
  std::string max_price = {};           // dollars an hour; "" is the on-demand price
  std::string spot_instance_type = {};  // "one-time" (the default) or "persistent"
  std::optional<Timestamp> valid_until = {};
  std::string instance_interruption_behavior =
      {};  // "terminate" (the default), "stop", "hibernate"
  static constexpr auto shape = describe(
      "SpotMarketOptions", field("MaxPrice", &SpotMarketOptions::max_price),
      field("SpotInstanceType", &SpotMarketOptions::spot_instance_type),
      field("ValidUntil", &SpotMarketOptions::valid_until),
      field("InstanceInterruptionBehavior", &SpotMarketOptions::instance_interruption_behavior));
};

struct InstanceMarketOptionsRequest {
  std::string market_type = {};  // "spot"
  std::optional<SpotMarketOptions> spot_options = {};
  static constexpr auto shape =
      describe("InstanceMarketOptionsRequest",
               field("MarketType", &InstanceMarketOptionsRequest::market_type),
               field("SpotOptions", &InstanceMarketOptionsRequest::spot_options));
};

}  // namespace runctl::aws::ec2
