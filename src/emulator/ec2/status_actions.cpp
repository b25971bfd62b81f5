// Health of volumes and instances.
#include <algorithm>
#include <array>
#include <utility>

#include "emulator/ec2/actions.hpp"
#include "emulator/ec2/filters.hpp"
#include "emulator/ec2/lookup.hpp"
#include "emulator/ec2/views.hpp"

namespace runctl::emulator::ec2 {
namespace {

using V = wire::VolumeStatusItem;
using I = wire::InstanceStatus;

constexpr auto volume_filters = std::to_array<FilterField<V>>({
    {"availability-zone", [](const V& v) { return std::vector{v.availability_zone}; }},
    {"volume-status.status", [](const V& v) { return std::vector{v.volume_status->status}; }},
});
constexpr auto instance_filters = std::to_array<FilterField<I>>({
    {"availability-zone", [](const I& i) { return std::vector{i.availability_zone}; }},
    {"instance-state-name", [](const I& i) { return std::vector{i.state->name}; }},
    {"instance-status.status", [](const I& i) { return std::vector{i.instance_status->status}; }},
    {"system-status.status", [](const I& i) { return std::vector{i.system_status->status}; }},
});

// Source: EBS User Guide, "Amazon EBS volume status checks".
V status_of(const Volume& volume) {
  const bool known = volume.state == VolumeState::available || volume.state == VolumeState::in_use;
  return {.volume_id = volume.id.str(),
          .availability_zone = volume.zone.name,
          .volume_status = wire::VolumeStatusInfo{
              .status = known ? "ok" : "insufficient-data",
              .details = {{.name = "io-enabled", .status = known ? "passed" : "failed"},
                          {.name = "io-performance", .status = "not-applicable"}}}};
}

// Source: EC2 User Guide, "Status checks for Amazon EC2 instances".
I status_of(const Instance& instance) {
  const bool running = instance.state == InstanceState::running;
  std::string status = "not-applicable";
  if (running) status = instance.booted ? "ok" : "initializing";
  wire::InstanceStatusSummary summary{.status = status};
  if (running) {
    summary.details = {
        {.name = "reachability", .status = instance.booted ? "passed" : "initializing"}};
  }
  return {.instance_id = instance.id.str(),
          .availability_zone = instance.zone.name,
          .state = view_of(instance.state),
          .instance_status = summary,
          .system_status = summary};
}

}  // namespace

Result<wire::DescribeVolumeStatusResult> describe_volume_status(
    Turn& turn, const wire::DescribeVolumeStatusRequest& request) {
  std::vector<V> rows;
  for (const std::string& id : request.volume_ids) {
    RUNCTL_TRY(existing_volume(turn.state, id));
  }
  for (const auto& [id, volume] : turn.state.volumes.all()) {
    const auto& wanted = request.volume_ids;
    if (!wanted.empty() && std::ranges::find(wanted, id.str()) == wanted.end()) continue;
    rows.push_back(status_of(volume));
  }
  RUNCTL_TRY(keep_matching<V>(rows, request.filters, volume_filters));
  wire::DescribeVolumeStatusResult result;
  RUNCTL_TRY_LET(result.next_token, page_of(rows, request, request.volume_ids, &V::volume_id));
  result.volume_statuses = std::move(rows);
  return result;
}

// Only of those that run, unless all are asked for.
Result<wire::DescribeInstanceStatusResult> describe_instance_status(
    Turn& turn, const wire::DescribeInstanceStatusRequest& request) {
  std::vector<I> rows;
  for (const std::string& id : request.instance_ids) {
    RUNCTL_TRY(existing_instance(turn.state, id));
  }
  for (const auto& [id, instance] : turn.state.instances.all()) {
    const auto& wanted = request.instance_ids;
    if (!wanted.empty() && std::ranges::find(wanted, id.str()) == wanted.end()) continue;
    const bool running = instance.state == InstanceState::running;
    if (running || request.include_all_instances.value_or(false))
      rows.push_back(status_of(instance));
  }
  RUNCTL_TRY(keep_matching<I>(rows, request.filters, instance_filters));
  wire::DescribeInstanceStatusResult result;
  RUNCTL_TRY_LET(result.next_token, page_of(rows, request, request.instance_ids, &I::instance_id));
  result.instance_statuses = std::move(rows);
  return result;
}

}  // namespace runctl::emulator::ec2
