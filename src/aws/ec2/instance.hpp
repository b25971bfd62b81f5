// EC2 instances. Members are those in use; names are the service model's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aws/ec2/spot_market.hpp"
#include "aws/ec2/tags.hpp"
#include "aws/operation.hpp"
#include "aws/shape.hpp"

namespace runctl::aws::ec2 {

struct InstanceState {
  std::optional<std::int64_t> code = {};
  std::string name = {};
  static constexpr auto shape =
      describe("InstanceState", field("Code", "code", &InstanceState::code),
               field("Name", "name", &InstanceState::name));
};

struct StateReason {
  std::string code = {};
  std::string message = {};
  static constexpr auto shape = describe("StateReason", field("Code", "code", &StateReason::code),
                                         field("Message", "message", &StateReason::message));
};

struct Placement {
  std::string availability_zone = {};
  std::string availability_zone_id = {};
  std::string tenancy = {};
  static constexpr auto shape = describe(
      "Placement", field("AvailabilityZone", "availabilityZone", &Placement::availability_zone),
      field("AvailabilityZoneId", "availabilityZoneId", &Placement::availability_zone_id),
      field("Tenancy", "tenancy", &Placement::tenancy));
};

struct EbsInstanceBlockDevice {
  std::string volume_id = {};
  std::string status = {};
  std::optional<Timestamp> attach_time = {};
  std::optional<bool> delete_on_termination = {};
  static constexpr auto shape = describe(
      "EbsInstanceBlockDevice", field("VolumeId", "volumeId", &EbsInstanceBlockDevice::volume_id),
      field("Status", "status", &EbsInstanceBlockDevice::status),
      field("AttachTime", "attachTime", &EbsInstanceBlockDevice::attach_time),
      field("DeleteOnTermination", "deleteOnTermination",
            &EbsInstanceBlockDevice::delete_on_termination));
};

struct InstanceBlockDeviceMapping {
  std::string device_name = {};
  std::optional<EbsInstanceBlockDevice> ebs = {};
  static constexpr auto shape =
      describe("InstanceBlockDeviceMapping",
               field("DeviceName", "deviceName", &InstanceBlockDeviceMapping::device_name),
               field("Ebs", "ebs", &InstanceBlockDeviceMapping::ebs));
};

struct IamInstanceProfileSpecification {
  std::string arn = {};
  std::string name = {};
  static constexpr auto shape = describe(
      "IamInstanceProfileSpecification", field("Arn", "arn", &IamInstanceProfileSpecification::arn),
      field("Name", "name", &IamInstanceProfileSpecification::name));
};

struct IamInstanceProfile {
  std::string arn = {};
  std::string id = {};
  static constexpr auto shape =
      describe("IamInstanceProfile", field("Arn", "arn", &IamInstanceProfile::arn),
               field("Id", "id", &IamInstanceProfile::id));
};

struct GroupIdentifier {
  std::string group_id = {};
  std::string group_name = {};
  static constexpr auto shape =
      describe("GroupIdentifier", field("GroupId", "groupId", &GroupIdentifier::group_id),
               field("GroupName", "groupName", &GroupIdentifier::group_name));
};

struct Instance {
  std::string instance_id = {};
  std::string image_id = {};
  std::optional<InstanceState> state = {};
  std::string state_transition_reason = {};
  std::optional<StateReason> state_reason = {};
  std::string instance_type = {};
  std::string key_name = {};
  std::optional<Timestamp> launch_time = {};
  std::optional<Placement> placement = {};
  std::string private_ip_address = {};
  std::string private_dns_name = {};
  std::string public_ip_address = {};
  std::string public_dns_name = {};
  std::string subnet_id = {};
  std::string vpc_id = {};
  std::vector<GroupIdentifier> security_groups = {};
  std::optional<IamInstanceProfile> iam_instance_profile = {};
  std::string architecture = {};
  std::string root_device_name = {};
  std::string root_device_type = {};
  std::vector<InstanceBlockDeviceMapping> block_device_mappings = {};
  std::string client_token = {};
  std::string hypervisor = {};
  std::string virtualization_type = {};
  std::string instance_lifecycle = {};  // "spot"; "" is on-demand
  std::string spot_instance_request_id = {};
  std::vector<Tag> tags = {};
  static constexpr auto shape = describe(
      "Instance", field("InstanceId", "instanceId", &Instance::instance_id),
      field("ImageId", "imageId", &Instance::image_id),
      field("State", "instanceState", &Instance::state),
      field("StateTransitionReason", "reason", &Instance::state_transition_reason),
      field("StateReason", "stateReason", &Instance::state_reason),
      field("InstanceType", "instanceType", &Instance::instance_type),
      field("KeyName", "keyName", &Instance::key_name),
      field("LaunchTime", "launchTime", &Instance::launch_time),
      field("Placement", "placement", &Instance::placement),
      field("PrivateIpAddress", "privateIpAddress", &Instance::private_ip_address),
      field("PrivateDnsName", "privateDnsName", &Instance::private_dns_name),
      field("PublicIpAddress", "ipAddress", &Instance::public_ip_address),
      field("PublicDnsName", "dnsName", &Instance::public_dns_name),
      field("SubnetId", "subnetId", &Instance::subnet_id),
      field("VpcId", "vpcId", &Instance::vpc_id),
      field("SecurityGroups", "groupSet", &Instance::security_groups),
      field("IamInstanceProfile", "iamInstanceProfile", &Instance::iam_instance_profile),
      field("Architecture", "architecture", &Instance::architecture),
      field("RootDeviceName", "rootDeviceName", &Instance::root_device_name),
      field("RootDeviceType", "rootDeviceType", &Instance::root_device_type),
      field("BlockDeviceMappings", "blockDeviceMapping", &Instance::block_device_mappings),
      field("ClientToken", "clientToken", &Instance::client_token),
      field("Hypervisor", "hypervisor", &Instance::hypervisor),
      field("VirtualizationType", "virtualizationType", &Instance::virtualization_type),
      field("InstanceLifecycle", "instanceLifecycle", &Instance::instance_lifecycle),
      field("SpotInstanceRequestId", "spotInstanceRequestId", &Instance::spot_instance_request_id),
      field("Tags", "tagSet", &Instance::tags));
};

struct Reservation {
  std::string reservation_id = {};
  std::string owner_id = {};
  std::vector<Instance> instances = {};
  static constexpr auto shape =
      describe("Reservation", field("ReservationId", "reservationId", &Reservation::reservation_id),
               field("OwnerId", "ownerId", &Reservation::owner_id),
               field("Instances", "instancesSet", &Reservation::instances));
};

struct RunInstancesRequest {
  std::string image_id = {};
  std::string instance_type = {};
  std::optional<std::int64_t> min_count = {};
  std::optional<std::int64_t> max_count = {};
  std::string key_name = {};
  std::vector<std::string> security_group_ids = {};
  std::string subnet_id = {};
  std::optional<Placement> placement = {};
  std::optional<IamInstanceProfileSpecification> iam_instance_profile = {};
  std::optional<InstanceMarketOptionsRequest> instance_market_options = {};
  std::string client_token = {};
  std::vector<TagSpecification> tag_specifications = {};
  std::optional<bool> dry_run = {};
  static constexpr auto shape = describe(
      "RunInstancesRequest", field("ImageId", &RunInstancesRequest::image_id),
      field("InstanceType", &RunInstancesRequest::instance_type),
      field("MinCount", &RunInstancesRequest::min_count),
      field("MaxCount", &RunInstancesRequest::max_count),
      field("KeyName", &RunInstancesRequest::key_name),
      field("SecurityGroupIds", "SecurityGroupId", &RunInstancesRequest::security_group_ids),
      field("SubnetId", &RunInstancesRequest::subnet_id),
      field("Placement", &RunInstancesRequest::placement),
      field("IamInstanceProfile", "iamInstanceProfile", &RunInstancesRequest::iam_instance_profile),
      field("InstanceMarketOptions", &RunInstancesRequest::instance_market_options),
      field("ClientToken", "clientToken", &RunInstancesRequest::client_token),
      field("TagSpecifications", "TagSpecification", &RunInstancesRequest::tag_specifications),
      field("DryRun", "dryRun", &RunInstancesRequest::dry_run));
};

struct DescribeInstancesRequest {
  std::vector<std::string> instance_ids = {};
  std::vector<Filter> filters = {};
  std::optional<std::int64_t> max_results = {};
  std::string next_token = {};
  std::optional<bool> dry_run = {};
  static constexpr auto shape =
      describe("DescribeInstancesRequest",
               field("InstanceIds", "InstanceId", &DescribeInstancesRequest::instance_ids),
               field("Filters", "Filter", &DescribeInstancesRequest::filters),
               field("MaxResults", "maxResults", &DescribeInstancesRequest::max_results),
               field("NextToken", "nextToken", &DescribeInstancesRequest::next_token),
               field("DryRun", "dryRun", &DescribeInstancesRequest::dry_run));
};

struct DescribeInstancesResult {
  std::string next_token = {};
  std::vector<Reservation> reservations = {};
  static constexpr auto shape =
      describe("DescribeInstancesResult",
               field("NextToken", "nextToken", &DescribeInstancesResult::next_token),
               field("Reservations", "reservationSet", &DescribeInstancesResult::reservations));
};

struct TerminateInstancesRequest {
  std::vector<std::string> instance_ids = {};
  std::optional<bool> dry_run = {};
  static constexpr auto shape =
      describe("TerminateInstancesRequest",
               field("InstanceIds", "InstanceId", &TerminateInstancesRequest::instance_ids),
               field("DryRun", "dryRun", &TerminateInstancesRequest::dry_run));
};

struct InstanceStateChange {
  std::optional<InstanceState> current_state = {};
  std::string instance_id = {};
  std::optional<InstanceState> previous_state = {};
  static constexpr auto shape =
      describe("InstanceStateChange",
               field("CurrentState", "currentState", &InstanceStateChange::current_state),
               field("InstanceId", "instanceId", &InstanceStateChange::instance_id),
               field("PreviousState", "previousState", &InstanceStateChange::previous_state));
};

struct TerminateInstancesResult {
  std::vector<InstanceStateChange> terminating_instances = {};
  static constexpr auto shape =
      describe("TerminateInstancesResult", field("TerminatingInstances", "instancesSet",
                                                 &TerminateInstancesResult::terminating_instances));
};

// Hibernation is left out: nothing here asks for it.
struct StopInstancesRequest {
  std::vector<std::string> instance_ids = {};
  std::optional<bool> force = {};
  std::optional<bool> dry_run = {};
  static constexpr auto shape =
      describe("StopInstancesRequest",
               field("InstanceIds", "InstanceId", &StopInstancesRequest::instance_ids),
               field("Force", "force", &StopInstancesRequest::force),
               field("DryRun", "dryRun", &StopInstancesRequest::dry_run));
};

struct StopInstancesResult {
  std::vector<InstanceStateChange> stopping_instances = {};
  static constexpr auto shape = describe(
      "StopInstancesResult",
      field("StoppingInstances", "instancesSet", &StopInstancesResult::stopping_instances));
};

struct StartInstancesRequest {
  std::vector<std::string> instance_ids = {};
  std::optional<bool> dry_run = {};
  static constexpr auto shape =
      describe("StartInstancesRequest",
               field("InstanceIds", "InstanceId", &StartInstancesRequest::instance_ids),
               field("DryRun", "dryRun", &StartInstancesRequest::dry_run));
};

struct StartInstancesResult {
  std::vector<InstanceStateChange> starting_instances = {};
  static constexpr auto shape = describe(
      "StartInstancesResult",
      field("StartingInstances", "instancesSet", &StartInstancesResult::starting_instances));
};

struct RebootInstancesRequest {
  std::vector<std::string> instance_ids = {};
  std::optional<bool> dry_run = {};
  static constexpr auto shape =
      describe("RebootInstancesRequest",
               field("InstanceIds", "InstanceId", &RebootInstancesRequest::instance_ids),
               field("DryRun", "dryRun", &RebootInstancesRequest::dry_run));
};

struct EbsInstanceBlockDeviceSpecification {
  std::optional<bool> delete_on_termination = {};
  std::string volume_id = {};
  static constexpr auto shape =
      describe("EbsInstanceBlockDeviceSpecification",
               field("DeleteOnTermination", "deleteOnTermination",
                     &EbsInstanceBlockDeviceSpecification::delete_on_termination),
               field("VolumeId", "volumeId", &EbsInstanceBlockDeviceSpecification::volume_id));
};

struct InstanceBlockDeviceMappingSpecification {
  std::string device_name = {};
  std::optional<EbsInstanceBlockDeviceSpecification> ebs = {};
  static constexpr auto shape = describe(
      "InstanceBlockDeviceMappingSpecification",
      field("DeviceName", "deviceName", &InstanceBlockDeviceMappingSpecification::device_name),
      field("Ebs", "ebs", &InstanceBlockDeviceMappingSpecification::ebs));
};

struct ModifyInstanceAttributeRequest {
  std::string instance_id = {};
  std::vector<InstanceBlockDeviceMappingSpecification> block_device_mappings = {};
  std::optional<bool> dry_run = {};
  static constexpr auto shape =
      describe("ModifyInstanceAttributeRequest",
               field("InstanceId", "instanceId", &ModifyInstanceAttributeRequest::instance_id),
               field("BlockDeviceMappings", "blockDeviceMapping",
                     &ModifyInstanceAttributeRequest::block_device_mappings),
               field("DryRun", "dryRun", &ModifyInstanceAttributeRequest::dry_run));
};

// Idempotent by its client token, which the caller must set.
struct RunInstances {
  using Request = RunInstancesRequest;
  using Response = Reservation;
  static constexpr OperationInfo info{ec2_service, "RunInstances", Idempotent::yes};
};

struct DescribeInstances {
  using Request = DescribeInstancesRequest;
  using Response = DescribeInstancesResult;
  static constexpr OperationInfo info{ec2_service, "DescribeInstances", Idempotent::yes};
};

struct TerminateInstances {
  using Request = TerminateInstancesRequest;
  using Response = TerminateInstancesResult;
  static constexpr OperationInfo info{ec2_service, "TerminateInstances", Idempotent::yes};
};

struct StopInstances {
  using Request = StopInstancesRequest;
  using Response = StopInstancesResult;
  static constexpr OperationInfo info{ec2_service, "StopInstances", Idempotent::yes};
};

struct StartInstances {
  using Request = StartInstancesRequest;
  using Response = StartInstancesResult;
  static constexpr OperationInfo info{ec2_service, "StartInstances", Idempotent::yes};
};

// Each request is a reboot of its own.
struct RebootInstances {
  using Request = RebootInstancesRequest;
  using Response = Return;
  static constexpr OperationInfo info{ec2_service, "RebootInstances", Idempotent::no};
};

struct ModifyInstanceAttribute {
  using Request = ModifyInstanceAttributeRequest;
  using Response = Return;
  static constexpr OperationInfo info{ec2_service, "ModifyInstanceAttribute", Idempotent::yes};
};

}  // namespace runctl::aws::ec2
