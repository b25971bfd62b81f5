// VPCs, subnets and security groups: the defaults, which nobody can change here.
#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/text.hpp"
#include "emulator/ec2/actions.hpp"
#include "emulator/ec2/filters.hpp"
#include "emulator/ec2/network.hpp"
#include "emulator/refusal.hpp"

namespace runctl::emulator::ec2 {
namespace {

using V = wire::Vpc;
using S = wire::Subnet;
using G = wire::SecurityGroup;

std::string truth(const std::optional<bool>& value) {
  return value.value_or(false) ? "true" : "false";
}

constexpr auto vpc_filters = std::to_array<FilterField<V>>({
    {"vpc-id", [](const V& v) { return std::vector{v.vpc_id}; }},
    {"state", [](const V& v) { return std::vector{v.state}; }},
    {"cidr", [](const V& v) { return std::vector{v.cidr_block}; }},
    {"is-default", [](const V& v) { return std::vector{truth(v.is_default)}; }},
    {"owner-id", [](const V& v) { return std::vector{v.owner_id}; }},
});
constexpr auto subnet_filters = std::to_array<FilterField<S>>({
    {"subnet-id", [](const S& s) { return std::vector{s.subnet_id}; }},
    {"vpc-id", [](const S& s) { return std::vector{s.vpc_id}; }},
    {"state", [](const S& s) { return std::vector{s.state}; }},
    {"availability-zone", [](const S& s) { return std::vector{s.availability_zone}; }},
    {"availability-zone-id", [](const S& s) { return std::vector{s.availability_zone_id}; }},
    {"default-for-az", [](const S& s) { return std::vector{truth(s.default_for_az)}; }},
    {"cidr-block", [](const S& s) { return std::vector{s.cidr_block}; }},
});
constexpr auto group_filters = std::to_array<FilterField<G>>({
    {"group-id", [](const G& g) { return std::vector{g.group_id}; }},
    {"group-name", [](const G& g) { return std::vector{g.group_name}; }},
    {"vpc-id", [](const G& g) { return std::vector{g.vpc_id}; }},
    {"description", [](const G& g) { return std::vector{g.description}; }},
});

// Keeps the wanted ones. Errors: `code` for one that is not there.
template <class Row>
Result<void> keep_named(std::vector<Row>& rows, const std::vector<std::string>& wanted,
                        std::string Row::* member, std::string_view code, std::string_view what) {
  for (const std::string& id : wanted) {
    if (std::ranges::find(rows, id, member) == rows.end()) {
      return refuse(code, fmt::format("The {} '{}' does not exist", what, id));
    }
  }
  std::erase_if(rows, [&](const Row& row) {
    return !wanted.empty() && std::ranges::find(wanted, row.*member) == wanted.end();
  });
  return {};
}

}  // namespace

std::string stable_id(std::string_view prefix, const Place& place, std::string_view name) {
  const std::string digest = sha256(fmt::format("{}/{}/{}", place.account, place.region, name));
  return std::string{prefix} + hex(digest).substr(0, 17);
}

std::string default_vpc(const Place& place) { return stable_id("vpc-", place, "default"); }

std::string default_security_group(const Place& place) {
  return stable_id("sg-", place, "default");
}

// Source: VPC User Guide, "Default VPC components": 172.31.0.0/16, and /20 for each subnet.
std::vector<DefaultSubnet> default_subnets(const Place& place) {
  std::vector<DefaultSubnet> subnets;
  for (Zone& zone : zones_of(place.region)) {
    const auto third = 16 * subnets.size();
    subnets.push_back({.id = stable_id("subnet-", place, zone.name),
                       .zone = std::move(zone),
                       .cidr = fmt::format("172.31.{}.0/20", third)});
  }
  return subnets;
}

Result<wire::DescribeVpcsResult> describe_vpcs(Turn& turn,
                                               const wire::DescribeVpcsRequest& request) {
  wire::DescribeVpcsResult result{.vpcs = {{.vpc_id = default_vpc(turn.place),
                                            .state = "available",
                                            .cidr_block = "172.31.0.0/16",
                                            .is_default = true,
                                            .instance_tenancy = "default",
                                            .owner_id = turn.place.account}}};
  RUNCTL_TRY(
      keep_named(result.vpcs, request.vpc_ids, &V::vpc_id, "InvalidVpcID.NotFound", "vpc ID"));
  RUNCTL_TRY(keep_matching<V>(result.vpcs, request.filters, vpc_filters));
  RUNCTL_TRY_LET(result.next_token, page_of(result.vpcs, request, request.vpc_ids, &V::vpc_id));
  return result;
}

Result<wire::DescribeSubnetsResult> describe_subnets(Turn& turn,
                                                     const wire::DescribeSubnetsRequest& request) {
  wire::DescribeSubnetsResult result;
  for (const DefaultSubnet& subnet : default_subnets(turn.place)) {
    result.subnets.push_back(
        {.subnet_id = subnet.id,
         .state = "available",
         .vpc_id = default_vpc(turn.place),
         .cidr_block = subnet.cidr,
         .availability_zone = subnet.zone.name,
         .availability_zone_id = subnet.zone.id,
         .available_ip_address_count = 4'091,  // /20, less the five that AWS keeps
         .default_for_az = true,
         .map_public_ip_on_launch = true,
         .owner_id = turn.place.account,
         .subnet_arn = fmt::format("arn:aws:ec2:{}:{}:subnet/{}", turn.place.region,
                                   turn.place.account, subnet.id)});
  }
  RUNCTL_TRY(keep_named(result.subnets, request.subnet_ids, &S::subnet_id,
                        "InvalidSubnetID.NotFound", "subnet ID"));
  RUNCTL_TRY(keep_matching<S>(result.subnets, request.filters, subnet_filters));
  std::ranges::sort(result.subnets, {}, &S::subnet_id);
  RUNCTL_TRY_LET(result.next_token,
                 page_of(result.subnets, request, request.subnet_ids, &S::subnet_id));
  return result;
}

Result<wire::DescribeSecurityGroupsResult> describe_security_groups(
    Turn& turn, const wire::DescribeSecurityGroupsRequest& request) {
  wire::DescribeSecurityGroupsResult result{
      .security_groups = {{.group_id = default_security_group(turn.place),
                           .group_name = "default",
                           .description = "default VPC security group",
                           .vpc_id = default_vpc(turn.place),
                           .owner_id = turn.place.account,
                           .ip_permissions_egress = {
                               {.ip_protocol = "-1", .ip_ranges = {{.cidr_ip = "0.0.0.0/0"}}}}}}};
  std::vector<G>& groups = result.security_groups;
  RUNCTL_TRY(keep_named(groups, request.group_ids, &G::group_id, "InvalidGroup.NotFound",
                        "security group"));
  RUNCTL_TRY(keep_named(groups, request.group_names, &G::group_name, "InvalidGroup.NotFound",
                        "security group"));
  RUNCTL_TRY(keep_matching<G>(groups, request.filters, group_filters));
  RUNCTL_TRY_LET(result.next_token, page_of(groups, request, request.group_ids, &G::group_id));
  return result;
}

}  // namespace runctl::emulator::ec2
