// The disks and machines behind the emulated cloud.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "base/units.hpp"

namespace runctl::emulator {

// What stands behind the control plane. `none` answers every request and shows no device at all.
enum class HardwareKind : std::uint8_t { block, files, none };

[[nodiscard]] std::string_view name_of(HardwareKind kind);

// What a new volume holds: zeros, or what another has at this moment.
using DiskSource = std::variant<std::monostate, SnapshotId, VolumeId>;

// The bytes of volumes and snapshots, kept under the state directory. Each operation is durable on
// return. Errors: conflict (an image of that id is there already), not_found, internal (the disk is
// full). Thread safety: calls for different ids may run at once.
class Disks {
 public:
  Disks() = default;
  Disks(const Disks&) = delete;
  Disks& operator=(const Disks&) = delete;
  Disks(Disks&&) = delete;
  Disks& operator=(Disks&&) = delete;
  virtual ~Disks() = default;

  // A volume of `size`: all zeros, or the content of `source` and zeros behind it.
  [[nodiscard]] virtual Result<void> create(const VolumeId& volume, GiB size,
                                            const DiskSource& source) = 0;
  // Adds zeros at its end; to grow to the size that it has succeeds. Errors also: invalid_argument
  // for a size that is less.
  [[nodiscard]] virtual Result<void> grow(const VolumeId& volume, GiB size) = 0;
  // What the volume holds at this moment; what its machine still caches is not in it.
  [[nodiscard]] virtual Result<void> snapshot(const SnapshotId& snapshot,
                                              const VolumeId& volume) = 0;
  // Removing what is not there succeeds.
  [[nodiscard]] virtual Result<void> remove(const VolumeId& volume) = 0;
  [[nodiscard]] virtual Result<void> remove(const SnapshotId& snapshot) = 0;
};

struct MachineCommand {
  std::string script;                  // run by /bin/sh as root (or as ourselves without root)
  std::string working_directory = {};  // inside the machine; empty is its root
  std::chrono::seconds timeout{3600};
  std::size_t output_limit = 24'000;          // of each stream, in bytes; the rest is dropped
  std::vector<std::string> environment = {};  // "NAME=value", besides that of every command
};

struct MachineOutcome {
  std::optional<int> exit_status = {};  // nothing when the time-out ended it, or a signal did
  bool timed_out = false;
  std::string out = {};
  std::string err = {};
};

enum class Unplugged : std::uint8_t { done, busy };

// Machines that really run, to the degree that the kind of hardware can show.
// Thread safety: calls for different instances may run at once; `run` may be called for one
// instance from several threads, also during `plug` and `unplug`.
class Machines {
 public:
  Machines() = default;
  Machines(const Machines&) = delete;
  Machines& operator=(const Machines&) = delete;
  Machines(Machines&&) = delete;
  Machines& operator=(Machines&&) = delete;
  virtual ~Machines() = default;

  // Returns once commands can run. Its files from an earlier boot are there again.
  // Errors: internal.
  [[nodiscard]] virtual Result<void> boot(const InstanceId& instance) = 0;

  // Ends every process of the machine and unplugs its volumes; its kernel writes what it had not
  // yet written of mounted filesystems. `forget` removes the machine's own files too (terminate).
  // Halting what does not run succeeds.
  enum class Files : bool { keep, forget };
  [[nodiscard]] virtual Result<void> halt(const InstanceId& instance, Files files) = 0;

  // The same as if its power were cut: of a volume that no other machine has, what had not reached
  // its image by then is lost. Hardware that cannot lose it (directories) halts.
  [[nodiscard]] virtual Result<void> cut_power(const InstanceId& instance) = 0;

  // Makes the volume's device appear. Returns the path by which the machine sees it
  // ("/dev/nvme1n1"). Errors: not_found (machine not running, or no such volume), internal.
  [[nodiscard]] virtual Result<std::string> plug(const VolumeId& volume,
                                                 const InstanceId& instance) = 0;

  // Takes it away, unless the machine holds it open or has it mounted. Unplugging what is not there
  // is `done`.
  [[nodiscard]] virtual Result<Unplugged> unplug(const VolumeId& volume,
                                                 const InstanceId& instance) = 0;

  // Holds still every process of the machines that have the volume, until what it returns is let
  // go.
  [[nodiscard]] virtual std::shared_ptr<void> hold_still(const VolumeId& volume) = 0;

  // Lets every machine that has the volume plugged see the size that it has by now.
  [[nodiscard]] virtual Result<void> show_size(const VolumeId& volume) = 0;

  // Errors: not_found (machine not running), cancelled, internal.
  [[nodiscard]] virtual Result<MachineOutcome> run(const InstanceId& instance,
                                                   const MachineCommand& command,
                                                   const std::stop_token& stop) = 0;
};

struct Hardware {
  HardwareKind kind = HardwareKind::none;
  std::unique_ptr<Disks> disks;
  std::unique_ptr<Machines> machines;
};

}  // namespace runctl::emulator
