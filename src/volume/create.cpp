#include "volume/create.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "aws/ec2/volume_limits.hpp"
#include "aws/ec2/zone.hpp"
#include "base/text.hpp"
#include "volume/read.hpp"
#include "volume/wait.hpp"

namespace runctl::volume {
namespace {

using aws::ec2::limits_of;
using aws::ec2::VolumeLimits;

Error wrong(std::string message, std::string hint) {
  return Error{
      .code = Errc::invalid_argument, .message = std::move(message), .hint = std::move(hint)};
}

Error unknown_type(std::string_view type) {
  std::vector<std::string_view> names;
  std::vector<std::string> texts;
  for (const VolumeLimits& row : aws::ec2::volume_limits) {
    names.push_back(row.type);
    texts.emplace_back(row.type);
  }
  const std::string_view near = nearest(type, names);
  return wrong(fmt::format("there is no volume type '{}'", type),
               near.empty() ? "The types are " + join(texts, ", ") + "."
                            : fmt::format("Did you mean '{}'?", near));
}

std::optional<Error> check_iops(const VolumeSpec& spec, const VolumeLimits& row) {
  if (!spec.iops) {
    if (row.type == "io1" || row.type == "io2") {
      return wrong(fmt::format("a volume of type {} needs --iops", row.type),
                   fmt::format("Give {} to {}, or take gp3, which has 3,000 without asking.",
                               row.least_iops, row.most_iops));
    }
    return std::nullopt;
  }
  if (row.most_iops == 0) {
    return wrong(fmt::format("the IOPS of type {} cannot be chosen", row.type),
                 "Leave --iops out.");
  }
  const std::int64_t most = aws::ec2::most_iops(row, std::int64_t{spec.size.count});
  if (*spec.iops < row.least_iops || *spec.iops > most) {
    return wrong(fmt::format("--iops {} is out of range for {} GiB of type {}", *spec.iops,
                             spec.size.count, row.type),
                 fmt::format("It takes {} to {}.", row.least_iops, most));
  }
  return std::nullopt;
}

std::optional<Error> check_throughput(const VolumeSpec& spec) {
  if (!spec.throughput) return std::nullopt;
  if (spec.type != "gp3") {
    return wrong(fmt::format("the throughput of type {} cannot be chosen", spec.type),
                 "Leave --throughput out, or take gp3.");
  }
  // At most 0.25 MiB/s for each of its IOPS.
  const std::int64_t most = std::min(aws::ec2::gp3_most_throughput, spec.iops.value_or(3'000) / 4);
  if (*spec.throughput < aws::ec2::gp3_least_throughput || *spec.throughput > most) {
    return wrong(fmt::format("--throughput {} is out of range for {} IOPS", *spec.throughput,
                             spec.iops.value_or(3'000)),
                 fmt::format("It takes 125 to {} MiB/s.", most));
  }
  return std::nullopt;
}

std::optional<Error> check_source(const VolumeSpec& spec) {
  if (!spec.source) return std::nullopt;
  const SnapshotFacts& source = *spec.source;
  if (source.state != SnapshotState::completed) {
    Error error =
        wrong(fmt::format("snapshot {} is '{}' ({}), not 'completed'", source.id,
                          name_of(source.state), source.progress),
              "A volume made from it before could miss what was written last; wait for it.");
    error.code = Errc::conflict;
    return error;
  }
  if (spec.size < source.volume_size) {
    return wrong(fmt::format("{} GiB is less than the {} GiB of snapshot {}", spec.size.count,
                             source.volume_size.count, source.id),
                 "Leave --size out to get the snapshot's own size.");
  }
  return std::nullopt;
}

}  // namespace

std::optional<Error> check_spec(const VolumeSpec& spec) {
  const VolumeLimits* row = limits_of(spec.type);
  if (row == nullptr) return unknown_type(spec.type);
  if (auto error = check_source(spec)) return error;
  if (spec.size.count < row->least_gib || spec.size.count > row->most_gib) {
    return wrong(fmt::format("{} GiB is out of range for type {}", spec.size.count, spec.type),
                 fmt::format("It takes {} to {} GiB.", row->least_gib, row->most_gib));
  }
  if (spec.multi_attach && !row->multi_attach) {
    return wrong(fmt::format("type {} has no Multi-Attach", spec.type), "Take io2 or io1.");
  }
  if (auto error = check_iops(spec, *row)) return error;
  return check_throughput(spec);
}

std::optional<std::int64_t> default_iops(std::string_view type, GiB size) {
  const VolumeLimits* row = limits_of(type);
  if (row == nullptr || (type != "io1" && type != "io2")) return std::nullopt;
  return std::min(std::int64_t{3'000}, aws::ec2::most_iops(*row, std::int64_t{size.count}));
}

Result<VolumeFacts> create_volume(const Change& change, const VolumeSpec& spec) {
  const Session& session = change.session;
  const std::string operation = random_uuid(session.random);
  aws::ec2::TagSpecification tags{.resource_type = "volume", .tags = {}};
  for (const auto& [key, value] : spec.tags) tags.tags.push_back({.key = key, .value = value});
  tags.tags.push_back({.key = std::string{tag::operation}, .value = operation});
  if (spec.source && spec.source->tags.contains(tag::manifest)) {
    tags.tags.push_back(
        {.key = std::string{tag::manifest}, .value = tag_value(spec.source->tags, tag::manifest)});
  }
  if (!spec.source) {
    tags.tags.push_back(
        {.key = std::string{tag::created_empty}, .value = random_uuid(session.random)});
  }
  const aws::ec2::CreateVolumeRequest request{
      .availability_zone = spec.zone,
      .size = spec.size.count,
      .snapshot_id = spec.source ? spec.source->id.str() : std::string{},
      .volume_type = spec.type,
      .iops = spec.iops,
      .throughput = spec.throughput,
      .encrypted = spec.encrypted ? std::optional{true} : std::nullopt,
      .kms_key_id = spec.kms_key,
      .multi_attach_enabled = spec.multi_attach ? std::optional{true} : std::nullopt,
      .volume_initialization_rate = spec.initialization_rate,
      .tag_specifications = {tags},
      .client_token = operation};
  RUNCTL_TRY_LET(const auto created, send<aws::ec2::CreateVolume>(change, request));
  change.recorder.add_subject(created.volume_id);
  return to_facts(created);
}

Result<VolumeFacts> wait_until_available(const Session& session, const VolumeId& id) {
  return wait_for<VolumeFacts>(
      session, {}, fmt::format("volume {} to become available", id),
      [&]() -> Result<std::optional<VolumeFacts>> {
        auto volume = read_volume(session.aws, id, session.options());
        // Straight after its creation EC2 may not know it yet.
        if (!volume && volume.error().code == Errc::not_found) return std::nullopt;
        if (!volume) return std::unexpected{std::move(volume).error()};
        if (volume->state == VolumeState::error) {
          auto failed =
              fail(Errc::internal, fmt::format("AWS could not make volume {}: it is in the "
                                               "state 'error'",
                                               id));
          failed.error().hint = fmt::format(
              "With --kms-key look at the key's policy; then delete it: "
              "runctl aws ebs delete {}",
              id);
          failed.error().effect = Effect::applied;
          return failed;
        }
        if (volume->state == VolumeState::creating) return std::nullopt;
        return *std::move(volume);
      });
}

Result<std::string> default_zone(const Session& session) {
  RUNCTL_TRY_LET(const auto zones,
                 session.aws.call<aws::ec2::DescribeAvailabilityZones>({}, session.options()));
  for (const auto& zone : zones.availability_zones) {
    if (zone.state == "available" && zone.zone_type == "availability-zone") return zone.zone_name;
  }
  return fail(Errc::not_found, "no zone of this region is available");
}

}  // namespace runctl::volume
