// A volume's filesystem on its machine: made, mounted, written back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "node/machine_facts.hpp"
#include "node/volume_on_machine.hpp"
#include "volume/change.hpp"
#include "volume/facts.hpp"
#include "volume/session.hpp"

namespace runctl::volume {

enum class Filesystem : std::uint8_t { ext4, xfs };
[[nodiscard]] std::string_view name_of(Filesystem filesystem);
// Errors: invalid_argument.
[[nodiscard]] Result<Filesystem> parse_filesystem(std::string_view text);

struct MountSpec {
  std::string directory;
  std::optional<Filesystem> format = {};  // make one first, if the volume is proved blank
  // read_only: at the block device, before the mount. A sealed volume is never mounted otherwise.
  node::Access access = node::Access::read_write;
};

struct Mounted {
  std::string path;  // where the machine's processes find it
  std::string filesystem;
  node::Access access = node::Access::read_write;
  bool already = false;
  bool formatted = false;
};

// How a mount of the volume may access it: a sealed one is only read (rule S6).
[[nodiscard]] node::Access access_for(const VolumeFacts& volume, node::Access wanted);

// What stands against it before anything is touched: a machine that does not run, a volume that may
// not be formatted because it came from a snapshot or was not created empty by runctl (S11, I8), a
// mode without mounts, a filesystem that was pulled off a machine and is not to be repaired.
[[nodiscard]] std::optional<Error> check_mount(const VolumeFacts& volume,
                                               const InstanceFacts& instance,
                                               const MountSpec& spec);

// Formats if asked (or if the volume was created with a filesystem named, and is blank), then
// mounts. Both find the device by the serial of what was opened. A volume that was pulled off a
// machine by force is checked first, and its tag taken away once it is mounted. A sealed one is
// read-only at the device and in the mount, both proved by trying to write (rule S6).
// Errors: conflict when the machine says that it must not be done; unavailable, deadline_exceeded.
[[nodiscard]] Result<Mounted> mount(const Change& change, const VolumeFacts& volume,
                                    const InstanceId& instance, const MountSpec& spec);

// Where the machine has the volume mounted; nothing when it has not. Errors: those of the machine.
[[nodiscard]] Result<std::optional<std::string>> mounted_at(const Session& session,
                                                            const VolumeId& volume,
                                                            const InstanceId& instance);
// The same of what the machine has said. Pure.
[[nodiscard]] std::optional<std::string> mounted_at(const node::MachineFacts& machine,
                                                    const VolumeId& volume);

}  // namespace runctl::volume
