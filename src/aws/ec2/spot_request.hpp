// Spot requests and spot prices. Members are those in use; names are the service model's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aws/ec2/instance.hpp"
#include "aws/ec2/tags.hpp"
#include "aws/operation.hpp"
#include "aws/shape.hpp"

namespace runctl::aws::ec2 {

struct SpotInstanceStatus {
  std::string code = {};
  std::string message = {};
  std::optional<Timestamp> update_time = {};
  static constexpr auto shape =
      describe("SpotInstanceStatus", field("Code", "code", &SpotInstanceStatus::code),
               field("Message", "message", &SpotInstanceStatus::message),
               field("UpdateTime", "updateTime", &SpotInstanceStatus::update_time));
};

struct SpotPlacement {
  std::string availability_zone = {};
  static constexpr auto shape =
      describe("SpotPlacement",
               field("AvailabilityZone", "availabilityZone", &SpotPlacement::availability_zone));
};

struct LaunchSpecification {
  std::string image_id = {};
  std::string instance_type = {};
  std::string key_name = {};
  std::string subnet_id = {};
  std::optional<SpotPlacement> placement = {};
  static constexpr auto shape =
      describe("LaunchSpecification", field("ImageId", "imageId", &LaunchSpecification::image_id),
               field("InstanceType", "instanceType", &LaunchSpecification::instance_type),
               field("KeyName", "keyName", &LaunchSpecification::key_name),
               field("SubnetId", "subnetId", &LaunchSpecification::subnet_id),
               field("Placement", "placement", &LaunchSpecification::placement));
};

struct SpotInstanceRequest {
  std::string spot_instance_request_id = {};
  std::string state = {};
  std::optional<SpotInstanceStatus> status = {};
  std::string type = {};
  std::string instance_id = {};
  std::string instance_interruption_behavior = {};
  std::string spot_price = {};
  std::string product_description = {};
  std::optional<Timestamp> create_time = {};
  std::optional<Timestamp> valid_until = {};
  std::string launched_availability_zone = {};
  std::string launched_availability_zone_id = {};
  std::optional<LaunchSpecification> launch_specification = {};
  std::vector<Tag> tags = {};
  static constexpr auto shape = describe(
      "SpotInstanceRequest",
      field("SpotInstanceRequestId", "spotInstanceRequestId",
            &SpotInstanceRequest::spot_instance_request_id),
      field("State", "state", &SpotInstanceRequest::state),
      field("Status", "status", &SpotInstanceRequest::status),
      field("Type", "type", &SpotInstanceRequest::type),
      field("InstanceId", "instanceId", &SpotInstanceRequest::instance_id),
      field("InstanceInterruptionBehavior", "instanceInterruptionBehavior",
            &SpotInstanceRequest::instance_interruption_behavior),
      field("SpotPrice", "spotPrice", &SpotInstanceRequest::spot_price),
      field("ProductDescription", "productDescription", &SpotInstanceRequest::product_description),
      field("CreateTime", "createTime", &SpotInstanceRequest::create_time),
      field("ValidUntil", "validUntil", &SpotInstanceRequest::valid_until),
      field("LaunchedAvailabilityZone", "launchedAvailabilityZone",
            &SpotInstanceRequest::launched_availability_zone),
      field("LaunchedAvailabilityZoneId", "launchedAvailabilityZoneId",
            &SpotInstanceRequest::launched_availability_zone_id),
      field("LaunchSpecification", "launchSpecification",
            &SpotInstanceRequest::launch_specification),
      field("Tags", "tagSet", &SpotInstanceRequest::tags));
};

struct DescribeSpotInstanceRequestsRequest {
  std::vector<std::string> spot_instance_request_ids = {};
  std::vector<Filter> filters = {};
  std::optional<std::int64_t> max_results = {};
  std::string next_token = {};
  std::optional<bool> dry_run = {};
  static constexpr auto shape =
      describe("DescribeSpotInstanceRequestsRequest",
               field("SpotInstanceRequestIds", "SpotInstanceRequestId",
                     &DescribeSpotInstanceRequestsRequest::spot_instance_request_ids),
               field("Filters", "Filter", &DescribeSpotInstanceRequestsRequest::filters),
               field("MaxResults", &DescribeSpotInstanceRequestsRequest::max_results),
               field("NextToken", &DescribeSpotInstanceRequestsRequest::next_token),
               field("DryRun", "dryRun", &DescribeSpotInstanceRequestsRequest::dry_run));
};

struct DescribeSpotInstanceRequestsResult {
  std::vector<SpotInstanceRequest> spot_instance_requests = {};
  std::string next_token = {};
  static constexpr auto shape =
      describe("DescribeSpotInstanceRequestsResult",
               field("SpotInstanceRequests", "spotInstanceRequestSet",
                     &DescribeSpotInstanceRequestsResult::spot_instance_requests),
               field("NextToken", "nextToken", &DescribeSpotInstanceRequestsResult::next_token));
};

struct CancelSpotInstanceRequestsRequest {
  std::vector<std::string> spot_instance_request_ids = {};
  std::optional<bool> dry_run = {};
  static constexpr auto shape =
      describe("CancelSpotInstanceRequestsRequest",
               field("SpotInstanceRequestIds", "SpotInstanceRequestId",
                     &CancelSpotInstanceRequestsRequest::spot_instance_request_ids),
               field("DryRun", "dryRun", &CancelSpotInstanceRequestsRequest::dry_run));
};

struct CancelledSpotInstanceRequest {
  std::string spot_instance_request_id = {};
  std::string state = {};
  static constexpr auto shape =
      describe("CancelledSpotInstanceRequest",
               field("SpotInstanceRequestId", "spotInstanceRequestId",
                     &CancelledSpotInstanceRequest::spot_instance_request_id),
               field("State", "state", &CancelledSpotInstanceRequest::state));
};

struct CancelSpotInstanceRequestsResult {
  std::vector<CancelledSpotInstanceRequest> cancelled_spot_instance_requests = {};
  static constexpr auto shape =
      describe("CancelSpotInstanceRequestsResult",
               field("CancelledSpotInstanceRequests", "spotInstanceRequestSet",
                     &CancelSpotInstanceRequestsResult::cancelled_spot_instance_requests));
};

struct DescribeSpotPriceHistoryRequest {
  std::vector<std::string> instance_types = {};
  std::vector<std::string> product_descriptions = {};
  std::vector<Filter> filters = {};
  std::string availability_zone = {};
  std::optional<Timestamp> start_time = {};
  std::optional<Timestamp> end_time = {};
  std::optional<std::int64_t> max_results = {};
  std::string next_token = {};
  std::optional<bool> dry_run = {};
  static constexpr auto shape = describe(
      "DescribeSpotPriceHistoryRequest",
      field("InstanceTypes", "InstanceType", &DescribeSpotPriceHistoryRequest::instance_types),
      field("ProductDescriptions", "ProductDescription",
            &DescribeSpotPriceHistoryRequest::product_descriptions),
      field("Filters", "Filter", &DescribeSpotPriceHistoryRequest::filters),
      field("AvailabilityZone", "availabilityZone",
            &DescribeSpotPriceHistoryRequest::availability_zone),
      field("StartTime", "startTime", &DescribeSpotPriceHistoryRequest::start_time),
      field("EndTime", "endTime", &DescribeSpotPriceHistoryRequest::end_time),
      field("MaxResults", "maxResults", &DescribeSpotPriceHistoryRequest::max_results),
      field("NextToken", "nextToken", &DescribeSpotPriceHistoryRequest::next_token),
      field("DryRun", "dryRun", &DescribeSpotPriceHistoryRequest::dry_run));
};

struct SpotPrice {
  std::string availability_zone = {};
  std::string availability_zone_id = {};
  std::string instance_type = {};
  std::string product_description = {};
  std::string spot_price = {};
  std::optional<Timestamp> timestamp = {};
  static constexpr auto shape = describe(
      "SpotPrice", field("AvailabilityZone", "availabilityZone", &SpotPrice::availability_zone),
      field("AvailabilityZoneId", "availabilityZoneId", &SpotPrice::availability_zone_id),
      field("InstanceType", "instanceType", &SpotPrice::instance_type),
      field("ProductDescription", "productDescription", &SpotPrice::product_description),
      field("SpotPrice", "spotPrice", &SpotPrice::spot_price),
      field("Timestamp", "timestamp", &SpotPrice::timestamp));
};

struct DescribeSpotPriceHistoryResult {
  std::vector<SpotPrice> spot_price_history = {};
  std::string next_token = {};
  static constexpr auto shape =
      describe("DescribeSpotPriceHistoryResult",
               field("SpotPriceHistory", "spotPriceHistorySet",
                     &DescribeSpotPriceHistoryResult::spot_price_history),
               field("NextToken", "nextToken", &DescribeSpotPriceHistoryResult::next_token));
};

struct DescribeSpotInstanceRequests {
  using Request = DescribeSpotInstanceRequestsRequest;
  using Response = DescribeSpotInstanceRequestsResult;
  static constexpr OperationInfo info{ec2_service, "DescribeSpotInstanceRequests", Idempotent::yes};
};

struct CancelSpotInstanceRequests {
  using Request = CancelSpotInstanceRequestsRequest;
  using Response = CancelSpotInstanceRequestsResult;
  static constexpr OperationInfo info{ec2_service, "CancelSpotInstanceRequests", Idempotent::yes};
};

struct DescribeSpotPriceHistory {
  using Request = DescribeSpotPriceHistoryRequest;
  using Response = DescribeSpotPriceHistoryResult;
  static constexpr OperationInfo info{ec2_service, "DescribeSpotPriceHistory", Idempotent::yes};
};

}  // namespace runctl::aws::ec2
