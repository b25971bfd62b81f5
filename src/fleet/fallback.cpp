#include "fleet/fallback.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "aws/ec2/spot_request.hpp"
#include "volume/read.hpp"

namespace runctl::fleet {
namespace {

namespace ec2 = aws::ec2;
using volume::Change;
using volume::InstanceFacts;

// Source: EC2 API reference, "Error codes for the Amazon EC2 API".
constexpr std::array<std::string_view, 4> no_spot_codes{
    "InsufficientInstanceCapacity", "SpotMaxPriceTooLow", "MaxSpotInstanceCountExceeded",
    "UnfulfillableCapacity"};

std::string words_of(const Error& error) {
  return fmt::format("{}: {}", error.remote ? error.remote->code : "no answer", error.message);
}

Market market_of(const InstanceFacts& instance) {
  return instance.lifecycle == "spot" ? Market::spot : Market::on_demand;
}

Result<std::vector<ec2::SpotInstanceRequest>> requests_under(const Change& change,
                                                             const std::string& token) {
  RUNCTL_TRY_LET(
      auto found,
      change.session.aws.call<ec2::DescribeSpotInstanceRequests>(
          {.filters = {{.name = fmt::format("tag:{}", volume::tag::operation), .values = {token}}}},
          change.session.options()));
  return std::move(found.spot_instance_requests);
}

// The machine that one of the requests has got, if there is one that has not ended.
Result<std::optional<InstanceFacts>> machine_of(
    const Change& change, const std::vector<ec2::SpotInstanceRequest>& requests) {
  for (const auto& request : requests) {
    if (request.instance_id.empty()) continue;
    RUNCTL_TRY_LET(const InstanceId id, InstanceId::parse(request.instance_id));
    RUNCTL_TRY_LET(auto seen,
                   volume::read_instance(change.session.aws, id, change.session.options()));
    if (seen.state == volume::InstanceState::shutting_down ||
        seen.state == volume::InstanceState::terminated) {
      continue;
    }
    change.recorder.add_subject(id.str());
    return std::optional{std::move(seen)};
  }
  return std::optional<InstanceFacts>{};
}

Result<void> cancel(const Change& change, const std::vector<std::string>& ids) {
  auto sent =
      volume::send<ec2::CancelSpotInstanceRequests>(change, {.spot_instance_request_ids = ids});
  if (sent) return {};
  auto failed = with_context(std::move(sent).error(), "cancelling the spot request");
  failed.error().hint =
      "Nothing more was rented. While it is open, EC2 may still give it a machine.";
  for (const std::string& id : ids) {
    failed.error().ways_out.push_back(
        fmt::format("aws ec2 cancel-spot-instance-requests --spot-instance-request-ids {}", id));
  }
  return failed;
}

// What a refused launch has left in the market. RunInstances answers for a spot request when it is
// fulfilled or over, so that this is nothing as a rule; where it cannot be seen, that is taken for
// granted. A machine means that the launch succeeded after all.
Result<std::optional<InstanceFacts>> clear_up(const Change& change, const std::string& token) {
  auto requests = requests_under(change, token);
  if (!requests) {
    change.session.progress("its spot request cannot be looked up");
    return std::optional<InstanceFacts>{};
  }
  RUNCTL_TRY_LET(auto machine, machine_of(change, *requests));
  if (machine) return machine;
  std::vector<std::string> open;
  for (const auto& request : *requests) {
    if (request.state == "open" || request.state == "active") {
      open.push_back(request.spot_instance_request_id);
    }
  }
  if (open.empty()) return machine;
  RUNCTL_TRY(cancel(change, open));
  // It may have been fulfilled until then, and a cancelled request does not end its machine.
  RUNCTL_TRY_LET(const auto now, requests_under(change, token));
  return machine_of(change, now);
}

Error no_spot(Error error, const LaunchSpec& spec) {
  error.context.emplace_back("renting a spot machine");
  error.hint =
      "No machine was rented. Each zone and each instance type has a spot market of its own: "
      "another "
      "one may have some.";
  error.ways_out = {fmt::format(
      "runctl aws create {} --spot   # rents an on-demand machine where there is no spot one",
      spec.type)};
  return error;
}

}  // namespace

bool lacks_spot(const Error& error) {
  return error.effect == Effect::not_applied && error.remote &&
         std::ranges::find(no_spot_codes, error.remote->code) != no_spot_codes.end();
}

Result<Rented> launch_with_fallback(const Change& change, const LaunchSpec& spec,
                                    const Fallback& fallback) {
  const std::string token = random_uuid(change.session.random);
  auto first = launch_as(change, spec, token);
  if (first) return Rented{.instance = *first, .market = market_of(*first)};
  if (spec.market != Market::spot || !lacks_spot(first.error())) {
    return std::unexpected{std::move(first).error()};
  }
  RUNCTL_TRY_LET(auto after_all, clear_up(change, token));
  if (after_all) return Rented{.instance = *after_all, .market = market_of(*after_all)};
  if (!fallback.allowed) return std::unexpected{no_spot(std::move(first).error(), spec)};
  fallback.announce(first.error());
  LaunchSpec instead = spec;
  instead.market = Market::on_demand;
  RUNCTL_TRY_LET(auto second, launch(change, instead));
  return Rented{.instance = std::move(second),
                .market = Market::on_demand,
                .why_not_spot = words_of(first.error())};
}

}  // namespace runctl::fleet
