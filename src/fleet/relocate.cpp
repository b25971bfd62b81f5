#include "fleet/relocate.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "aws/ec2/network.hpp"
#include "aws/ec2/zone.hpp"
#include "fleet/give_back.hpp"
#include "fleet/provision.hpp"
#include "volume/create.hpp"
#include "volume/read.hpp"
#include "volume/snapshot.hpp"

namespace runctl::fleet {
namespace {

namespace ec2 = aws::ec2;
using volume::Change;
using volume::Session;
using volume::VolumeFacts;

// What a new volume says of itself is its own.
volume::Tags tags_of(const VolumeFacts& volume) {
  volume::Tags tags = volume.tags;
  std::erase_if(tags, [](const auto& tag) {
    const bool is_ours = tag.first.starts_with("runctl:") && tag.first != volume::tag::mode;
    return is_ours || tag.first.starts_with("aws:");
  });
  return tags;
}

}  // namespace

Result<void> check_zones(const Session& session, const std::vector<std::string>& zones) {
  if (zones.empty()) return {};
  RUNCTL_TRY_LET(const auto known,
                 session.aws.call<ec2::DescribeAvailabilityZones>({}, session.options()));
  std::vector<std::string> names;
  names.reserve(known.availability_zones.size());
  for (const auto& zone : known.availability_zones) names.push_back(zone.zone_name);
  for (const std::string& zone : zones) {
    if (std::ranges::find(names, zone) != names.end()) continue;
    auto unknown = fail(Errc::invalid_argument,
                        fmt::format("'{}' is no availability zone of this region", zone));
    unknown.error().hint = fmt::format("It has {}.", fmt::join(names, ", "));
    return unknown;
  }
  return {};
}

Result<LaunchSpec> in_zone(const Session& session, LaunchSpec spec, const std::string& zone) {
  spec.zone = zone;
  if (spec.subnet.empty()) return spec;
  RUNCTL_TRY_LET(const auto here, session.aws.call<ec2::DescribeSubnets>(
                                      {.subnet_ids = {spec.subnet}}, session.options()));
  if (here.subnets.empty()) {
    return fail(Errc::not_found, fmt::format("EC2 does not know subnet {} any more", spec.subnet));
  }
  const std::string& vpc = here.subnets.front().vpc_id;
  RUNCTL_TRY_LET(auto there, session.aws.call<ec2::DescribeSubnets>(
                                 {.filters = {{.name = "vpc-id", .values = {vpc}},
                                              {.name = "availability-zone", .values = {zone}}}},
                                 session.options()));
  if (there.subnets.empty()) {
    auto none = fail(Errc::not_found, fmt::format("network {} has no subnet in {}", vpc, zone));
    none.error().hint = "Make one there, or choose another zone.";
    return none;
  }
  // The zone's default one, where there is one.
  const auto chosen = std::ranges::find_if(there.subnets, [](const ec2::Subnet& subnet) {
    return subnet.default_for_az.value_or(false);
  });
  spec.subnet = chosen == there.subnets.end() ? there.subnets.front().subnet_id : chosen->subnet_id;
  return spec;
}

Result<std::vector<VolumeInSnapshot>> keep_in_snapshots(const Change& change,
                                                        const std::vector<VolumeFacts>& volumes) {
  const Session& session = change.session;
  std::vector<VolumeInSnapshot> kept;
  kept.reserve(volumes.size());
  for (const VolumeFacts& each : volumes) {
    RUNCTL_TRY_LET(auto now, volume::read_volume(session.aws, each.id, session.options()));
    RUNCTL_TRY_LET(auto taken,
                   volume::take_snapshot(change, now, {.description = "to go on in another zone"}));
    change.recorder.add_subject(taken.snapshot.id.str());
    kept.push_back({.volume = std::move(now), .snapshot = std::move(taken.snapshot)});
  }
  for (VolumeInSnapshot& each : kept) {
    session.progress(fmt::format("waiting for snapshot {}", each.snapshot.id));
    RUNCTL_TRY_LET(each.snapshot, volume::wait_until_completed(session, each.snapshot.id));
  }
  return kept;
}

Result<VolumeFacts> copy_in_zone(const Change& change, const VolumeInSnapshot& kept,
                                 const std::string& zone) {
  const VolumeFacts& from = kept.volume;
  const bool has_throughput = from.type == "gp3";
  // EC2 takes a number of IOPS for these alone (ebs-facts, section 5).
  const bool has_iops = has_throughput || from.type == "io1" || from.type == "io2";
  RUNCTL_TRY_LET(
      const auto made,
      volume::create_volume(change, {.size = from.size,
                                     .type = from.type,
                                     .zone = zone,
                                     .iops = has_iops ? from.iops : std::nullopt,
                                     .throughput = has_throughput ? from.throughput : std::nullopt,
                                     .multi_attach = from.multi_attach,
                                     .source = kept.snapshot,
                                     .tags = tags_of(from)}));
  return volume::wait_until_available(change.session, made.id);
}

std::string deletion_of(const SnapshotId& snapshot) {
  return fmt::format("aws ec2 delete-snapshot --snapshot-id {}", snapshot);
}

std::vector<std::string> snapshots_taken(const Change& change) {
  std::vector<std::string> words;
  for (const SnapshotId& id : subjects_of<SnapshotId>(change.recorder.operation())) {
    const auto line = fmt::format("snapshot {} was taken for it, and costs money; to delete it: {}",
                                  id, deletion_of(id));
    if (std::ranges::find(words, line) == words.end()) words.push_back(line);
  }
  return words;
}

std::vector<std::string> what_was_made(const Change& change) {
  std::vector<std::string> words;
  const auto volumes = made_volumes(change);
  if (!volumes) {
    words.push_back(
        fmt::format("volumes that were made for it could not be looked up ({}); to see "
                    "them: runctl aws ebs list",
                    volumes.error().message));
  } else {
    for (const VolumeFacts& each : *volumes) {
      words.push_back(
          fmt::format("volume {} was made for it, and costs money; to delete it: "
                      "runctl aws ebs delete {}",
                      each.id, each.id));
    }
  }
  std::ranges::move(snapshots_taken(change), std::back_inserter(words));
  return words;
}

}  // namespace runctl::fleet
