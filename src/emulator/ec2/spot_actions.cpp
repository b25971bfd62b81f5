// Spot requests and spot prices.
#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "emulator/ec2/actions.hpp"
#include "emulator/ec2/catalogue.hpp"
#include "emulator/ec2/filters.hpp"
#include "emulator/ec2/lookup.hpp"
#include "emulator/ec2/spot_prices.hpp"
#include "emulator/ec2/spot_steps.hpp"
#include "emulator/ec2/views.hpp"
#include "emulator/refusal.hpp"

namespace runctl::emulator::ec2 {
namespace {

using R = wire::SpotInstanceRequest;
using P = wire::SpotPrice;

// The one image is the emulator's host.
constexpr std::string_view product = "Linux/UNIX";

// Source: EC2 API reference, DescribeSpotInstanceRequests; those that are not here are refused.
constexpr auto request_filters = std::to_array<FilterField<R>>({
    {"spot-instance-request-id",
     [](const R& r) { return std::vector{r.spot_instance_request_id}; }},
    {"state", [](const R& r) { return std::vector{r.state}; }},
    {"status-code", [](const R& r) { return std::vector{r.status->code}; }},
    {"type", [](const R& r) { return std::vector{r.type}; }},
    {"instance-id", [](const R& r) { return std::vector{r.instance_id}; }},
    {"product-description", [](const R& r) { return std::vector{r.product_description}; }},
    {"spot-price", [](const R& r) { return std::vector{r.spot_price}; }},
    {"launched-availability-zone",
     [](const R& r) { return std::vector{r.launched_availability_zone}; }},
    {"launch.image-id", [](const R& r) { return std::vector{r.launch_specification->image_id}; }},
    {"launch.instance-type",
     [](const R& r) { return std::vector{r.launch_specification->instance_type}; }},
});

// Source: EC2 API reference, DescribeSpotPriceHistory.
constexpr auto price_filters = std::to_array<FilterField<P>>({
    {"availability-zone", [](const P& p) { return std::vector{p.availability_zone}; }},
    {"availability-zone-id", [](const P& p) { return std::vector{p.availability_zone_id}; }},
    {"instance-type", [](const P& p) { return std::vector{p.instance_type}; }},
    {"product-description", [](const P& p) { return std::vector{p.product_description}; }},
    {"spot-price", [](const P& p) { return std::vector{p.spot_price}; }},
});

R row_of(const std::string& id, const SpotRequest& request) {
  return {.spot_instance_request_id = id,
          .state = std::string{name_of(request.state)},
          .status =
              wire::SpotInstanceStatus{
                  .code = request.code, .message = request.message, .update_time = request.updated},
          .type = request.terms.persistent ? "persistent" : "one-time",
          .instance_id = request.instance.str(),
          .instance_interruption_behavior = std::string{name_of(request.terms.behavior)},
          .spot_price = request.terms.max_price.empty()
                            ? to_text(on_demand_price(request.instance_type))
                            : request.terms.max_price,
          .product_description = std::string{product},
          .create_time = request.created,
          .valid_until = request.terms.valid_until,
          .launched_availability_zone = request.zone.name,
          .launched_availability_zone_id = request.zone.id,
          .launch_specification =
              wire::LaunchSpecification{
                  .image_id = request.image,
                  .instance_type = request.instance_type,
                  .key_name = request.key_name,
                  .subnet_id = request.subnet,
                  .placement = wire::SpotPlacement{.availability_zone = request.zone.name}},
          .tags = view_of(request.tags)};
}

// AWS lets a price be looked up for the past 90 days; it is the same on all of them here.
Timestamp set_on(Timestamp asked) { return std::chrono::floor<std::chrono::days>(asked); }

Result<void> check_price_request(const Turn& turn,
                                 const wire::DescribeSpotPriceHistoryRequest& request) {
  for (const std::string& type : request.instance_types) {
    if (instance_type_named(type) == nullptr) {
      return refuse("InvalidParameterValue",
                    fmt::format("Invalid value '{}' for InstanceType.", type));
    }
  }
  if (!request.availability_zone.empty() &&
      !zone_named(turn.place.region, request.availability_zone)) {
    return refuse("InvalidParameterValue",
                  fmt::format("Invalid availability zone: [{}]", request.availability_zone));
  }
  if (request.start_time && request.end_time && *request.end_time < *request.start_time) {
    return refuse("InvalidParameterValue", "The end time is before the start time");
  }
  return {};
}

bool is_among(const std::vector<std::string>& wanted, std::string_view name) {
  return wanted.empty() || std::ranges::find(wanted, name) != wanted.end();
}

}  // namespace

Result<wire::DescribeSpotInstanceRequestsResult> describe_spot_instance_requests(
    Turn& turn, const wire::DescribeSpotInstanceRequestsRequest& request) {
  for (const std::string& id : request.spot_instance_request_ids) {
    RUNCTL_TRY(check_spot_request(turn.state, id));
  }
  std::vector<R> rows;
  for (const auto& [id, known] : turn.state.spot_requests.all()) {
    if (is_among(request.spot_instance_request_ids, id)) rows.push_back(row_of(id, known));
  }
  RUNCTL_TRY(keep_matching<R>(rows, request.filters, request_filters));
  wire::DescribeSpotInstanceRequestsResult result;
  RUNCTL_TRY_LET(result.next_token, page_of(rows, request, request.spot_instance_request_ids,
                                            &R::spot_instance_request_id));
  result.spot_instance_requests = std::move(rows);
  return result;
}

// Source: EC2 API reference, CancelSpotInstanceRequests: it does not end the instances.
Result<wire::CancelSpotInstanceRequestsResult> cancel_spot_instance_requests(
    Turn& turn, const wire::CancelSpotInstanceRequestsRequest& request) {
  if (request.spot_instance_request_ids.empty()) return missing("SpotInstanceRequestId");
  for (const std::string& id : request.spot_instance_request_ids) {
    RUNCTL_TRY(check_spot_request(turn.state, id));
  }
  wire::CancelSpotInstanceRequestsResult result;
  for (const std::string& id : request.spot_instance_request_ids) {
    cancel_spot_request(turn, id);
    result.cancelled_spot_instance_requests.push_back(
        {.spot_instance_request_id = id,
         .state = std::string{name_of(turn.state.spot_requests.find(id)->state)}});
  }
  return result;
}

// Of each type and zone the price that holds at the start of the time that is asked for.
Result<wire::DescribeSpotPriceHistoryResult> describe_spot_price_history(
    Turn& turn, const wire::DescribeSpotPriceHistoryRequest& request) {
  RUNCTL_TRY(check_price_request(turn, request));
  const Timestamp since = set_on(std::min(request.start_time.value_or(turn.now), turn.now));
  std::vector<P> rows;
  for (const InstanceType& type : instance_types()) {
    if (!is_among(request.instance_types, type.name)) continue;
    if (!is_among(request.product_descriptions, product)) continue;
    for (const Zone& zone : zones_of(turn.place.region)) {
      if (!request.availability_zone.empty() && request.availability_zone != zone.name) continue;
      rows.push_back({.availability_zone = zone.name,
                      .availability_zone_id = zone.id,
                      .instance_type = std::string{type.name},
                      .product_description = std::string{product},
                      .spot_price = to_text(spot_price(type.name, zone.name)),
                      .timestamp = since});
    }
  }
  RUNCTL_TRY(keep_matching<P>(rows, request.filters, price_filters));
  const auto key_of = [](const P& p) { return p.instance_type + "/" + p.availability_zone; };
  std::ranges::sort(rows, {}, key_of);
  wire::DescribeSpotPriceHistoryResult result;
  RUNCTL_TRY_LET(
      result.next_token,
      cut_to_page(
          rows, {.max_results = request.max_results, .next_token = request.next_token, .least = 1},
          key_of));
  result.spot_price_history = std::move(rows);
  return result;
}

}  // namespace runctl::emulator::ec2
