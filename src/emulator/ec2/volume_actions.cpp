#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "emulator/ec2/actions.hpp"
#include "emulator/ec2/filters.hpp"
#include "emulator/ec2/lookup.hpp"
#include "emulator/ec2/once.hpp"
#include "emulator/ec2/views.hpp"
#include "emulator/ec2/volume_rules.hpp"
#include "emulator/refusal.hpp"

namespace runctl::emulator::ec2 {
namespace {

Result<Zone> zone_for(const Place& place, const wire::CreateVolumeRequest& request) {
  const bool named = !request.availability_zone.empty();
  const bool by_id = !request.availability_zone_id.empty();
  if (named && by_id) {
    return refuse("InvalidParameterCombination",
                  "AvailabilityZone and AvailabilityZoneId cannot both be specified");
  }
  if (!named && !by_id) return missing("zone");
  auto zone = named ? zone_named(place.region, request.availability_zone)
                    : zone_with_id(place.region, request.availability_zone_id);
  if (zone) return *std::move(zone);
  return refuse("InvalidZone.NotFound",
                fmt::format("The zone '{}' does not exist.",
                            named ? request.availability_zone : request.availability_zone_id));
}

Result<void> set_source(const State& state, Volume& volume,
                        const wire::CreateVolumeRequest& request) {
  RUNCTL_TRY_LET(const SnapshotId id, existing_snapshot(state, request.snapshot_id));
  const Snapshot& snapshot = *state.snapshots.find(id);
  if (snapshot.state != SnapshotState::completed) {
    return refuse("IncorrectState",
                  fmt::format("Snapshot '{}' is in the '{}' state", id, name_of(snapshot.state)));
  }
  volume.size = snapshot.size;
  if (request.size && *request.size < std::int64_t{snapshot.size.count}) {
    return refuse(
        "InvalidParameterValue",
        fmt::format("Volume of size {}GiB is smaller than snapshot '{}', expect size >= {}GiB",
                    *request.size, id, snapshot.size.count));
  }
  volume.source = id;
  volume.encrypted = volume.encrypted || snapshot.encrypted;
  return {};
}

// Source: ebs-facts, section 12.
Result<void> set_initialization(Volume& volume, const wire::CreateVolumeRequest& request) {
  constexpr std::int64_t least = 100;
  constexpr std::int64_t most = 300;
  const auto rate = request.volume_initialization_rate;
  if (!rate) return {};
  if (request.snapshot_id.empty()) {
    return refuse("InvalidParameterCombination",
                  "The parameter VolumeInitializationRate requires the parameter SnapshotId.");
  }
  if (*rate < least || *rate > most) {
    return refuse("InvalidParameterValue",
                  fmt::format("Volume initialization rate of {}MiB/s is not in the range of {} to "
                              "{}MiB/s.",
                              *rate, least, most));
  }
  volume.initialization_rate = rate;
  return {};
}

Result<Tags> volume_tags(std::span<const wire::TagSpecification> specifications) {
  constexpr std::array<std::string_view, 1> allowed{"volume"};
  return tags_for("volume", specifications, allowed);
}

std::string_view type_or_default(const std::string& type) {
  return type.empty() ? std::string_view{"gp2"} : std::string_view{type};
}

Result<Volume> volume_for(Turn& turn, const wire::CreateVolumeRequest& request) {
  RUNCTL_TRY_LET(Zone zone, zone_for(turn.place, request));
  if (!request.size && request.snapshot_id.empty()) return missing("size/snapshot");
  RUNCTL_TRY_LET(const auto* const type, existing_type(type_or_default(request.volume_type)));
  Volume volume{.id = new_id(turn, VolumeIdKind::prefix, turn.state.volumes)};
  volume.zone = std::move(zone);
  volume.encrypted = request.encrypted.value_or(false);
  if (!request.kms_key_id.empty() && !volume.encrypted) {
    return refuse("InvalidParameterDependency",
                  "The parameter KmsKeyId requires the parameter Encrypted to be set.");
  }
  volume.kms_key = request.kms_key_id;
  if (!request.snapshot_id.empty()) RUNCTL_TRY(set_source(turn.state, volume, request));
  RUNCTL_TRY(set_initialization(volume, request));
  RUNCTL_TRY(set_shape(volume, *type,
                       {.size = request.size,
                        .iops = request.iops,
                        .throughput = request.throughput,
                        .multi_attach = request.multi_attach_enabled.value_or(false)}));
  RUNCTL_TRY_LET(volume.tags, volume_tags(request.tag_specifications));
  volume.created = turn.now;
  volume.due = turn.after(turn.pace.create_volume);
  return volume;
}

// Source: ebs-facts, sections 4 and 12.
Result<void> check_copied(const State& state, const Volume& source) {
  if (source.state != VolumeState::available && source.state != VolumeState::in_use) {
    return refuse("IncorrectState", fmt::format("Volume '{}' is in the '{}' state", source.id,
                                                name_of(source.state)));
  }
  if (source.modification && source.modification->state == ModificationState::modifying) {
    return refuse("IncorrectState",
                  fmt::format("Volume '{}' is being modified and cannot be copied", source.id));
  }
  if (!source.has_disk) {
    return refuse("UnsupportedOperation",
                  fmt::format("The emulator does not copy root volumes, such as {}", source.id));
  }
  for (const auto& [id, volume] : state.volumes.all()) {
    if (volume.state == VolumeState::creating && volume.source_volume == source.id) {
      return refuse(
          "CopyVolumesLimitExceeded",
          fmt::format("Volume '{}' is being copied to '{}': one copy at a time", source.id, id));
    }
  }
  return {};
}

Result<Volume> copy_for(Turn& turn, const wire::CopyVolumesRequest& request) {
  RUNCTL_TRY_LET(const VolumeId source_id, existing_volume(turn.state, request.source_volume_id));
  const Volume& source = *turn.state.volumes.find(source_id);
  RUNCTL_TRY(check_copied(turn.state, source));
  if (request.size && *request.size < std::int64_t{source.size.count}) {
    return refuse("InvalidParameterValue",
                  fmt::format("Volume of size {}GiB is smaller than volume '{}', expect size >= "
                              "{}GiB",
                              *request.size, source_id, source.size.count));
  }
  RUNCTL_TRY_LET(const auto* const type, existing_type(type_or_default(request.volume_type)));
  Volume volume{.id = new_id(turn, VolumeIdKind::prefix, turn.state.volumes),
                .size = source.size,
                .encrypted = source.encrypted,
                .kms_key = source.kms_key,
                .zone = source.zone,
                .source_volume = source_id,
                .created = turn.now};
  RUNCTL_TRY(set_shape(volume, *type,
                       {.size = request.size,
                        .iops = request.iops,
                        .throughput = request.throughput,
                        .multi_attach = request.multi_attach_enabled.value_or(false)}));
  RUNCTL_TRY_LET(volume.tags, volume_tags(request.tag_specifications));
  volume.due = turn.after(turn.pace.create_volume);
  return volume;
}

std::vector<std::string> attachment_values(const wire::Volume& volume,
                                           std::string wire::VolumeAttachment::* member) {
  std::vector<std::string> values;
  values.reserve(volume.attachments.size());
  for (const auto& attachment : volume.attachments) values.push_back(attachment.*member);
  return values;
}

std::string text_of(std::optional<bool> flag) { return flag.value_or(false) ? "true" : "false"; }

using V = wire::Volume;
// Source: EC2 API reference, DescribeVolumes; those that are not here are refused.
constexpr auto volume_filters = std::to_array<FilterField<V>>({
    {"status", [](const V& v) { return std::vector{v.state}; }},
    {"volume-id", [](const V& v) { return std::vector{v.volume_id}; }},
    {"availability-zone", [](const V& v) { return std::vector{v.availability_zone}; }},
    {"availability-zone-id", [](const V& v) { return std::vector{v.availability_zone_id}; }},
    {"attachment.instance-id",
     [](const V& v) { return attachment_values(v, &wire::VolumeAttachment::instance_id); }},
    {"attachment.status",
     [](const V& v) { return attachment_values(v, &wire::VolumeAttachment::state); }},
    {"attachment.device",
     [](const V& v) { return attachment_values(v, &wire::VolumeAttachment::device); }},
    {"volume-type", [](const V& v) { return std::vector{v.volume_type}; }},
    {"size", [](const V& v) { return std::vector{std::to_string(v.size.value_or(0))}; }},
    {"snapshot-id", [](const V& v) { return std::vector{v.snapshot_id.value_or("")}; }},
    {"source-volume-id", [](const V& v) { return std::vector{v.source_volume_id.value_or("")}; }},
    {"encrypted", [](const V& v) { return std::vector{text_of(v.encrypted)}; }},
    {"multi-attach-enabled",
     [](const V& v) { return std::vector{text_of(v.multi_attach_enabled)}; }},
});

}  // namespace

Result<wire::Volume> create_volume(Turn& turn, const wire::CreateVolumeRequest& request) {
  return once<wire::CreateVolume>(turn, request, [&]() -> Result<wire::Volume> {
    RUNCTL_TRY_LET(Volume volume, volume_for(turn, request));
    wire::Volume view = view_of(volume);
    turn.orders.emplace_back(CreateDisk{volume.id, volume.size, source_of(volume)});
    const VolumeId id = volume.id;
    turn.state.volumes.put(id, std::move(volume));
    return view;
  });
}

Result<wire::CopyVolumesResult> copy_volumes(Turn& turn, const wire::CopyVolumesRequest& request) {
  return once<wire::CopyVolumes>(turn, request, [&]() -> Result<wire::CopyVolumesResult> {
    RUNCTL_TRY_LET(Volume volume, copy_for(turn, request));
    wire::CopyVolumesResult result{.volumes = {view_of(volume)}};
    turn.orders.emplace_back(CreateDisk{volume.id, volume.size, source_of(volume)});
    const VolumeId id = volume.id;
    turn.state.volumes.put(id, std::move(volume));
    return result;
  });
}

Result<wire::Return> delete_volume(Turn& turn, const wire::DeleteVolumeRequest& request) {
  RUNCTL_TRY_LET(const VolumeId id, existing_volume(turn.state, request.volume_id));
  const Volume& seen = *turn.state.volumes.find(id);
  if (!seen.attachments.empty()) {
    return refuse("VolumeInUse", fmt::format("Volume {} is currently attached to {}", id,
                                             seen.attachments.front().instance));
  }
  if (seen.state != VolumeState::available && seen.state != VolumeState::error) {
    return refuse("IncorrectState",
                  fmt::format("Volume '{}' is in the '{}' state", id, name_of(seen.state)));
  }
  Volume& volume = turn.state.volumes.edit(id);
  // What failed to be created may have left bytes behind.
  if (volume.state == VolumeState::error) volume.has_disk = true;
  volume.state = VolumeState::deleting;
  volume.due = turn.after(turn.pace.delete_volume);
  return wire::Return{.value = true};
}

Result<wire::DescribeVolumesResult> describe_volumes(Turn& turn,
                                                     const wire::DescribeVolumesRequest& request) {
  std::vector<VolumeId> wanted;
  for (const std::string& text : request.volume_ids) {
    RUNCTL_TRY_LET(VolumeId id, existing_volume(turn.state, text));
    wanted.push_back(std::move(id));
  }
  wire::DescribeVolumesResult result;
  for (const auto& [id, volume] : turn.state.volumes.all()) {
    if (!wanted.empty() && std::ranges::find(wanted, id) == wanted.end()) continue;
    result.volumes.push_back(view_of(volume));
  }
  RUNCTL_TRY(keep_matching<V>(result.volumes, request.filters, volume_filters));
  RUNCTL_TRY_LET(result.next_token,
                 page_of(result.volumes, request, request.volume_ids, &V::volume_id));
  return result;
}

}  // namespace runctl::emulator::ec2
