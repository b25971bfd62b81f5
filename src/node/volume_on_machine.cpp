#include "node/volume_on_machine.hpp"

#include <algorithm>
#include <utility>

#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "base/json.hpp"
#include "base/text.hpp"

namespace runctl::node {
namespace {

std::string text(const boost::json::value& record, std::string_view name) {
  return string_at(record, name).value_or("");
}

std::uint64_t count(const boost::json::value& record, std::string_view name) {
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(integer_at(record, name).value_or(0), 0));
}

StorageKind kind_of(const boost::json::value& record) {
  return text(record, "kind") == "directory" ? StorageKind::directory : StorageKind::block;
}

std::string_view yes_if(bool condition) { return condition ? "yes" : "no"; }

std::string bytes_or_nothing(const std::optional<GiB>& size) {
  return size ? std::to_string(size->bytes()) : "";
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !std::string_view{"0123456789abcdef"}.contains(text[i]))
      return false;
  }
  return true;
}

// Absolute, below the root, one spelling, and on one line (a mount table has lines).
Result<std::string> check_mount_point(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  bool good = path.starts_with('/') && path.size() > 1 && path.size() < 4096 &&
              std::ranges::none_of(
                  path, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
  for (const std::string_view step : split(path.substr(good ? 1 : 0), '/')) {
    good = good && !step.empty() && step != "." && step != "..";
  }
  if (!good) {
    return fail(
        Errc::invalid_argument,
        fmt::format(
            "'{}' is not a mount point: an absolute path without '.', '..' or control characters",
            to_utf8(path)));
  }
  return std::string{path};
}

}  // namespace

std::string_view name_of(FilesystemType type) {
  switch (type) {
    case FilesystemType::ext4:
      return "ext4";
    case FilesystemType::xfs:
      return "xfs";
  }
  std::unreachable();
}

Result<Formatted> format(const Machine& machine, const FormatRequest& request) {
  if (!is_uuid(request.uuid)) {
    return fail(Errc::invalid_argument,
                fmt::format("'{}' is not a uuid in lower case", request.uuid));
  }
  const Script script{
      .name = "format",
      .parameters = {
          {"VOLUME_ID", request.volume.str()},
          {"FILESYSTEM", std::string{name_of(request.type)}},
          {"FILESYSTEM_UUID", request.uuid},
          {"CREATED_EMPTY", std::string{yes_if(request.created_empty == CreatedEmpty::yes)}},
          {"EXPECTED_BYTES", bytes_or_nothing(request.size)},
          {"WAIT_SECONDS", std::to_string(request.device_wait.count())}}};
  RUNCTL_TRY_LET(const auto record, run_script(machine, script));
  return Formatted{.kind = kind_of(record),
                   .device = text(record, "device"),
                   .type = text(record, "type"),
                   .uuid = text(record, "uuid"),
                   .already = boolean_at(record, "already").value_or(false)};
}

Result<MountedVolume> mount(const Machine& machine, const MountRequest& request) {
  RUNCTL_TRY_LET(auto mount_point, check_mount_point(request.mount_point));
  const Script script{
      .name = "mount",
      .parameters = {{"VOLUME_ID", request.volume.str()},
                     {"MOUNT_POINT", std::move(mount_point)},
                     {"READ_ONLY", std::string{yes_if(request.access == Access::read_only)}},
                     {"RESTORED", std::string{yes_if(request.restored == Restored::yes)}},
                     {"CHECK_FIRST", std::string{yes_if(request.check_first == CheckFirst::yes)}},
                     {"EXPECTED_BYTES", bytes_or_nothing(request.size)},
                     {"WAIT_SECONDS", std::to_string(request.device_wait.count())}}};
  Machine patient = machine;
  constexpr std::chrono::minutes for_a_check{10};
  if (request.check_first == CheckFirst::yes)
    patient.timeout = std::max<std::chrono::seconds>(patient.timeout, for_a_check);
  auto answer = run_script(patient, script);
  if (!answer && answer.error().remote && answer.error().remote->code == "needs_repair") {
    answer.error().hint =
        "Take a snapshot first, so that nothing is lost by the repair; then repair it on the "
        "machine "
        "(e2fsck -f, or xfs_repair, on the device), and mount it again.";
    answer.error().ways_out.push_back(fmt::format("runctl aws ebs snapshot {}", request.volume));
  }
  RUNCTL_TRY_LET(const auto record, std::move(answer));
  MountedVolume mounted{.kind = kind_of(record),
                        .device = text(record, "device"),
                        .mount_point = text(record, "mount_point"),
                        .path = text(record, "path"),
                        .type = text(record, "type"),
                        .uuid = text(record, "uuid"),
                        .options = text(record, "options"),
                        .free_bytes = count(record, "free"),
                        .size_bytes = count(record, "size"),
                        .already = boolean_at(record, "already").value_or(false)};
  if (mounted.path.empty()) {
    return fail(Errc::corrupt, fmt::format("instance {} did not say where {} is mounted",
                                           machine.instance, request.volume));
  }
  return mounted;
}

Result<UnmountedVolume> unmount(const Machine& machine, const VolumeId& volume) {
  RUNCTL_TRY_LET(
      const auto record,
      run_script(machine, {.name = "unmount", .parameters = {{"VOLUME_ID", volume.str()}}}));
  return UnmountedVolume{.kind = kind_of(record),
                         .device = text(record, "device"),
                         .journal = parse_journal(text(record, "journal")),
                         .already = boolean_at(record, "already").value_or(false)};
}

}  // namespace runctl::node
