// Networks, subnets and security groups. Members are those in use; names are the
// service model's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aws/ec2/tags.hpp"
#include "aws/operation.hpp"
#include "aws/shape.hpp"

namespace runctl::aws::ec2 {

struct Vpc {
  std::string vpc_id = {};
  std::string state = {};
  std::string cidr_block = {};
  std::optional<bool> is_default = {};
  std::string instance_tenancy = {};
  std::string owner_id = {};
  std::vector<Tag> tags = {};
  static constexpr auto shape =
      describe("Vpc", field("VpcId", "vpcId", &Vpc::vpc_id), field("State", "state", &Vpc::state),
               field("CidrBlock", "cidrBlock", &Vpc::cidr_block),
               field("IsDefault", "isDefault", &Vpc::is_default),
               field("InstanceTenancy", "instanceTenancy", &Vpc::instance_tenancy),
               field("OwnerId", "ownerId", &Vpc::owner_id), field("Tags", "tagSet", &Vpc::tags));
};

struct DescribeVpcsRequest {
  std::vector<std::string> vpc_ids = {};
  std::vector<Filter> filters = {};
  std::optional<std::int64_t> max_results = {};
  std::string next_token = {};
  std::optional<bool> dry_run = {};
  static constexpr auto shape =
      describe("DescribeVpcsRequest", field("VpcIds", "VpcId", &DescribeVpcsRequest::vpc_ids),
               field("Filters", "Filter", &DescribeVpcsRequest::filters),
               field("MaxResults", &DescribeVpcsRequest::max_results),
               field("NextToken", &DescribeVpcsRequest::next_token),
               field("DryRun", "dryRun", &DescribeVpcsRequest::dry_run));
};

struct DescribeVpcsResult {
  std::vector<Vpc> vpcs = {};
  std::string next_token = {};
  static constexpr auto shape =
      describe("DescribeVpcsResult", field("Vpcs", "vpcSet", &DescribeVpcsResult::vpcs),
               field("NextToken", "nextToken", &DescribeVpcsResult::next_token));
};

struct DescribeVpcs {
  using Request = DescribeVpcsRequest;
  using Response = DescribeVpcsResult;
  static constexpr OperationInfo info{ec2_service, "DescribeVpcs", Idempotent::yes};
};

struct Subnet {
  std::string subnet_id = {};
  std::string state = {};
  std::string vpc_id = {};
  std::string cidr_block = {};
  std::string availability_zone = {};
  std::string availability_zone_id = {};
  std::optional<std::int64_t> available_ip_address_count = {};
  std::optional<bool> default_for_az = {};
  std::optional<bool> map_public_ip_on_launch = {};
  std::string owner_id = {};
  std::string subnet_arn = {};
  std::vector<Tag> tags = {};
  static constexpr auto shape = describe(
      "Subnet", field("SubnetId", "subnetId", &Subnet::subnet_id),
      field("State", "state", &Subnet::state), field("VpcId", "vpcId", &Subnet::vpc_id),
      field("CidrBlock", "cidrBlock", &Subnet::cidr_block),
      field("AvailabilityZone", "availabilityZone", &Subnet::availability_zone),
      field("AvailabilityZoneId", "availabilityZoneId", &Subnet::availability_zone_id),
      field("AvailableIpAddressCount", "availableIpAddressCount",
            &Subnet::available_ip_address_count),
      field("DefaultForAz", "defaultForAz", &Subnet::default_for_az),
      field("MapPublicIpOnLaunch", "mapPublicIpOnLaunch", &Subnet::map_public_ip_on_launch),
      field("OwnerId", "ownerId", &Subnet::owner_id),
      field("SubnetArn", "subnetArn", &Subnet::subnet_arn), field("Tags", "tagSet", &Subnet::tags));
};

struct DescribeSubnetsRequest {
  std::vector<std::string> subnet_ids = {};
  std::vector<Filter> filters = {};
  std::optional<std::int64_t> max_results = {};
  std::string next_token = {};
  std::optional<bool> dry_run = {};
  static constexpr auto shape = describe(
      "DescribeSubnetsRequest", field("SubnetIds", "SubnetId", &DescribeSubnetsRequest::subnet_ids),
      field("Filters", "Filter", &DescribeSubnetsRequest::filters),
      field("MaxResults", &DescribeSubnetsRequest::max_results),
      field("NextToken", &DescribeSubnetsRequest::next_token),
      field("DryRun", "dryRun", &DescribeSubnetsRequest::dry_run));
};

struct DescribeSubnetsResult {
  std::vector<Subnet> subnets = {};
  std::string next_token = {};
  static constexpr auto shape = describe(
      "DescribeSubnetsResult", field("Subnets", "subnetSet", &DescribeSubnetsResult::subnets),
      field("NextToken", "nextToken", &DescribeSubnetsResult::next_token));
};

struct DescribeSubnets {
  using Request = DescribeSubnetsRequest;
  using Response = DescribeSubnetsResult;
  static constexpr OperationInfo info{ec2_service, "DescribeSubnets", Idempotent::yes};
};

struct IpRange {
  std::string cidr_ip = {};
  static constexpr auto shape = describe("IpRange", field("CidrIp", "cidrIp", &IpRange::cidr_ip));
};

struct IpPermission {
  std::string ip_protocol = {};
  std::optional<std::int64_t> from_port = {};
  std::optional<std::int64_t> to_port = {};
  std::vector<IpRange> ip_ranges = {};
  static constexpr auto shape =
      describe("IpPermission", field("IpProtocol", "ipProtocol", &IpPermission::ip_protocol),
               field("FromPort", "fromPort", &IpPermission::from_port),
               field("ToPort", "toPort", &IpPermission::to_port),
               field("IpRanges", "ipRanges", &IpPermission::ip_ranges));
};

struct SecurityGroup {
  std::string group_id = {};
  std::string group_name = {};
  std::string description = {};
  std::string vpc_id = {};
  std::string owner_id = {};
  std::vector<IpPermission> ip_permissions = {};
  std::vector<IpPermission> ip_permissions_egress = {};
  std::vector<Tag> tags = {};
  static constexpr auto shape = describe(
      "SecurityGroup", field("GroupId", "groupId", &SecurityGroup::group_id),
      field("GroupName", "groupName", &SecurityGroup::group_name),
      field("Description", "groupDescription", &SecurityGroup::description),
      field("VpcId", "vpcId", &SecurityGroup::vpc_id),
      field("OwnerId", "ownerId", &SecurityGroup::owner_id),
      field("IpPermissions", "ipPermissions", &SecurityGroup::ip_permissions),
      field("IpPermissionsEgress", "ipPermissionsEgress", &SecurityGroup::ip_permissions_egress),
      field("Tags", "tagSet", &SecurityGroup::tags));
};

struct DescribeSecurityGroupsRequest {
  std::vector<std::string> group_ids = {};
  std::vector<std::string> group_names = {};
  std::vector<Filter> filters = {};
  std::optional<std::int64_t> max_results = {};
  std::string next_token = {};
  std::optional<bool> dry_run = {};
  static constexpr auto shape =
      describe("DescribeSecurityGroupsRequest",
               field("GroupIds", "GroupId", &DescribeSecurityGroupsRequest::group_ids),
               field("GroupNames", "GroupName", &DescribeSecurityGroupsRequest::group_names),
               field("Filters", "Filter", &DescribeSecurityGroupsRequest::filters),
               field("MaxResults", &DescribeSecurityGroupsRequest::max_results),
               field("NextToken", &DescribeSecurityGroupsRequest::next_token),
               field("DryRun", "dryRun", &DescribeSecurityGroupsRequest::dry_run));
};

struct DescribeSecurityGroupsResult {
  std::vector<SecurityGroup> security_groups = {};
  std::string next_token = {};
  static constexpr auto shape = describe(
      "DescribeSecurityGroupsResult",
      field("SecurityGroups", "securityGroupInfo", &DescribeSecurityGroupsResult::security_groups),
      field("NextToken", "nextToken", &DescribeSecurityGroupsResult::next_token));
};

struct DescribeSecurityGroups {
  using Request = DescribeSecurityGroupsRequest;
  using Response = DescribeSecurityGroupsResult;
  static constexpr OperationInfo info{ec2_service, "DescribeSecurityGroups", Idempotent::yes};
};

}  // namespace runctl::aws::ec2
