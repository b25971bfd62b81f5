#include "cli/ebs/show_text.hpp"

#include <utility>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "base/text.hpp"
#include "base/time_text.hpp"
#include "cli/output.hpp"

namespace runctl::cli {
namespace {

using volume::tag_value;

boost::json::object record_of(const volume::Tags& tags) {
  boost::json::object record;
  for (const auto& [key, value] : tags) record[key] = value;
  return record;
}

void put_time(boost::json::object& record, std::string_view key,
              const std::optional<Timestamp>& time) {
  if (time) record[key] = iso8601(*time);
}

std::string time_text(const std::optional<Timestamp>& time) { return time ? iso8601(*time) : ""; }

std::string attachments_text(const volume::VolumeFacts& volume) {
  std::vector<std::string> parts;
  parts.reserve(volume.attachments.size());
  for (const auto& attachment : volume.attachments) {
    parts.push_back(fmt::format("{} {} ({})", attachment.instance, attachment.device,
                                volume::name_of(attachment.state)));
  }
  return join(parts, ", ");
}

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

}  // namespace

std::string_view name_of(volume::VolumeMode mode) {
  switch (mode) {
    case volume::VolumeMode::exclusive:
      return "exclusive";
    case volume::VolumeMode::sealed:
      return "sealed";
    case volume::VolumeMode::cluster:
      return "cluster";
  }
  std::unreachable();
}

boost::json::object record_of(const volume::VolumeFacts& volume) {
  boost::json::object record{{"volume_id", volume.id.str()},
                             {"name", tag_value(volume.tags, volume::tag::name)},
                             {"state", volume::name_of(volume.state)},
                             {"size_gib", volume.size.count},
                             {"type", volume.type},
                             {"availability_zone", volume.zone},
                             {"mode", name_of(volume::mode_of(volume))},
                             {"multi_attach", volume.multi_attach},
                             {"encrypted", volume.encrypted},
                             {"protected", volume.tags.contains(volume::tag::is_protected)}};
  if (volume.iops) record["iops"] = *volume.iops;
  if (volume.throughput) record["throughput_mibs"] = *volume.throughput;
  if (volume.source) record["snapshot_id"] = volume.source->str();
  put_time(record, "created", volume.created);
  boost::json::array attachments;
  for (const auto& attachment : volume.attachments) {
    boost::json::object entry{{"instance_id", attachment.instance.str()},
                              {"device", attachment.device},
                              {"state", volume::name_of(attachment.state)},
                              {"delete_on_termination", attachment.delete_on_termination}};
    put_time(entry, "since", attachment.since);
    attachments.push_back(std::move(entry));
  }
  record["attachments"] = std::move(attachments);
  record["tags"] = record_of(volume.tags);
  return record;
}

boost::json::object record_of(const volume::SnapshotFacts& snapshot) {
  boost::json::object record{{"snapshot_id", snapshot.id.str()},
                             {"name", tag_value(snapshot.tags, volume::tag::name)},
                             {"state", volume::name_of(snapshot.state)},
                             {"progress", snapshot.progress},
                             {"volume_size_gib", snapshot.volume_size.count},
                             {"description", snapshot.description},
                             {"consistency", tag_value(snapshot.tags, volume::tag::consistency)}};
  if (snapshot.volume) record["volume_id"] = snapshot.volume->str();
  put_time(record, "started", snapshot.started);
  record["tags"] = record_of(snapshot.tags);
  return record;
}

boost::json::object record_of(const volume::InstanceFacts& instance) {
  boost::json::object record{
      {"instance_id", instance.id.str()},
      {"name", tag_value(instance.tags, volume::tag::name)},
      {"state", volume::name_of(instance.state)},
      {"type", instance.type},
      {"availability_zone", instance.zone},
      {"private_address", instance.private_address},
      {"lifecycle", instance.lifecycle.empty() ? "on-demand" : instance.lifecycle}};
  if (!instance.spot_request.empty()) record["spot_request_id"] = instance.spot_request;
  if (!instance.reason.empty()) record["reason"] = instance.reason;
  put_time(record, "launched", instance.launched);
  boost::json::array devices;
  for (const auto& device : instance.devices) {
    devices.push_back({{"device", device.device},
                       {"volume_id", device.volume.str()},
                       {"root", device.device == instance.root_device},
                       {"delete_on_termination", device.delete_on_termination}});
  }
  record["devices"] = std::move(devices);
  record["tags"] = record_of(instance.tags);
  return record;
}

std::string text_of(const volume::VolumeFacts& volume) {
  return key_values(
      {{"volume", volume.id.str()},
       {"name", tag_value(volume.tags, volume::tag::name)},
       {"state", std::string{volume::name_of(volume.state)}},
       {"attached to", attachments_text(volume)},
       {"size", fmt::format("{} GiB {}", volume.size.count, volume.type)},
       {"zone", volume.zone},
       {"mode", std::string{name_of(volume::mode_of(volume))}},
       {"multi-attach", volume.multi_attach ? "on" : ""},
       {"encrypted", volume.encrypted ? "yes" : ""},
       {"iops", volume.iops ? std::to_string(*volume.iops) : ""},
       {"throughput", volume.throughput ? fmt::format("{} MiB/s", *volume.throughput) : ""},
       {"from snapshot", volume.source ? volume.source->str() : ""},
       {"created", time_text(volume.created)},
       {"protected", volume.tags.contains(volume::tag::is_protected) ? "yes" : ""}});
}

std::string text_of(const volume::SnapshotFacts& snapshot) {
  return key_values(
      {{"snapshot", snapshot.id.str()},
       {"name", tag_value(snapshot.tags, volume::tag::name)},
       {"state", fmt::format("{} {}", volume::name_of(snapshot.state), snapshot.progress)},
       {"of volume", snapshot.volume ? snapshot.volume->str() : ""},
       {"size", fmt::format("{} GiB", snapshot.volume_size.count)},
       {"consistency", tag_value(snapshot.tags, volume::tag::consistency)},
       {"started", time_text(snapshot.started)},
       {"description", snapshot.description}});
}

std::string text_of(const volume::InstanceFacts& instance) {
  std::string out = key_values({{"instance", instance.id.str()},
                                {"name", tag_value(instance.tags, volume::tag::name)},
                                {"state", std::string{volume::name_of(instance.state)}},
                                {"reason", instance.reason},
                                {"type", instance.type},
                                {"market", instance.lifecycle},
                                {"zone", instance.zone},
                                {"address", instance.private_address},
                                {"launched", time_text(instance.launched)}});
  for (const auto& device : instance.devices) {
    const bool root = device.device == instance.root_device;
    out += fmt::format("volume:    {} {}{}{}\n", device.device, device.volume, root ? ", root" : "",
                       device.delete_on_termination ? ", deleted at termination" : "");
  }
  return out;
}

std::string table_of(std::span<const volume::VolumeFacts> volumes) {
  Table table{{"VOLUME", "NAME", "STATE", "SIZE", "TYPE", "ZONE", "MODE", "ATTACHED TO"}};
  for (const auto& volume : volumes) {
    table.add({volume.id.str(), or_dash(tag_value(volume.tags, volume::tag::name)),
               std::string{volume::name_of(volume.state)}, fmt::format("{} GiB", volume.size.count),
               volume.type, volume.zone, std::string{name_of(volume::mode_of(volume))},
               or_dash(attachments_text(volume))});
  }
  return table.text();
}

std::string table_of(std::span<const volume::SnapshotFacts> snapshots) {
  Table table{{"SNAPSHOT", "NAME", "STATE", "OF VOLUME", "SIZE", "CONSISTENCY", "STARTED"}};
  for (const auto& snapshot : snapshots) {
    table.add({snapshot.id.str(), or_dash(tag_value(snapshot.tags, volume::tag::name)),
               fmt::format("{} {}", volume::name_of(snapshot.state), snapshot.progress),
               snapshot.volume ? snapshot.volume->str() : "-",
               fmt::format("{} GiB", snapshot.volume_size.count),
               or_dash(tag_value(snapshot.tags, volume::tag::consistency)),
               time_text(snapshot.started)});
  }
  return table.text();
}

std::string table_of(std::span<const volume::InstanceFacts> instances) {
  Table table{{"INSTANCE", "NAME", "STATE", "TYPE", "MARKET", "ZONE", "VOLUMES", "LAUNCHED"}};
  for (const auto& instance : instances) {
    table.add({instance.id.str(), or_dash(tag_value(instance.tags, volume::tag::name)),
               std::string{volume::name_of(instance.state)}, instance.type,
               instance.lifecycle.empty() ? "on-demand" : instance.lifecycle, instance.zone,
               std::to_string(instance.devices.size()), time_text(instance.launched)});
  }
  return table.text();
}

std::string text_of(const volume::Worth& worth) {
  std::string text;
  if (worth.frozen_for) {
    text += fmt::format("Writers waited for {}.\n", duration_in_words(*worth.frozen_for));
  }
  if (!worth.why.empty()) text += fmt::format("It is as after a power failure: {}.\n", worth.why);
  return text;
}

void add_to_record(boost::json::object& record, const volume::Worth& worth) {
  record["consistency"] = volume::name_of(worth.consistency);
  if (worth.frozen_for) record["frozen_ms"] = worth.frozen_for->count();
  if (!worth.why.empty()) record["why_not_consistent"] = worth.why;
}

}  // namespace runctl::cli
