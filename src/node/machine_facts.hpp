// What a machine has: its volumes' devices, what is on them, where they are mounted, and who uses
// them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "node/script.hpp"

namespace runctl::node {

// In a machine of the emulator without root a volume is a directory.
enum class StorageKind : std::uint8_t { block, directory };

enum class Journal : std::uint8_t { clean, dirty, unknown };
// A script's word for it.
[[nodiscard]] Journal parse_journal(std::string_view word);

enum class Probe : std::uint8_t {
  filesystem,  // or a partition table, a RAID member: something that names itself
  blank,       // no signature, and zeros at the start; no proof that the rest is blank
  unknown,     // no signature, yet not zeros
  ambivalent,  // several signatures
  unreadable,
  directory,  // there is no device to probe
};

struct MountFacts {
  std::string mount_point;
  std::string
      root;  // the directory of the filesystem that is mounted there; "/" unless a bind mount
  std::string options;
  bool read_only = false;
  bool own_namespace = true;  // false for one that only containers and their like see
};

struct UserFacts {
  std::int64_t pid = 0;  // 0 for what is no process: swap, a loop device
  std::string command;
  std::vector<std::string> what;  // cwd, root, exe, fd, map, device, loop, swap, export (NFS)
  // "docker 0123456789ab": the kind and the start of the id, for a process of a container.
  std::string container = {};
};

struct DeviceFacts {
  std::string device;  // "/dev/nvme1n1": for people; names change
  std::string serial;
  std::optional<VolumeId> volume = {};  // nothing for a device that is no EBS volume
  std::uint64_t size_bytes = 0;
  bool read_only = false;  // the block device, not a mount
  Probe probe = Probe::unreadable;
  std::string type = {};
  std::string uuid = {};
  std::string label = {};
  // Of a filesystem that is not mounted here; unknown for a mounted one.
  Journal journal = Journal::unknown;
  std::vector<MountFacts> mounts = {};  // in every mount namespace, the first 20
  std::uint64_t mount_count = 0;
  std::vector<UserFacts> users = {};  // the first 20
  std::uint64_t user_count = 0;
  std::vector<std::string> holders = {};  // device mapper (LVM), md
  // Not all mounts or users are here, or not with their whole paths: SSM returns 24,000 characters,
  // in which 28 volumes must have room. The counts are true, and one mount at least is named.
  bool cut = false;
};

struct MachineFacts {
  StorageKind kind = StorageKind::block;
  std::string hostname;
  std::string boot_id;
  std::chrono::seconds uptime{0};
  std::uint64_t root_free_bytes = 0;
  std::vector<DeviceFacts> devices = {};
};

// Only reads. Errors: those of run_script.
[[nodiscard]] Result<MachineFacts> inspect(const Machine& machine);

// The device that has the volume's serial; null when there is none. Borrowed from `facts`.
[[nodiscard]] const DeviceFacts* find_volume(const MachineFacts& facts, const VolumeId& volume);

}  // namespace runctl::node
