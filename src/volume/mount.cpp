#include "volume/mount.hpp"

#include <utility>

#include <fmt/format.h>

#include "node/machine_facts.hpp"
#include "node/volume_on_machine.hpp"
#include "volume/machine.hpp"
#include "volume/plan_attach.hpp"

namespace runctl::volume {
namespace {

// mkfs of the largest volume with lazy initialisation, and a mount that waits out ext4's
// multi-mount protection after a crash (45 s, ebs-facts 10), both with room.
constexpr std::chrono::seconds machine_patience{180};

Error refuse(std::string message, std::string hint) {
  return Error{.code = Errc::conflict,
               .message = std::move(message),
               .hint = std::move(hint),
               .section = "EBS_CONCURRENT_ACCESS.md#formatting"};
}

bool has_code(const Error& error, std::string_view code) {
  return error.remote && error.remote->code == code;
}

// Whether one was made. A volume that is mounted has its filesystem, which the mount that follows
// looks at.
Result<bool> make_filesystem(const Change& change, const VolumeFacts& volume,
                             const InstanceId& instance, Filesystem filesystem) {
  const Session& session = change.session;
  const node::FormatRequest request{.volume = volume.id,
                                    .type = filesystem == Filesystem::ext4
                                                ? node::FilesystemType::ext4
                                                : node::FilesystemType::xfs,
                                    .uuid = tag_value(volume.tags, tag::created_empty),
                                    .created_empty = node::CreatedEmpty::yes,
                                    .size = volume.size};
  session.progress(fmt::format("making a filesystem on {}", volume.id));
  auto formatted = on_machine(
      change, "format",
      {{"volume", volume.id.str()},
       {"instance", instance.str()},
       {"type", name_of(filesystem)},
       {"uuid", request.uuid}},
      [&]() { return node::format(machine_of(session, instance, machine_patience), request); });
  if (formatted) return !formatted->already;
  Error& error = formatted.error();
  if (has_code(error, "mounted_elsewhere")) return false;
  if (has_code(error, "not_blank")) {
    error.message =
        fmt::format("volume {} is not blank, so it is not formatted: {}", volume.id, error.message);
    error.hint = "Mount it without --format; or use a new volume.";
    error.section = "EBS_CONCURRENT_ACCESS.md#formatting";
  }
  return std::unexpected{std::move(error)};
}

// The filesystem that `ebs create --filesystem` named; nothing once the volume cannot be blank.
std::optional<Filesystem> promised_filesystem(const VolumeFacts& volume) {
  if (is_copy(volume) || !volume.tags.contains(tag::created_empty)) return std::nullopt;
  const auto named = parse_filesystem(tag_value(volume.tags, tag::filesystem));
  return named ? std::optional{*named} : std::nullopt;
}

Result<node::MountedVolume> mount_as_it_is(const Change& change, const VolumeFacts& volume,
                                           const InstanceId& instance, const MountSpec& spec) {
  const Session& session = change.session;
  const node::Access access = access_for(volume, spec.access);
  const node::MountRequest request{
      .volume = volume.id,
      .mount_point = spec.directory,
      .access = access,
      .restored =
          is_copy(volume) && !volume.multi_attach ? node::Restored::yes : node::Restored::no,
      .check_first =
          volume.tags.contains(tag::needs_check) ? node::CheckFirst::yes : node::CheckFirst::no,
      .size = volume.size};
  session.progress(fmt::format("mounting {} at {}", volume.id, spec.directory));
  return on_machine(
      change, "mount",
      {{"volume", volume.id.str()}, {"instance", instance.str()}, {"mount_point", spec.directory}},
      [&]() { return node::mount(machine_of(session, instance, machine_patience), request); });
}

}  // namespace

std::string_view name_of(Filesystem filesystem) {
  switch (filesystem) {
    case Filesystem::ext4:
      return "ext4";
    case Filesystem::xfs:
      return "xfs";
  }
  std::unreachable();
}

Result<Filesystem> parse_filesystem(std::string_view text) {
  if (text == "ext4") return Filesystem::ext4;
  if (text == "xfs") return Filesystem::xfs;
  return fail(Errc::invalid_argument, fmt::format("a filesystem is ext4 or xfs, not '{}'", text));
}

node::Access access_for(const VolumeFacts& volume, node::Access wanted) {
  return mode_of(volume) == VolumeMode::sealed ? node::Access::read_only : wanted;
}

std::optional<Error> check_mount(const VolumeFacts& volume, const InstanceFacts& instance,
                                 const MountSpec& spec) {
  if (instance.state != InstanceState::running) {
    return refuse(fmt::format("Instance {} is '{}', and can mount nothing", instance.id,
                              name_of(instance.state)),
                  "Attach without --mount, or start the instance first.");
  }
  if (auto refusal = check_use(volume, instance.id)) return refusal;
  if (mode_of(volume) == VolumeMode::cluster) {
    return refuse(fmt::format("Volume {} is in the mode 'cluster'", volume.id),
                  "Its filesystem is the cluster's business: mount it with the cluster's tools.");
  }
  const bool reads = access_for(volume, spec.access) == node::Access::read_only;
  if (reads && volume.tags.contains(tag::needs_check)) {
    return refuse(fmt::format("Volume {} was pulled off a machine by force, and not checked since",
                              volume.id),
                  "A read-only mount would show an old or broken state; mount it read-write once, "
                  "which checks it first.");
  }
  if (!spec.format) return std::nullopt;
  if (reads) {
    return refuse(fmt::format("Volume {} is to be read only, so it is not formatted", volume.id),
                  "Leave --format out.");
  }
  if (is_copy(volume)) {
    return refuse(fmt::format("Volume {} came from {}, so it is not formatted", volume.id,
                              volume.source ? fmt::format("snapshot {}", *volume.source)
                                            : fmt::format("volume {}", *volume.source_volume)),
                  "Mount it without --format: it has the filesystem of what it came from.");
  }
  if (!volume.tags.contains(tag::created_empty)) {
    return refuse(
        fmt::format("Volume {} was not created empty by runctl, so it is not formatted", volume.id),
        "A probe that finds nothing does not prove that there is nothing. Use a volume from "
        "`runctl aws ebs create`, or format it by hand.");
  }
  return std::nullopt;
}

Result<Mounted> mount(const Change& change, const VolumeFacts& volume, const InstanceId& instance,
                      const MountSpec& spec) {
  bool formatted = false;
  if (spec.format) {
    RUNCTL_TRY_LET(formatted, make_filesystem(change, volume, instance, *spec.format));
  }
  auto mounted = mount_as_it_is(change, volume, instance, spec);
  const auto promised = promised_filesystem(volume);
  if (!mounted && promised && has_code(mounted.error(), "no_filesystem")) {
    RUNCTL_TRY_LET(formatted, make_filesystem(change, volume, instance, *promised));
    mounted = mount_as_it_is(change, volume, instance, spec);
  }
  if (!mounted) {
    Error& error = mounted.error();
    if (has_code(error, "no_filesystem") && !is_copy(volume)) {
      error.hint = "A volume that runctl created empty can be formatted: add --format ext4.";
      error.section = "EBS_CONCURRENT_ACCESS.md#formatting";
    }
    return std::unexpected{std::move(error)};
  }
  if (volume.tags.contains(tag::needs_check)) {
    // A note that stays costs one more check, and the mount stands.
    const auto removed = send<aws::ec2::DeleteTags>(
        change, {.resources = {volume.id.str()}, .tags = {{.key = std::string{tag::needs_check}}}});
    if (!removed) {
      change.session.progress(fmt::format("volume {} stays noted as to be checked: {}", volume.id,
                                          removed.error().message));
    }
  }
  return Mounted{.path = mounted->path,
                 .filesystem = mounted->type,
                 .access = access_for(volume, spec.access),
                 .already = mounted->already,
                 .formatted = formatted};
}

Result<std::optional<std::string>> mounted_at(const Session& session, const VolumeId& volume,
                                              const InstanceId& instance) {
  RUNCTL_TRY_LET(const auto facts, node::inspect(machine_of(session, instance, machine_patience)));
  return mounted_at(facts, volume);
}

std::optional<std::string> mounted_at(const node::MachineFacts& machine, const VolumeId& volume) {
  const auto* device = node::find_volume(machine, volume);
  if (device == nullptr) return std::nullopt;
  for (const auto& mount : device->mounts) {
    if (mount.own_namespace && mount.root == "/") return mount.mount_point;
  }
  return std::nullopt;
}

}  // namespace runctl::volume
