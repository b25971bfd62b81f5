// What EC2 allows with spot instances.
#pragma once

#include <optional>
#include <string_view>

#include "aws/ec2/instance.hpp"
#include "base/result.hpp"
#include "emulator/ec2/spot.hpp"
#include "emulator/ec2/state.hpp"

namespace runctl::emulator::ec2 {

// What the launch asks of the spot market; nothing for an on-demand launch.
// Errors: MissingParameter, InvalidParameterValue, InvalidParameterCombination,
// UnsupportedOperation. Source of the rules: EC2 API reference, SpotMarketOptions.
[[nodiscard]] Result<std::optional<SpotTerms>> spot_terms_of(
    const Turn& turn, const aws::ec2::RunInstancesRequest& request);

// SpotMaxPriceTooLow for terms whose highest price is under the price of that market.
[[nodiscard]] Result<void> check_spot_price(const SpotTerms& terms, std::string_view type,
                                            std::string_view zone);

// Whether the user may stop and start the instance; an on-demand one always.
// Errors: UnsupportedOperation for a one-time request; IncorrectSpotRequestState.
// Source: EC2 User Guide, "Stop a Spot Instance" and "Start a Spot Instance"; the words are those
// that users of EC2 report.
[[nodiscard]] Result<void> check_spot_stop(const State& state, const Instance& instance);
[[nodiscard]] Result<void> check_spot_start(const State& state, const Instance& instance);

}  // namespace runctl::emulator::ec2
