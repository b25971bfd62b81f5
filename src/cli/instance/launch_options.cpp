#include "cli/instance/launch_options.hpp"

#include <charconv>
#include <ostream>
#include <utility>

#include <fmt/format.h>

#include "cli/ebs/options.hpp"

namespace runctl::cli {
namespace {

void announce_on_demand(Context& context, const fleet::LaunchSpec& spec, const Error& why) {
  context.err
      << fmt::format(
             "THERE IS NO SPOT MACHINE: {} ({}).\n"
             "AN ON-DEMAND {} IS RENTED INSTEAD, at the full price: three to ten times that "
             "of spot. --no-fallback refuses instead.\n",
             why.message, why.remote ? why.remote->code : "no answer", spec.type)
      << std::flush;
}

// Digits and at most one point. The least that EC2 takes is more than 0.001 dollars.
Result<std::string> parse_price(const std::string& text) {
  double price = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, price, std::chars_format::fixed);
  const bool digits = text.find_first_not_of("0123456789.") == std::string::npos;
  if (error == std::errc{} && rest == end && digits && price > 0.001) return text;
  auto wrong =
      fail(Errc::invalid_argument,
           fmt::format("--spot-max-price takes dollars an hour over 0.001, not '{}'", text));
  wrong.error().hint = "For example: --spot-max-price 0.35";
  return wrong;
}

Result<void> read_market(const Arguments& arguments, fleet::LaunchSpec& spec) {
  const auto price = arguments.get("--spot-max-price");
  if (!arguments.has("--spot") && (price || arguments.has("--no-fallback"))) {
    return fail(Errc::invalid_argument,
                "--spot-max-price and --no-fallback are for a spot machine: add --spot");
  }
  if (arguments.has("--spot")) spec.market = fleet::Market::spot;
  if (price) {
    RUNCTL_TRY_LET(spec.spot_max_price, parse_price(*price));
  }
  return {};
}

}  // namespace

Result<fleet::LaunchSpec> launch_spec_from(const Arguments& arguments,
                                           const std::optional<std::string>& type) {
  fleet::LaunchSpec spec;
  const auto option = arguments.get("--instance-type");
  if (type && option && *type != *option) {
    return fail(Errc::invalid_argument,
                fmt::format("two instance types are given: {} and {}", *type, *option));
  }
  if (type) spec.type = *type;
  if (option) spec.type = *option;
  spec.image = arguments.get("--ami-id").value_or(spec.image);
  spec.zone = arguments.get("--availability-zone").value_or("");
  spec.key_name = arguments.get("--key-name").value_or("");
  if (auto group = arguments.get("--security-group")) spec.security_groups = {*std::move(group)};
  spec.subnet = arguments.get("--subnet").value_or("");
  spec.instance_profile = arguments.get("--iam-instance-profile").value_or("");
  RUNCTL_TRY_LET(spec.tags, parse_tags(arguments));
  RUNCTL_TRY(read_market(arguments, spec));
  return spec;
}

fleet::Fallback fallback_from(const Arguments& arguments, Context& context,
                              const fleet::LaunchSpec& spec) {
  return {.allowed = !arguments.has("--no-fallback"),
          .announce = [&](const Error& why) { announce_on_demand(context, spec, why); }};
}

std::vector<std::string> launch_steps(const fleet::LaunchSpec& spec, bool may_fall_back) {
  const bool spot = spec.market == fleet::Market::spot;
  std::vector<std::string> steps{fmt::format("launch one {} {}instance{}{}", spec.type,
                                             spot ? "spot " : "", spec.zone.empty() ? "" : " in ",
                                             spec.zone)};
  if (spot && !spec.spot_max_price.empty()) {
    steps.back() += fmt::format(", for at most {} dollars an hour", spec.spot_max_price);
  }
  if (spot && may_fall_back) {
    steps.emplace_back("where there is no spot machine, launch an on-demand one at the full price");
  }
  return steps;
}

}  // namespace runctl::cli
