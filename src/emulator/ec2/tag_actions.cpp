// Tags of every kind of resource.
#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "emulator/ec2/actions.hpp"
#include "emulator/ec2/filters.hpp"
#include "emulator/ec2/lookup.hpp"
#include "emulator/refusal.hpp"

namespace runctl::emulator::ec2 {
namespace {

using Row = wire::TagDescription;

constexpr auto tag_filters = std::to_array<FilterField<Row>>({
    {"key", [](const Row& r) { return std::vector{r.key}; }},
    {"value", [](const Row& r) { return std::vector{r.value}; }},
    {"resource-id", [](const Row& r) { return std::vector{r.resource_id}; }},
    {"resource-type", [](const Row& r) { return std::vector{r.resource_type}; }},
});

std::string text_of(const std::string& id) { return id; }
template <class Kind>
std::string text_of(const StrongId<Kind>& id) {
  return id.str();
}

template <class Resources>
void add_rows(std::vector<Row>& rows, std::string_view type, const Resources& resources) {
  for (const auto& [id, resource] : resources.all()) {
    for (const auto& [key, value] : resource.tags) {
      rows.push_back({.key = key,
                      .resource_id = text_of(id),
                      .resource_type = std::string{type},
                      .value = value});
    }
  }
}

// Gives `edit` the tags of every resource; of none when one of them does not exist.
template <class Edit>
Result<wire::Return> edit_tags(Turn& turn, const std::vector<std::string>& resources,
                               const Edit& edit) {
  if (resources.empty()) return missing("ResourceId");
  for (const std::string& resource : resources) {
    if (resource.starts_with(VolumeIdKind::prefix)) {
      RUNCTL_TRY_LET(const VolumeId id, existing_volume(turn.state, resource));
      RUNCTL_TRY(edit(turn.state.volumes.edit(id).tags));
    } else if (resource.starts_with(SnapshotIdKind::prefix)) {
      RUNCTL_TRY_LET(const SnapshotId id, existing_snapshot(turn.state, resource));
      RUNCTL_TRY(edit(turn.state.snapshots.edit(id).tags));
    } else if (resource.starts_with(InstanceIdKind::prefix)) {
      RUNCTL_TRY_LET(const InstanceId id, existing_instance(turn.state, resource));
      RUNCTL_TRY(edit(turn.state.instances.edit(id).tags));
    } else if (resource.starts_with("sir-")) {
      RUNCTL_TRY(check_spot_request(turn.state, resource));
      RUNCTL_TRY(edit(turn.state.spot_requests.edit(resource).tags));
    } else {
      return refuse("InvalidID", fmt::format("The ID '{}' is not valid", resource));
    }
  }
  return wire::Return{.value = true};
}

}  // namespace

Result<wire::Return> create_tags(Turn& turn, const wire::CreateTagsRequest& request) {
  if (!request.resources.empty() && request.tags.empty()) return missing("Tag");
  return edit_tags(turn, request.resources,
                   [&](auto& tags) { return put_tags(tags, request.tags); });
}

// Without tags all of them go, but for AWS's own. Source: EC2 API Reference, DeleteTags.
Result<wire::Return> delete_tags(Turn& turn, const wire::DeleteTagsRequest& request) {
  return edit_tags(turn, request.resources, [&](auto& tags) -> Result<void> {
    std::erase_if(tags, [&](const auto& tag) {
      if (tag.first.starts_with("aws:")) return false;
      return request.tags.empty() || std::ranges::any_of(request.tags, [&](const wire::Tag& asked) {
               return asked.key == tag.first && (!asked.value || *asked.value == tag.second);
             });
    });
    return {};
  });
}

Result<wire::DescribeTagsResult> describe_tags(Turn& turn,
                                               const wire::DescribeTagsRequest& request) {
  std::vector<Row> rows;
  add_rows(rows, "instance", turn.state.instances);
  add_rows(rows, "snapshot", turn.state.snapshots);
  add_rows(rows, "spot-instances-request", turn.state.spot_requests);
  add_rows(rows, "volume", turn.state.volumes);
  const auto place_of = [](const Row& r) { return r.resource_id + '/' + r.key; };
  std::ranges::sort(rows, {}, place_of);
  RUNCTL_TRY(keep_matching<Row>(rows, request.filters, tag_filters));
  wire::DescribeTagsResult result;
  RUNCTL_TRY_LET(
      result.next_token,
      cut_to_page(rows, {.max_results = request.max_results, .next_token = request.next_token},
                  place_of));
  result.tags = std::move(rows);
  return result;
}

}  // namespace runctl::emulator::ec2
