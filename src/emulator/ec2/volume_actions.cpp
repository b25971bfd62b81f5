#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "aws/ec2/volume_limits.hpp"
#include "emulator/ec2/actions.hpp"
#include "emulator/ec2/filters.hpp"
#include "emulator/ec2/lookup.hpp"
#include "emulator/ec2/stored_answer.hpp"
#include "emulator/ec2/views.hpp"
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

struct Range {
  std::int64_t least;
  std::int64_t most;
};

Result<void> check_range(std::string_view what, std::int64_t value, const Range& range,
                         std::string_view unit) {
  if (value < range.least) {
    return refuse("InvalidParameterValue",
                  fmt::format("Volume {} of {}{} is too low; minimum is {}{}.", what, value, unit,
                              range.least, unit));
  }
  if (value > range.most) {
    return refuse("InvalidParameterValue",
                  fmt::format("Volume {} of {}{} is too high; maximum is {}{}.", what, value, unit,
                              range.most, unit));
  }
  return {};
}

std::unexpected<Error> unsupported(std::string_view parameter, const wire::VolumeLimits& type) {
  return refuse(
      "InvalidParameterCombination",
      fmt::format("The parameter {} is not supported for {} volumes.", parameter, type.type));
}

Result<void> set_iops(Volume& volume, const wire::VolumeLimits& type,
                      const wire::CreateVolumeRequest& request) {
  const std::int64_t size = volume.size.count;
  if (type.least_iops == 0) {
    if (request.iops) return unsupported("iops", type);
    if (type.type == "gp2") volume.iops = gp2_iops(size);
    return {};
  }
  volume.iops = request.iops;
  if (!volume.iops && type.type == "gp3") volume.iops = type.least_iops;
  if (!volume.iops) {
    return refuse("MissingParameter",
                  fmt::format("The parameter iops must be specified for {} volumes.", type.type));
  }
  RUNCTL_TRY(check_range("iops", *volume.iops, {type.least_iops, type.most_iops}, ""));
  if (*volume.iops > wire::most_iops(type, size)) {
    return refuse("InvalidParameterValue",
                  fmt::format("Iops to volume size ratio of {:.6f} is too high; maximum is {}.",
                              static_cast<double>(*volume.iops) / static_cast<double>(size),
                              type.iops_per_gib));
  }
  return {};
}

Result<void> set_throughput(Volume& volume, const wire::VolumeLimits& type,
                            const wire::CreateVolumeRequest& request) {
  if (type.type != "gp3") {
    return request.throughput ? Result<void>{unsupported("throughput", type)} : Result<void>{};
  }
  constexpr Range range{wire::gp3_least_throughput, wire::gp3_most_throughput};
  volume.throughput = request.throughput.value_or(range.least);
  RUNCTL_TRY(check_range("throughput", *volume.throughput, range, "MiB/s"));
  if (*volume.throughput * 4 > *volume.iops) {
    return refuse(
        "InvalidParameterValue",
        "Throughput (MiBps) to iops ratio is too high; maximum is 0.250000 MiBps per iops.");
  }
  return {};
}

Result<void> set_source(const State& state, Volume& volume,
                        const wire::CreateVolumeRequest& request) {
  RUNCTL_TRY_LET(const SnapshotId id, existing_snapshot(state, request.snapshot_id));
  const Snapshot& snapshot = *state.snapshots.find(id);
  if (snapshot.state != SnapshotState::completed) {
    return refuse("IncorrectState",
                  fmt::format("Snapshot '{}' is in the '{}' state", id, name_of(snapshot.state)));
  }
  if (!request.size) volume.size = snapshot.size;
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

Result<Volume> volume_for(Turn& turn, const wire::CreateVolumeRequest& request) {
  RUNCTL_TRY_LET(Zone zone, zone_for(turn.place, request));
  if (!request.size && request.snapshot_id.empty()) return missing("size/snapshot");
  const std::string type_name = request.volume_type.empty() ? "gp2" : request.volume_type;
  const wire::VolumeLimits* const type = wire::limits_of(type_name);
  if (type == nullptr) {
    return refuse("UnknownVolumeType", fmt::format("Unsupported volume type '{}'.", type_name));
  }
  Volume volume{.id = new_id(turn, VolumeIdKind::prefix, turn.state.volumes), .type = type_name};
  volume.zone = std::move(zone);
  volume.encrypted = request.encrypted.value_or(false);
  if (!request.kms_key_id.empty() && !volume.encrypted) {
    return refuse("InvalidParameterDependency",
                  "The parameter KmsKeyId requires the parameter Encrypted to be set.");
  }
  volume.kms_key = request.kms_key_id;
  if (request.size) {
    RUNCTL_TRY(check_range("size", *request.size, {type->least_gib, type->most_gib}, "GiB"));
    volume.size = GiB{static_cast<unsigned>(*request.size)};
  }
  if (!request.snapshot_id.empty()) RUNCTL_TRY(set_source(turn.state, volume, request));
  RUNCTL_TRY(check_range("size", volume.size.count, {type->least_gib, type->most_gib}, "GiB"));
  RUNCTL_TRY(set_iops(volume, *type, request));
  RUNCTL_TRY(set_throughput(volume, *type, request));
  volume.multi_attach = request.multi_attach_enabled.value_or(false);
  // Source: ebs-facts, section 8.
  if (volume.multi_attach && !type->multi_attach) return unsupported("MultiAttachEnabled", *type);
  constexpr std::array<std::string_view, 1> allowed{"volume"};
  RUNCTL_TRY_LET(volume.tags, tags_for("volume", request.tag_specifications, allowed));
  volume.created = turn.now;
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
    {"encrypted", [](const V& v) { return std::vector{text_of(v.encrypted)}; }},
    {"multi-attach-enabled",
     [](const V& v) { return std::vector{text_of(v.multi_attach_enabled)}; }},
});

}  // namespace

Result<wire::Volume> create_volume(Turn& turn, const wire::CreateVolumeRequest& request) {
  if (request.client_token.size() > 64) {
    return refuse("InvalidParameterValue", "The client token is longer than 64 characters");
  }
  wire::CreateVolumeRequest parameters = request;
  parameters.client_token.clear();
  const std::string key = "CreateVolume/" + request.client_token;
  const std::string fingerprint =
      fingerprint_of(wire::CreateVolume::info, aws::writing(parameters));
  if (!request.client_token.empty()) {
    RUNCTL_TRY_LET(const auto answer, first_answer(turn.state, key, fingerprint));
    if (answer) return from_stored<wire::Volume>(*answer);
  }
  RUNCTL_TRY_LET(Volume volume, volume_for(turn, request));
  wire::Volume view = view_of(volume);
  if (!request.client_token.empty()) turn.state.tokens.put(key, {fingerprint, to_stored(view)});
  turn.orders.emplace_back(CreateDisk{volume.id, volume.size, volume.source});
  const VolumeId id = volume.id;
  turn.state.volumes.put(id, std::move(volume));
  return view;
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
