#include "emulator/ec2/spot_rules.hpp"

#include <charconv>
#include <cmath>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "emulator/ec2/lookup.hpp"
#include "emulator/ec2/spot_prices.hpp"
#include "emulator/ec2/spot_steps.hpp"
#include "emulator/refusal.hpp"

namespace runctl::emulator::ec2 {
namespace {

namespace wire = aws::ec2;

// Dollars an hour. Source: EC2 API reference, SpotMarketOptions, MaxPrice.
constexpr double least_max_price = 0.001;

std::unexpected<Error> invalid(std::string_view value, std::string_view parameter) {
  return refuse("InvalidParameterValue",
                fmt::format("Value ({}) for parameter {} is invalid.", value, parameter));
}

Result<bool> is_persistent(std::string_view type) {
  if (type.empty() || type == "one-time") return false;
  if (type == "persistent") return true;
  return invalid(type, "SpotInstanceType");
}

Result<InterruptionBehavior> behavior_named(std::string_view name) {
  if (name.empty()) return InterruptionBehavior::terminate;
  for (const auto behavior : {InterruptionBehavior::terminate, InterruptionBehavior::stop,
                              InterruptionBehavior::hibernate}) {
    if (name_of(behavior) == name) return behavior;
  }
  return invalid(name, "InstanceInterruptionBehavior");
}

Result<void> check_max_price(std::string_view text) {
  if (text.empty()) return {};
  double price = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, price, std::chars_format::fixed);
  if (error != std::errc{} || rest != end || !(price > least_max_price) || std::isinf(price)) {
    return invalid(text, "MaxPrice");
  }
  return {};
}

Result<void> check_combination(const SpotTerms& terms, Timestamp now) {
  const bool ends = terms.behavior == InterruptionBehavior::terminate;
  if (terms.persistent && ends) {
    return refuse("InvalidParameterCombination",
                  "Persistent Spot Instance requests are only supported when the instance "
                  "interruption behavior is either hibernate or stop.");
  }
  if (!terms.persistent && !ends) {
    return refuse("InvalidParameterCombination",
                  fmt::format("The instance interruption behavior '{}' is only supported for "
                              "persistent Spot Instance requests.",
                              name_of(terms.behavior)));
  }
  if (!terms.persistent && terms.valid_until) {
    return refuse("InvalidParameterCombination",
                  "ValidUntil is only supported for persistent Spot Instance requests.");
  }
  if (terms.valid_until && *terms.valid_until <= now) {
    return invalid(iso8601(*terms.valid_until), "ValidUntil");
  }
  return {};
}

}  // namespace

Result<std::optional<SpotTerms>> spot_terms_of(const Turn& turn,
                                               const wire::RunInstancesRequest& request) {
  if (!request.instance_market_options) return std::optional<SpotTerms>{};
  const wire::InstanceMarketOptionsRequest& market = *request.instance_market_options;
  if (market.market_type.empty()) return missing("InstanceMarketOptions.MarketType");
  if (market.market_type == "capacity-block" ||
      market.market_type == "interruptible-capacity-reservation") {
    return refuse("UnsupportedOperation", "The emulator has no market but on-demand and spot");
  }
  if (market.market_type != "spot") return invalid(market.market_type, "MarketType");
  const wire::SpotMarketOptions asked = market.spot_options.value_or(wire::SpotMarketOptions{});
  SpotTerms terms{.max_price = asked.max_price, .valid_until = asked.valid_until};
  RUNCTL_TRY_LET(terms.persistent, is_persistent(asked.spot_instance_type));
  RUNCTL_TRY_LET(terms.behavior, behavior_named(asked.instance_interruption_behavior));
  RUNCTL_TRY(check_max_price(asked.max_price));
  RUNCTL_TRY(check_combination(terms, turn.now));
  return std::optional{std::move(terms)};
}

// The words are those that users of EC2 report.
Result<void> check_spot_price(const SpotTerms& terms, std::string_view type,
                              std::string_view zone) {
  if (terms.max_price.empty()) return {};
  const HourlyPrice price = spot_price(type, zone);
  double most = 0;
  const std::string& text = terms.max_price;
  std::from_chars(text.data(), text.data() + text.size(), most, std::chars_format::fixed);
  if (most * 10'000 >= static_cast<double>(price.parts)) return {};
  return refuse("SpotMaxPriceTooLow",
                fmt::format("Your Spot request price of {} is lower than the minimum required Spot "
                            "request fulfillment price of {}.",
                            text, to_text(price)));
}

Result<void> check_spot_stop(const State& state, const Instance& instance) {
  const SpotRequest* const request = spot_request_of(state, instance);
  if (request == nullptr) return {};
  if (!request->terms.persistent) {
    return refuse("UnsupportedOperation",
                  fmt::format("You can't stop the Spot Instance '{}' because it is associated with "
                              "a one-time Spot Instance request. You can only stop Spot Instances "
                              "associated with persistent Spot Instance requests.",
                              instance.id));
  }
  if (request->state == SpotState::cancelled) {
    return refuse("IncorrectSpotRequestState",
                  fmt::format("You can't stop the Spot Instance '{}' because the associated Spot "
                              "Instance request is not in an appropriate state to support stop",
                              instance.id));
  }
  return {};
}

// One that EC2 stopped is EC2's to start.
Result<void> check_spot_start(const State& state, const Instance& instance) {
  const SpotRequest* const request = spot_request_of(state, instance);
  if (request == nullptr) return {};
  if (instance.reason_code != spot_shutdown && request->state != SpotState::cancelled) return {};
  return refuse("IncorrectSpotRequestState",
                fmt::format("You can't start the Spot Instance '{}' because the associated Spot "
                            "Instance request is not in an appropriate state to support start",
                            instance.id));
}

}  // namespace runctl::emulator::ec2
