#include "fleet/provision.hpp"

#include <algorithm>
#include <utility>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "base/json.hpp"
#include "fleet/give_back.hpp"
#include "volume/create.hpp"
#include "volume/read.hpp"

namespace runctl::fleet {
namespace {

using volume::Change;
using volume::InstanceFacts;
using volume::VolumeFacts;

std::unexpected<Error> refuse(std::string message, std::string hint, std::string_view anchor) {
  return std::unexpected{Error{.code = Errc::conflict,
                               .message = std::move(message),
                               .hint = std::move(hint),
                               .section = fmt::format("EBS_CONCURRENT_ACCESS.md#{}", anchor)}};
}

Result<void> check_free(const VolumeFacts& volume) {
  if (!volume.attachments.empty() && !volume::is_shared(volume)) {
    auto held =
        refuse(fmt::format("Volume {} is already attached to instance {}.", volume.id,
                           volume.attachments.front().instance),
               "Detach it first or use a different volume. No machine was rented.", "held-volume");
    held.error().ways_out = {
        fmt::format("runctl aws ebs detach {}", volume.id),
        fmt::format("runctl aws ebs clone {}   # or give it a copy", volume.id)};
    return held;
  }
  const bool usable =
      volume.state == volume::VolumeState::available || volume.state == volume::VolumeState::in_use;
  if (usable && !volume.managed) return {};
  return refuse(fmt::format("Volume {} is '{}', and cannot be attached", volume.id,
                            volume.managed ? "managed by another AWS service"
                                           : volume::name_of(volume.state)),
                "No machine was rented.", "volume-states");
}

std::size_t count_of(const DataVolumeSpec& spec) {
  return spec.volumes.size() + (spec.snapshot ? 1 : 0) + (spec.size ? 1 : 0);
}

volume::MountSpec mount_for(const DataVolumeSpec& spec, const VolumeFacts& volume) {
  const bool only = count_of(spec) == 1 && !spec.mount_point.empty();
  return {.directory = only ? spec.mount_point : volume::default_mount_point(volume),
          .access = spec.access};
}

volume::Tags name_tags(const DataVolumeSpec& spec, std::string_view suffix) {
  if (spec.name.empty()) return {};
  return {{std::string{volume::tag::name}, fmt::format("{}-{}", spec.name, suffix)}};
}

// What stands in the tags of the volumes that the operation has asked for.
std::vector<std::string> tokens_of(const journal::Operation& operation) {
  std::vector<std::string> tokens;
  for (const journal::Step& step : operation.steps) {
    if (step.action != "CreateVolume") continue;
    const auto request = parse_json(step.request);
    if (!request) continue;
    if (auto token = string_at(*request, "ClientToken")) tokens.push_back(*std::move(token));
  }
  return tokens;
}

// The one that came from a snapshot, or the one that did not.
Result<std::optional<VolumeFacts>> find_made(const Change& change, bool from_snapshot) {
  RUNCTL_TRY_LET(auto made, made_volumes(change));
  const auto found = std::ranges::find_if(
      made, [&](const VolumeFacts& volume) { return volume.source.has_value() == from_snapshot; });
  if (found == made.end()) return std::nullopt;
  return std::optional{std::move(*found)};
}

Result<VolumeFacts> restored(const Change& change, const InstanceFacts& instance,
                             const DataVolumeSpec& spec) {
  RUNCTL_TRY_LET(auto before, find_made(change, true));
  if (before) return *std::move(before);
  const auto& session = change.session;
  RUNCTL_TRY_LET(auto snapshot,
                 volume::read_snapshot(session.aws, *spec.snapshot, session.options()));
  const GiB size = snapshot.volume_size;
  return volume::create_volume(change, {.size = size,
                                        .zone = instance.zone,
                                        .source = std::move(snapshot),
                                        .tags = name_tags(spec, "restored")});
}

Result<VolumeFacts> empty_one(const Change& change, const InstanceFacts& instance,
                              const DataVolumeSpec& spec) {
  RUNCTL_TRY_LET(auto before, find_made(change, false));
  if (before) return *std::move(before);
  return volume::create_volume(
      change, {.size = *spec.size, .zone = instance.zone, .tags = name_tags(spec, spec.purpose)});
}

}  // namespace

bool is_empty(const DataVolumeSpec& spec) { return count_of(spec) == 0; }

boost::json::object plan_of(const DataVolumeSpec& spec) {
  boost::json::object plan;
  boost::json::array volumes;
  for (const VolumeId& id : spec.volumes) volumes.emplace_back(id.str());
  if (!volumes.empty()) plan["volumes"] = std::move(volumes);
  if (spec.snapshot) plan["snapshot"] = spec.snapshot->str();
  if (spec.size) plan["size"] = spec.size->count;
  if (!spec.mount_point.empty()) plan["mount_point"] = spec.mount_point;
  if (spec.access == node::Access::read_only) plan["read_only"] = true;
  if (!spec.name.empty()) plan["name"] = spec.name;
  if (!spec.name.empty()) plan["purpose"] = spec.purpose;
  return plan;
}

Result<DataVolumeSpec> read_data_volumes(const boost::json::value& plan) {
  DataVolumeSpec spec{.mount_point = string_at(plan, "mount_point").value_or(""),
                      .name = string_at(plan, "name").value_or(""),
                      .purpose = string_at(plan, "purpose").value_or("data")};
  if (const auto* const volumes = array_at(plan, "volumes")) {
    for (const auto& text : *volumes) {
      if (!text.is_string()) return fail(Errc::corrupt, "the journal names a volume by no text");
      RUNCTL_TRY_LET(auto id, VolumeId::parse(text.get_string()));
      spec.volumes.push_back(std::move(id));
    }
  }
  if (const auto snapshot = string_at(plan, "snapshot")) {
    RUNCTL_TRY_LET(spec.snapshot, SnapshotId::parse(*snapshot));
  }
  if (const auto size = integer_at(plan, "size")) spec.size = GiB{static_cast<unsigned>(*size)};
  if (boolean_at(plan, "read_only").value_or(false)) spec.access = node::Access::read_only;
  return spec;
}

Result<std::string> zone_for(const std::vector<VolumeFacts>& volumes, const std::string& zone) {
  std::string needed = zone;
  for (const VolumeFacts& volume : volumes) {
    RUNCTL_TRY(check_free(volume));
    if (needed.empty()) needed = volume.zone;
    if (volume.zone == needed) continue;
    return refuse(
        fmt::format("Volume {} is in zone {}, and the machine would be in {}", volume.id,
                    volume.zone, needed),
        "A volume can be attached only within its own zone; a snapshot goes everywhere in "
        "the region. No machine was rented.",
        "wrong-zone");
  }
  return needed;
}

Result<std::vector<VolumeFacts>> made_volumes(const Change& change) {
  const journal::Operation& operation = change.recorder.operation();
  const auto tokens = tokens_of(operation);
  std::vector<VolumeFacts> made;
  if (tokens.empty()) return made;
  const auto& session = change.session;
  for (const VolumeId& id : subjects_of<VolumeId>(operation)) {
    auto seen = volume::read_volume(session.aws, id, session.options());
    if (!seen && seen.error().code == Errc::not_found) continue;
    if (!seen) return std::unexpected{std::move(seen).error()};
    const auto by = volume::tag_value(seen->tags, volume::tag::operation);
    if (std::ranges::find(tokens, by) != tokens.end()) made.push_back(*std::move(seen));
  }
  return made;
}

Result<std::vector<Provisioned>> provision(const Change& change, const InstanceFacts& launched,
                                           const DataVolumeSpec& spec) {
  const auto& session = change.session;
  // With the devices that it has got so far, so that each gets a name of its own.
  InstanceFacts instance = launched;
  std::vector<Provisioned> done;
  const auto add = [&](const VolumeFacts& volume, volume::MountSpec mount) -> Result<void> {
    std::string directory = mount.directory;
    RUNCTL_TRY_LET(auto placed,
                   volume::place_new(change, volume.id, instance, {.mount = std::move(mount)}));
    if (!placed.already_attached) {
      instance.devices.push_back({.device = placed.device, .volume = volume.id});
    }
    done.push_back(
        {.volume = volume.id, .mount_point = std::move(directory), .placed = std::move(placed)});
    return {};
  };
  for (const VolumeId& id : spec.volumes) {
    RUNCTL_TRY_LET(const auto volume, volume::read_volume(session.aws, id, session.options()));
    RUNCTL_TRY(add(volume, mount_for(spec, volume)));
  }
  if (spec.snapshot) {
    RUNCTL_TRY_LET(const auto volume, restored(change, instance, spec));
    RUNCTL_TRY(add(volume, mount_for(spec, volume)));
  }
  if (spec.size) {
    RUNCTL_TRY_LET(const auto volume, empty_one(change, instance, spec));
    auto mount = mount_for(spec, volume);
    mount.format = volume::Filesystem::ext4;
    RUNCTL_TRY(add(volume, std::move(mount)));
  }
  return done;
}

}  // namespace runctl::fleet
