#include "node/machine_facts.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "base/json.hpp"

namespace runctl::node {
namespace {

namespace json = boost::json;

std::string text(const json::value& value, std::string_view name) {
  return string_at(value, name).value_or("");
}

std::uint64_t count(const json::value& value, std::string_view name) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(integer_at(value, name).value_or(0), 0));
}

std::vector<std::string> texts(const json::value& value, std::string_view name) {
  std::vector<std::string> out;
  if (const auto* array = array_at(value, name)) {
    for (const auto& entry : *array) {
      if (entry.is_string()) out.emplace_back(entry.get_string());
    }
  }
  return out;
}

Probe read_probe(std::string_view word) {
  constexpr auto words =
      std::to_array<std::pair<std::string_view, Probe>>({{"filesystem", Probe::filesystem},
                                                         {"blank", Probe::blank},
                                                         {"unknown", Probe::unknown},
                                                         {"ambivalent", Probe::ambivalent},
                                                         {"directory", Probe::directory}});
  const auto found = std::ranges::find(words, word, &std::pair<std::string_view, Probe>::first);
  return found == words.end() ? Probe::unreadable : found->second;
}

// "vol0123…" as NVMe has it, without the dash.
std::optional<VolumeId> volume_of(std::string_view serial) {
  if (!serial.starts_with("vol")) return std::nullopt;
  auto id = VolumeId::parse(fmt::format("vol-{}", serial.substr(3)));
  return id ? std::optional{*std::move(id)} : std::nullopt;
}

DeviceFacts read_device(const json::value& entry) {
  DeviceFacts facts{.device = text(entry, "device"), .serial = text(entry, "serial")};
  facts.volume = volume_of(facts.serial);
  facts.size_bytes = count(entry, "size");
  facts.read_only = boolean_at(entry, "read_only").value_or(false);
  facts.probe = read_probe(text(entry, "probe"));
  facts.type = text(entry, "type");
  facts.uuid = text(entry, "uuid");
  facts.label = text(entry, "label");
  facts.holders = texts(entry, "holders");
  facts.journal = parse_journal(text(entry, "journal"));
  facts.mount_count = count(entry, "mount_count");
  facts.cut = boolean_at(entry, "cut").value_or(false);
  facts.user_count = count(entry, "user_count");
  if (const auto* mounts = array_at(entry, "mounts")) {
    for (const auto& mount : *mounts) {
      facts.mounts.push_back({.mount_point = text(mount, "mount_point"),
                              .root = text(mount, "root"),
                              .options = text(mount, "options"),
                              .read_only = boolean_at(mount, "read_only").value_or(false),
                              .own_namespace = boolean_at(mount, "own_namespace").value_or(true)});
    }
  }
  if (const auto* users = array_at(entry, "users")) {
    for (const auto& user : *users) {
      facts.users.push_back({.pid = integer_at(user, "pid").value_or(0),
                             .command = text(user, "command"),
                             .what = texts(user, "what"),
                             .container = text(user, "container")});
    }
  }
  facts.mount_count = std::max<std::uint64_t>(facts.mount_count, facts.mounts.size());
  return facts;
}

}  // namespace

Journal parse_journal(std::string_view word) {
  if (word == "clean") return Journal::clean;
  return word == "dirty" ? Journal::dirty : Journal::unknown;
}

Result<MachineFacts> inspect(const Machine& machine) {
  RUNCTL_TRY_LET(const auto record, run_script(machine, {.name = "inspect"}));
  const auto* devices = array_at(record, "devices");
  if (devices == nullptr) {
    return fail(Errc::corrupt,
                fmt::format("instance {} gave a record without devices", machine.instance));
  }
  MachineFacts facts{
      .kind = text(record, "kind") == "directory" ? StorageKind::directory : StorageKind::block,
      .hostname = text(record, "hostname"),
      .boot_id = text(record, "boot_id"),
      .uptime = std::chrono::seconds{integer_at(record, "uptime").value_or(0)},
      .root_free_bytes = count(record, "root_free")};
  for (const auto& entry : *devices) facts.devices.push_back(read_device(entry));
  return facts;
}

const DeviceFacts* find_volume(const MachineFacts& facts, const VolumeId& volume) {
  const auto found = std::ranges::find_if(
      facts.devices, [&](const DeviceFacts& device) { return device.volume == volume; });
  return found == facts.devices.end() ? nullptr : &*found;
}

}  // namespace runctl::node
