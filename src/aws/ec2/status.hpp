// Health of volumes and instances. Members are those in use; names are the
// service model's.
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

struct VolumeStatusDetails {
  std::string name = {};
  std::string status = {};
  static constexpr auto shape =
      describe("VolumeStatusDetails", field("Name", "name", &VolumeStatusDetails::name),
               field("Status", "status", &VolumeStatusDetails::status));
};

struct VolumeStatusInfo {
  std::string status = {};
  std::vector<VolumeStatusDetails> details = {};
  static constexpr auto shape =
      describe("VolumeStatusInfo", field("Status", "status", &VolumeStatusInfo::status),
               field("Details", "details", &VolumeStatusInfo::details));
};

struct VolumeStatusItem {
  std::string volume_id = {};
  std::string availability_zone = {};
  std::optional<VolumeStatusInfo> volume_status = {};
  static constexpr auto shape =
      describe("VolumeStatusItem", field("VolumeId", "volumeId", &VolumeStatusItem::volume_id),
               field("AvailabilityZone", "availabilityZone", &VolumeStatusItem::availability_zone),
               field("VolumeStatus", "volumeStatus", &VolumeStatusItem::volume_status));
};

struct DescribeVolumeStatusRequest {
  std::vector<std::string> volume_ids = {};
  std::vector<Filter> filters = {};
  std::optional<std::int64_t> max_results = {};
  std::string next_token = {};
  std::optional<bool> dry_run = {};
  static constexpr auto shape =
      describe("DescribeVolumeStatusRequest",
               field("VolumeIds", "VolumeId", &DescribeVolumeStatusRequest::volume_ids),
               field("Filters", "Filter", &DescribeVolumeStatusRequest::filters),
               field("MaxResults", &DescribeVolumeStatusRequest::max_results),
               field("NextToken", &DescribeVolumeStatusRequest::next_token),
               field("DryRun", "dryRun", &DescribeVolumeStatusRequest::dry_run));
};

struct DescribeVolumeStatusResult {
  std::vector<VolumeStatusItem> volume_statuses = {};
  std::string next_token = {};
  static constexpr auto shape = describe(
      "DescribeVolumeStatusResult",
      field("VolumeStatuses", "volumeStatusSet", &DescribeVolumeStatusResult::volume_statuses),
      field("NextToken", "nextToken", &DescribeVolumeStatusResult::next_token));
};

struct DescribeVolumeStatus {
  using Request = DescribeVolumeStatusRequest;
  using Response = DescribeVolumeStatusResult;
  static constexpr OperationInfo info{ec2_service, "DescribeVolumeStatus", Idempotent::yes};
};

struct InstanceStatusDetails {
  std::string name = {};
  std::string status = {};
  static constexpr auto shape =
      describe("InstanceStatusDetails", field("Name", "name", &InstanceStatusDetails::name),
               field("Status", "status", &InstanceStatusDetails::status));
};

struct InstanceStatusSummary {
  std::string status = {};
  std::vector<InstanceStatusDetails> details = {};
  static constexpr auto shape =
      describe("InstanceStatusSummary", field("Status", "status", &InstanceStatusSummary::status),
               field("Details", "details", &InstanceStatusSummary::details));
};

struct InstanceStatus {
  std::string instance_id = {};
  std::string availability_zone = {};
  std::optional<ec2::InstanceState> state = {};
  std::optional<InstanceStatusSummary> instance_status = {};
  std::optional<InstanceStatusSummary> system_status = {};
  static constexpr auto shape =
      describe("InstanceStatus", field("InstanceId", "instanceId", &InstanceStatus::instance_id),
               field("AvailabilityZone", "availabilityZone", &InstanceStatus::availability_zone),
               field("InstanceState", "instanceState", &InstanceStatus::state),
               field("InstanceStatus", "instanceStatus", &InstanceStatus::instance_status),
               field("SystemStatus", "systemStatus", &InstanceStatus::system_status));
};

struct DescribeInstanceStatusRequest {
  std::vector<std::string> instance_ids = {};
  std::optional<bool> include_all_instances = {};
  std::vector<Filter> filters = {};
  std::optional<std::int64_t> max_results = {};
  std::string next_token = {};
  std::optional<bool> dry_run = {};
  static constexpr auto shape =
      describe("DescribeInstanceStatusRequest",
               field("InstanceIds", "InstanceId", &DescribeInstanceStatusRequest::instance_ids),
               field("IncludeAllInstances", "includeAllInstances",
                     &DescribeInstanceStatusRequest::include_all_instances),
               field("Filters", "Filter", &DescribeInstanceStatusRequest::filters),
               field("MaxResults", &DescribeInstanceStatusRequest::max_results),
               field("NextToken", &DescribeInstanceStatusRequest::next_token),
               field("DryRun", "dryRun", &DescribeInstanceStatusRequest::dry_run));
};

struct DescribeInstanceStatusResult {
  std::vector<InstanceStatus> instance_statuses = {};
  std::string next_token = {};
  static constexpr auto shape =
      describe("DescribeInstanceStatusResult",
               field("InstanceStatuses", "instanceStatusSet",
                     &DescribeInstanceStatusResult::instance_statuses),
               field("NextToken", "nextToken", &DescribeInstanceStatusResult::next_token));
};

struct DescribeInstanceStatus {
  using Request = DescribeInstanceStatusRequest;
  using Response = DescribeInstanceStatusResult;
  static constexpr OperationInfo info{ec2_service, "DescribeInstanceStatus", Idempotent::yes};
};

}  // namespace runctl::aws::ec2
