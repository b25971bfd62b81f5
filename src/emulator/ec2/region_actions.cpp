// Regions, zones and instance types.
#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "emulator/ec2/actions.hpp"
#include "emulator/ec2/catalogue.hpp"
#include "emulator/ec2/filters.hpp"
#include "emulator/refusal.hpp"

namespace runctl::emulator::ec2 {
namespace {

using RegionRow = wire::Region;
using TypeRow = wire::InstanceTypeInfo;
using ZoneRow = wire::AvailabilityZone;

constexpr auto type_filters = std::to_array<FilterField<TypeRow>>({
    {"instance-type", [](const TypeRow& r) { return std::vector{r.instance_type}; }},
    {"hypervisor", [](const TypeRow& r) { return std::vector{r.hypervisor}; }},
    {"current-generation",
     [](const TypeRow& r) {
       return std::vector<std::string>{r.current_generation.value_or(false) ? "true" : "false"};
     }},
    {"vcpu-info.default-vcpus",
     [](const TypeRow& r) { return std::vector{std::to_string(*r.vcpu_info->default_vcpus)}; }},
    {"memory-info.size-in-mib",
     [](const TypeRow& r) { return std::vector{std::to_string(*r.memory_info->size_in_mib)}; }},
});

constexpr auto zone_filters = std::to_array<FilterField<ZoneRow>>({
    {"zone-name", [](const ZoneRow& r) { return std::vector{r.zone_name}; }},
    {"zone-id", [](const ZoneRow& r) { return std::vector{r.zone_id}; }},
    {"region-name", [](const ZoneRow& r) { return std::vector{r.region_name}; }},
    {"zone-type", [](const ZoneRow& r) { return std::vector{r.zone_type}; }},
    {"opt-in-status", [](const ZoneRow& r) { return std::vector{r.opt_in_status}; }},
    {"state", [](const ZoneRow& r) { return std::vector{r.state}; }},
});

constexpr auto region_filters = std::to_array<FilterField<RegionRow>>({
    {"region-name", [](const RegionRow& r) { return std::vector{r.region_name}; }},
    {"endpoint", [](const RegionRow& r) { return std::vector{r.endpoint}; }},
    {"opt-in-status", [](const RegionRow& r) { return std::vector{r.opt_in_status}; }},
});

// Those that an account has without asking, and some that it must ask for.
// Source: https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html
constexpr auto regions_at_once = std::to_array<std::string_view>(
    {"ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1",
     "ap-southeast-2", "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2",
     "eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2"});
constexpr auto regions_on_request = std::to_array<std::string_view>(
    {"af-south-1", "ap-east-1", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ca-west-1",
     "eu-central-2", "eu-south-1", "eu-south-2", "il-central-1", "me-central-1", "me-south-1"});

RegionRow region_row(std::string_view name, std::string_view opt_in_status) {
  return {.region_name = std::string{name},
          .endpoint = fmt::format("ec2.{}.amazonaws.com", name),
          .opt_in_status = std::string{opt_in_status}};
}

// Where the limit is shared the API gives the number of slots, and what else takes one is the
// reader's to know. Source: EBS User Guide, "Amazon EBS volume limits for Amazon EC2 instances".
std::int64_t reported_limit(const InstanceType& type) {
  if (type.limit_type == LimitType::dedicated) return type.ebs_attachments;
  return type.hypervisor == Hypervisor::nitro ? 28 : 40;
}

wire::InstanceTypeInfo view_of(const InstanceType& type) {
  const bool nitro = type.hypervisor == Hypervisor::nitro;
  return {
      .instance_type = std::string{type.name},
      .current_generation = type.current_generation,
      .bare_metal = false,
      .hypervisor = nitro ? "nitro" : "xen",
      .vcpu_info = wire::VCpuInfo{.default_vcpus = type.vcpus},
      .memory_info = wire::MemoryInfo{.size_in_mib = type.memory_mib},
      .ebs_info = wire::EbsInfo{
          .ebs_optimized_support = nitro ? "default" : "unsupported",
          .encryption_support = "supported",
          .nvme_support = nitro ? "required" : "unsupported",
          .maximum_ebs_attachments = reported_limit(type),
          .attachment_limit_type = type.limit_type == LimitType::shared ? "shared" : "dedicated"}};
}

template <class Names, class Text>
Result<void> check_known(const Names& wanted, const std::vector<ZoneRow>& rows, Text member,
                         std::string_view parameter) {
  for (const std::string& name : wanted) {
    if (std::ranges::none_of(rows, [&](const ZoneRow& r) { return r.*member == name; })) {
      return refuse("InvalidParameterValue",
                    fmt::format("Invalid availability zone: [{}] in {}", name, parameter));
    }
  }
  return {};
}

}  // namespace

Result<wire::DescribeRegionsResult> describe_regions(Turn&,
                                                     const wire::DescribeRegionsRequest& request) {
  std::vector<RegionRow> rows;
  rows.reserve(regions_at_once.size() + regions_on_request.size());
  for (const auto name : regions_at_once) rows.push_back(region_row(name, "opt-in-not-required"));
  if (request.all_regions.value_or(false) || !request.region_names.empty()) {
    for (const auto name : regions_on_request) rows.push_back(region_row(name, "not-opted-in"));
  }
  std::ranges::sort(rows, {}, &RegionRow::region_name);
  for (const std::string& name : request.region_names) {
    if (std::ranges::find(rows, name, &RegionRow::region_name) == rows.end()) {
      return refuse("InvalidParameterValue",
                    fmt::format("Invalid region(s): [{}] specified.", name));
    }
  }
  std::erase_if(rows, [&](const RegionRow& r) {
    const auto& wanted = request.region_names;
    return !wanted.empty() && std::ranges::find(wanted, r.region_name) == wanted.end();
  });
  RUNCTL_TRY(keep_matching<RegionRow>(rows, request.filters, region_filters));
  return wire::DescribeRegionsResult{.regions = std::move(rows)};
}

Result<wire::DescribeAvailabilityZonesResult> describe_availability_zones(
    Turn& turn, const wire::DescribeAvailabilityZonesRequest& request) {
  std::vector<ZoneRow> rows;
  for (const Zone& zone : zones_of(turn.place.region)) {
    rows.push_back({.zone_name = zone.name,
                    .zone_id = zone.id,
                    .region_name = turn.place.region,
                    .state = "available",
                    .group_name = turn.place.region + "-zg-1",
                    .network_border_group = turn.place.region,
                    .zone_type = "availability-zone",
                    .opt_in_status = "opt-in-not-required"});
  }
  RUNCTL_TRY(check_known(request.zone_names, rows, &ZoneRow::zone_name, "ZoneName"));
  RUNCTL_TRY(check_known(request.zone_ids, rows, &ZoneRow::zone_id, "ZoneId"));
  std::erase_if(rows, [&](const ZoneRow& r) {
    const auto lacks = [](const auto& wanted, const std::string& name) {
      return !wanted.empty() && std::ranges::find(wanted, name) == wanted.end();
    };
    return lacks(request.zone_names, r.zone_name) || lacks(request.zone_ids, r.zone_id);
  });
  RUNCTL_TRY(keep_matching<ZoneRow>(rows, request.filters, zone_filters));
  wire::DescribeAvailabilityZonesResult result;
  result.availability_zones = std::move(rows);
  return result;
}

Result<wire::DescribeInstanceTypesResult> describe_instance_types(
    Turn&, const wire::DescribeInstanceTypesRequest& request) {
  std::vector<TypeRow> rows;
  for (const std::string& name : request.instance_types) {
    if (instance_type_named(name) == nullptr) {
      return refuse("InvalidInstanceType",
                    fmt::format("The following supplied instance types do not exist: [{}]", name));
    }
  }
  for (const InstanceType& type : instance_types()) {
    const auto& wanted = request.instance_types;
    if (!wanted.empty() && std::ranges::find(wanted, type.name) == wanted.end()) continue;
    rows.push_back(view_of(type));
  }
  RUNCTL_TRY(keep_matching<TypeRow>(rows, request.filters, type_filters));
  wire::DescribeInstanceTypesResult result;
  // Source: DescribeInstanceTypesRequest.MaxResults in the model: 5 to 100.
  RUNCTL_TRY_LET(result.next_token, cut_to_page(rows,
                                                {.max_results = request.max_results,
                                                 .next_token = request.next_token,
                                                 .names_ids = !request.instance_types.empty(),
                                                 .most = 100},
                                                [](const TypeRow& r) -> const std::string& {
                                                  return r.instance_type;
                                                }));
  result.instance_types = std::move(rows);
  return result;
}

}  // namespace runctl::emulator::ec2
