#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "emulator/ec2/actions.hpp"
#include "emulator/ec2/filters.hpp"
#include "emulator/ec2/lookup.hpp"
#include "emulator/ec2/modification_steps.hpp"
#include "emulator/ec2/volume_rules.hpp"
#include "emulator/refusal.hpp"

namespace runctl::emulator::ec2 {
namespace {

// Source: ebs-facts, section 5.
constexpr std::size_t most_modifications = 4;
constexpr std::chrono::hours modification_window{24};
// Source: EC2 API reference, ModifyVolume, Iops: the default where the type changes.
constexpr std::int64_t default_iops = 3'000;

using M = wire::VolumeModification;

std::int64_t progress_of(const Modification& modification, Timestamp now) {
  switch (modification.state) {
    case ModificationState::modifying:
    case ModificationState::failed:
      return 0;
    case ModificationState::completed:
      return 100;
    case ModificationState::optimizing:
      break;
  }
  const auto whole = (modification.due - modification.optimizing).count();
  if (whole <= 0) return 99;
  return std::clamp<std::int64_t>(100 * (now - modification.optimizing).count() / whole, 0, 99);
}

M view_of(const VolumeId& volume, const Modification& modification, Timestamp now) {
  const VolumeShape& original = modification.original;
  const VolumeShape& target = modification.target;
  M view{.volume_id = volume.str(),
         .modification_state = std::string{name_of(modification.state)},
         .progress = progress_of(modification, now),
         .start_time = modification.started,
         .end_time = modification.ended,
         .original_size = original.size.count,
         .original_volume_type = original.type,
         .original_iops = original.iops,
         .original_throughput = original.throughput,
         .original_multi_attach_enabled = original.multi_attach,
         .target_size = target.size.count,
         .target_volume_type = target.type,
         .target_iops = target.iops,
         .target_throughput = target.throughput,
         .target_multi_attach_enabled = target.multi_attach};
  if (!modification.message.empty()) view.status_message = modification.message;
  return view;
}

Result<void> check_modifiable(const Volume& volume) {
  if (volume.state != VolumeState::available && volume.state != VolumeState::in_use) {
    return refuse("IncorrectState", fmt::format("Volume '{}' is in the '{}' state", volume.id,
                                                name_of(volume.state)));
  }
  if (!volume.has_disk) {
    return refuse("UnsupportedOperation",
                  fmt::format("The emulator does not modify root volumes, such as {}", volume.id));
  }
  if (!volume.modification) return {};
  const ModificationState state = volume.modification->state;
  if (state == ModificationState::modifying || state == ModificationState::optimizing) {
    return refuse("IncorrectModificationState",
                  fmt::format("Volume '{}' cannot be modified in modification state '{}'.",
                              volume.id, name_of(state)));
  }
  return {};
}

// Forgets what is older than the window.
Result<void> count_modification(Volume& volume, Timestamp now) {
  std::erase_if(volume.modified, [&](Timestamp t) { return t + modification_window <= now; });
  if (volume.modified.size() >= most_modifications) {
    return refuse("VolumeModificationRateExceeded",
                  fmt::format("You've reached the maximum modification rate per volume limit. The "
                              "volume can be modified again at {}.",
                              iso8601(volume.modified.front() + modification_window)));
  }
  volume.modified.push_back(now);
  return {};
}

Result<WantedShape> wanted_shape(const Volume& volume, const wire::VolumeLimits& type,
                                 const wire::ModifyVolumeRequest& request) {
  WantedShape wanted{.size = request.size,
                     .iops = request.iops,
                     .throughput = request.throughput,
                     .multi_attach = request.multi_attach_enabled.value_or(volume.multi_attach)};
  if (request.size && *request.size < std::int64_t{volume.size.count}) {
    return refuse("InvalidParameterValue",
                  fmt::format("New size cannot be smaller than existing size: volume '{}' has "
                              "{}GiB",
                              volume.id, volume.size.count));
  }
  if (wanted.multi_attach != volume.multi_attach && !volume.attachments.empty()) {
    return refuse("IncorrectState",
                  fmt::format("MultiAttachEnabled of volume '{}' can be changed only while it is "
                              "not attached",
                              volume.id));
  }
  const bool same_type = type.type == volume.type;
  if (!wanted.iops && type.least_iops > 0) {
    wanted.iops = same_type ? volume.iops : std::optional{default_iops};
  }
  if (!wanted.throughput && same_type) wanted.throughput = volume.throughput;
  return wanted;
}

// Source: EC2 API reference, DescribeVolumesModifications; those that are not here are refused.
constexpr auto modification_filters = std::to_array<FilterField<M>>({
    {"volume-id", [](const M& m) { return std::vector{m.volume_id}; }},
    {"modification-state", [](const M& m) { return std::vector{m.modification_state}; }},
    {"original-size",
     [](const M& m) { return std::vector{std::to_string(m.original_size.value_or(0))}; }},
    {"original-volume-type", [](const M& m) { return std::vector{m.original_volume_type}; }},
    {"target-size",
     [](const M& m) { return std::vector{std::to_string(m.target_size.value_or(0))}; }},
    {"target-volume-type", [](const M& m) { return std::vector{m.target_volume_type}; }},
});

}  // namespace

Result<wire::ModifyVolumeResult> modify_volume(Turn& turn,
                                               const wire::ModifyVolumeRequest& request) {
  RUNCTL_TRY_LET(const VolumeId id, existing_volume(turn.state, request.volume_id));
  const Volume& seen = *turn.state.volumes.find(id);
  RUNCTL_TRY(check_modifiable(seen));
  RUNCTL_TRY_LET(const auto* const type,
                 existing_type(request.volume_type.empty() ? seen.type : request.volume_type));
  RUNCTL_TRY_LET(const WantedShape wanted, wanted_shape(seen, *type, request));
  Volume changed = seen;
  RUNCTL_TRY(set_shape(changed, *type, wanted));
  Volume& volume = turn.state.volumes.edit(id);
  RUNCTL_TRY(count_modification(volume, turn.now));
  volume.modification = Modification{.original = shape_of(volume),
                                     .target = shape_of(changed),
                                     .started = turn.now,
                                     .due = turn.after(turn.pace.modify)};
  return wire::ModifyVolumeResult{.volume_modification =
                                      view_of(id, *volume.modification, turn.now)};
}

Result<wire::DescribeVolumesModificationsResult> describe_volumes_modifications(
    Turn& turn, const wire::DescribeVolumesModificationsRequest& request) {
  std::vector<VolumeId> wanted;
  for (const std::string& text : request.volume_ids) {
    RUNCTL_TRY_LET(VolumeId id, existing_volume(turn.state, text));
    if (!turn.state.volumes.find(id)->modification) {
      return refuse("InvalidVolumeModification.NotFound",
                    fmt::format("Modification for volume '{}' does not exist.", id));
    }
    wanted.push_back(std::move(id));
  }
  wire::DescribeVolumesModificationsResult result;
  for (const auto& [id, volume] : turn.state.volumes.all()) {
    if (!volume.modification) continue;
    if (!wanted.empty() && std::ranges::find(wanted, id) == wanted.end()) continue;
    result.volumes_modifications.push_back(view_of(id, *volume.modification, turn.now));
  }
  RUNCTL_TRY(keep_matching<M>(result.volumes_modifications, request.filters, modification_filters));
  RUNCTL_TRY_LET(result.next_token,
                 page_of(result.volumes_modifications, request, request.volume_ids, &M::volume_id));
  return result;
}

}  // namespace runctl::emulator::ec2
