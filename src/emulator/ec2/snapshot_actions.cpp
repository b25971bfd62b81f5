#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "emulator/ec2/actions.hpp"
#include "emulator/ec2/filters.hpp"
#include "emulator/ec2/lookup.hpp"
#include "emulator/ec2/views.hpp"
#include "emulator/refusal.hpp"

namespace runctl::emulator::ec2 {
namespace {

using S = wire::Snapshot;
// Source: EC2 API reference, DescribeSnapshots; those that are not here are refused.
constexpr auto snapshot_filters = std::to_array<FilterField<S>>({
    {"status", [](const S& s) { return std::vector{s.state}; }},
    {"volume-id", [](const S& s) { return std::vector{s.volume_id}; }},
    {"snapshot-id", [](const S& s) { return std::vector{s.snapshot_id}; }},
    {"owner-id", [](const S& s) { return std::vector{s.owner_id}; }},
    {"description", [](const S& s) { return std::vector{s.description.value_or("")}; }},
    {"volume-size",
     [](const S& s) { return std::vector{std::to_string(s.volume_size.value_or(0))}; }},
    {"progress", [](const S& s) { return std::vector{s.progress}; }},
});

// Snapshots of other accounts are not visible here: an owner that is not the caller has none.
bool is_owner(const wire::DescribeSnapshotsRequest& request, const Place& place) {
  return request.owner_ids.empty() ||
         std::ranges::any_of(request.owner_ids, [&](const auto& owner) {
           return owner == "self" || owner == place.account;
         });
}

}  // namespace

Result<wire::Snapshot> create_snapshot(Turn& turn, const wire::CreateSnapshotRequest& request) {
  RUNCTL_TRY_LET(const VolumeId volume_id, existing_volume(turn.state, request.volume_id));
  const Volume& seen = *turn.state.volumes.find(volume_id);
  if (seen.state != VolumeState::available && seen.state != VolumeState::in_use) {
    return refuse("IncorrectState",
                  fmt::format("Volume '{}' is in the '{}' state", volume_id, name_of(seen.state)));
  }
  if (!seen.has_disk) {
    return refuse(
        "UnsupportedOperation",
        fmt::format("The emulator takes no snapshots of root volumes, such as {}", volume_id));
  }
  if (seen.last_snapshot && turn.now - *seen.last_snapshot < turn.pace.snapshot_interval) {
    return refuse("SnapshotCreationPerVolumeRateExceeded",
                  "The maximum per volume CreateSnapshot request rate has been exceeded. Use an "
                  "increasing or variable sleep interval between requests.");
  }
  const std::string description = request.description.value_or("");
  if (description.size() > 255) {
    return refuse("InvalidParameterValue", "The description is longer than 255 characters");
  }
  constexpr std::array<std::string_view, 1> allowed{"snapshot"};
  RUNCTL_TRY_LET(Tags tags, tags_for("snapshot", request.tag_specifications, allowed));
  Snapshot snapshot{.id = new_id(turn, SnapshotIdKind::prefix, turn.state.snapshots),
                    .volume = volume_id,
                    .size = seen.size,
                    .description = description,
                    .encrypted = seen.encrypted,
                    .started = turn.now,
                    .tags = std::move(tags),
                    .due = turn.after(turn.pace.snapshot)};
  turn.state.volumes.edit(volume_id).last_snapshot = turn.now;
  turn.orders.emplace_back(Capture{snapshot.id, volume_id});
  wire::Snapshot view = view_of(snapshot, turn.place, turn.now);
  const SnapshotId id = snapshot.id;
  turn.state.snapshots.put(id, std::move(snapshot));
  return view;
}

Result<wire::Return> delete_snapshot(Turn& turn, const wire::DeleteSnapshotRequest& request) {
  RUNCTL_TRY_LET(const SnapshotId id, existing_snapshot(turn.state, request.snapshot_id));
  turn.state.snapshots.erase(id);
  turn.orders.emplace_back(RemoveCapture{id});
  return wire::Return{.value = true};
}

Result<wire::DescribeSnapshotsResult> describe_snapshots(
    Turn& turn, const wire::DescribeSnapshotsRequest& request) {
  std::vector<SnapshotId> wanted;
  for (const std::string& text : request.snapshot_ids) {
    RUNCTL_TRY_LET(SnapshotId id, existing_snapshot(turn.state, text));
    wanted.push_back(std::move(id));
  }
  wire::DescribeSnapshotsResult result;
  for (const auto& [id, snapshot] : turn.state.snapshots.all()) {
    if (!wanted.empty() && std::ranges::find(wanted, id) == wanted.end()) continue;
    if (is_owner(request, turn.place)) {
      result.snapshots.push_back(view_of(snapshot, turn.place, turn.now));
    }
  }
  RUNCTL_TRY(keep_matching<S>(result.snapshots, request.filters, snapshot_filters));
  RUNCTL_TRY_LET(result.next_token,
                 page_of(result.snapshots, request, request.snapshot_ids, &S::snapshot_id));
  return result;
}

}  // namespace runctl::emulator::ec2
