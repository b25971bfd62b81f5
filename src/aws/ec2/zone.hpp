// Regions and Availability Zones. Members are those in use; names are the service model's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "aws/ec2/tags.hpp"
#include "aws/operation.hpp"
#include "aws/shape.hpp"

namespace runctl::aws::ec2 {

struct AvailabilityZone {
  std::string zone_name = {};
  std::string zone_id = {};
  std::string region_name = {};
  std::string state = {};
  std::string group_name = {};
  std::string network_border_group = {};
  std::string zone_type = {};
  std::string opt_in_status = {};
  static constexpr auto shape = describe(
      "AvailabilityZone", field("ZoneName", "zoneName", &AvailabilityZone::zone_name),
      field("ZoneId", "zoneId", &AvailabilityZone::zone_id),
      field("RegionName", "regionName", &AvailabilityZone::region_name),
      field("State", "zoneState", &AvailabilityZone::state),
      field("GroupName", "groupName", &AvailabilityZone::group_name),
      field("NetworkBorderGroup", "networkBorderGroup", &AvailabilityZone::network_border_group),
      field("ZoneType", "zoneType", &AvailabilityZone::zone_type),
      field("OptInStatus", "optInStatus", &AvailabilityZone::opt_in_status));
};

struct DescribeAvailabilityZonesRequest {
  std::vector<std::string> zone_names = {};
  std::vector<std::string> zone_ids = {};
  std::vector<Filter> filters = {};
  std::optional<bool> all_availability_zones = {};
  std::optional<bool> dry_run = {};
  static constexpr auto shape = describe(
      "DescribeAvailabilityZonesRequest",
      field("ZoneNames", "ZoneName", &DescribeAvailabilityZonesRequest::zone_names),
      field("ZoneIds", "ZoneId", &DescribeAvailabilityZonesRequest::zone_ids),
      field("Filters", "Filter", &DescribeAvailabilityZonesRequest::filters),
      field("AllAvailabilityZones", &DescribeAvailabilityZonesRequest::all_availability_zones),
      field("DryRun", "dryRun", &DescribeAvailabilityZonesRequest::dry_run));
};

struct DescribeAvailabilityZonesResult {
  std::vector<AvailabilityZone> availability_zones = {};
  static constexpr auto shape =
      describe("DescribeAvailabilityZonesResult",
               field("AvailabilityZones", "availabilityZoneInfo",
                     &DescribeAvailabilityZonesResult::availability_zones));
};

struct DescribeAvailabilityZones {
  using Request = DescribeAvailabilityZonesRequest;
  using Response = DescribeAvailabilityZonesResult;
  static constexpr OperationInfo info{ec2_service, "DescribeAvailabilityZones", Idempotent::yes};
};

struct Region {
  std::string region_name = {};
  std::string endpoint = {};
  std::string opt_in_status = {};
  static constexpr auto shape =
      describe("Region", field("RegionName", "regionName", &Region::region_name),
               field("Endpoint", "regionEndpoint", &Region::endpoint),
               field("OptInStatus", "optInStatus", &Region::opt_in_status));
};

struct DescribeRegionsRequest {
  std::vector<std::string> region_names = {};
  std::optional<bool> all_regions = {};
  std::vector<Filter> filters = {};
  std::optional<bool> dry_run = {};
  static constexpr auto shape =
      describe("DescribeRegionsRequest",
               field("RegionNames", "RegionName", &DescribeRegionsRequest::region_names),
               field("AllRegions", &DescribeRegionsRequest::all_regions),
               field("Filters", "Filter", &DescribeRegionsRequest::filters),
               field("DryRun", "dryRun", &DescribeRegionsRequest::dry_run));
};

struct DescribeRegionsResult {
  std::vector<Region> regions = {};
  static constexpr auto shape = describe(
      "DescribeRegionsResult", field("Regions", "regionInfo", &DescribeRegionsResult::regions));
};

struct DescribeRegions {
  using Request = DescribeRegionsRequest;
  using Response = DescribeRegionsResult;
  static constexpr OperationInfo info{ec2_service, "DescribeRegions", Idempotent::yes};
};

}  // namespace runctl::aws::ec2
