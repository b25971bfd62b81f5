// A volume on its machine: made usable, mounted, unmounted. Each finds the device by the serial of
// what it opened, changes nothing when in doubt, and says so when the work was already done.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "base/units.hpp"
#include "node/machine_facts.hpp"
#include "node/script.hpp"

namespace runctl::node {

enum class FilesystemType : std::uint8_t { ext4, xfs };
[[nodiscard]] std::string_view name_of(FilesystemType type);

enum class CreatedEmpty : bool { no, yes };
enum class Restored : bool { no, yes };
enum class Access : bool { read_write, read_only };
enum class CheckFirst : bool { no, yes };

struct FormatRequest {
  VolumeId volume;
  FilesystemType type = FilesystemType::ext4;
  // Chosen by the caller before the first try, so that a second one recognises the first one's
  // work.
  std::string uuid;
  // yes only when this operation itself created the volume, without a snapshot.
  CreatedEmpty created_empty = CreatedEmpty::no;
  std::optional<GiB> size = {};  // compared with the device's, if given
  std::chrono::seconds device_wait{30};
};

struct Formatted {
  StorageKind kind = StorageKind::block;
  std::string device;
  std::string type;
  std::string uuid;
  bool already = false;
};

// Makes a filesystem. Refuses unless the volume was created empty, has no signature, and reads as
// zeros: all of the first 4 MiB, the last MiB, and samples between. Errors (`remote->code`):
// conflict (not_created_empty, not_blank, mounted_elsewhere, busy, locked), precondition
// (no_device, wrong_device), invalid_argument for a uuid that is none; as run_script.
[[nodiscard]] Result<Formatted> format(const Machine& machine, const FormatRequest& request);

struct MountRequest {
  VolumeId volume;
  std::string mount_point;  // absolute
  Access access = Access::read_write;
  // yes only for a volume made from a snapshot that no other machine can have: allows XFS to be
  // mounted beside the volume that the snapshot was taken of, and ext4 without the 45 s for which
  // its multi-mount protection waits when the snapshot's original was mounted.
  Restored restored = Restored::no;
  // yes after the volume was taken from a machine by force: before a read-write mount the journal
  // is replayed and the whole filesystem is checked (e2fsck -f -p; xfs_repair -n). That takes
  // minutes on a large one, and an ext4 with multi-mount protection first waits 65 s to see whether
  // another machine writes it: the machine's time-out is raised to 10 minutes for it.
  CheckFirst check_first = CheckFirst::no;
  std::optional<GiB> size = {};
  std::chrono::seconds device_wait{30};
};

struct MountedVolume {
  StorageKind kind = StorageKind::block;
  std::string device;
  std::string mount_point;  // without symbolic links
  std::string
      path;  // where processes find the data: the mount point, or the directory that stands for it
  std::string type;
  std::string uuid;
  std::string options;
  std::uint64_t free_bytes = 0;
  std::uint64_t size_bytes = 0;
  bool already = false;
};

// Mounts it; read_only at the block device first and without journal replay, and proved by trying
// to write. After a machine died with the volume mounted, ext4's multi-mount protection waits 45 s:
// allow for it. Errors (`remote->code`): conflict (mounted_elsewhere, mount_point_in_use,
// mount_point_not_empty, no_filesystem, needs_recovery, read_only_device, busy, locked;
// needs_repair: the check found what it may not mend by itself; not_possible for read_only where
// volumes are directories), precondition (no_device, wrong_device), invalid_argument for a mount
// point that is not absolute; as run_script.
[[nodiscard]] Result<MountedVolume> mount(const Machine& machine, const MountRequest& request);

struct UnmountedVolume {
  StorageKind kind = StorageKind::block;
  std::string device;
  Journal journal = Journal::unknown;
  bool already = false;  // nothing was mounted
};

// Writes the volume back and unmounts it in every mount namespace, never lazily, then proves that
// nothing holds the device. Errors (`remote->code`): conflict (busy, with the users as details;
// locked; not_clean), precondition (no_device: the machine has no such device any more;
// no_serial: its devices have none, so that it cannot be told); as
// run_script.
[[nodiscard]] Result<UnmountedVolume> unmount(const Machine& machine, const VolumeId& volume);

}  // namespace runctl::node
