// One running machine with its volumes.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <stop_token>
#include <string>

#include "emulator/hardware/hardware.hpp"
#include "emulator/hardware/loop_device.hpp"
#include "emulator/hardware/machine_devices.hpp"
#include "emulator/hardware/machine_pause.hpp"
#include "emulator/hardware/machine_process.hpp"
#include "io/clock.hpp"
#include "io/process.hpp"

namespace runctl::emulator {

// Thread safety: may be used from several threads at once.
class BlockMachine {
 public:
  struct Parts {
    InstanceId instance;
    Clock& clock;
    Process& process;
    std::filesystem::path program;
    std::filesystem::path nodes;  // for device files that the host lacks
  };
  BlockMachine(Parts parts, MachineProcess first);

  [[nodiscard]] bool is_running() const;
  // See Machines for these.
  [[nodiscard]] Result<std::string> plug(const VolumeId& volume,
                                         const std::filesystem::path& image);
  [[nodiscard]] Result<Unplugged> unplug(const VolumeId& volume);
  // Lets the device have the size that its image has by now, where the volume is plugged.
  [[nodiscard]] Result<void> show_size(const VolumeId& volume);
  [[nodiscard]] Result<MachineOutcome> run(const MachineCommand& command,
                                           const std::stop_token& stop);

  [[nodiscard]] std::set<VolumeId> volumes() const;
  [[nodiscard]] std::shared_ptr<MachinePause> hold_still() const;

  // Halts, and leaves the images of its volumes, but for those in `shared`, as they were while its
  // processes were held still for the last time: what the kernel writes as it lets go is lost.
  // Errors: as copy_moment, and then it runs on; those of `halt`.
  [[nodiscard]] Result<void> cut_power(const std::set<VolumeId>& shared);

  // Returns when all processes have ended and all loop devices are free.
  // Errors: deadline_exceeded when something holds on.
  [[nodiscard]] Result<void> halt();

 private:
  struct Slot {
    DeviceEntry entry;
    LoopDevice loop;
    std::filesystem::path image;
  };
  [[nodiscard]] Result<Slot> make_slot(const VolumeId& volume, const std::filesystem::path& image);
  [[nodiscard]] Result<void> halt_holding_locks();
  [[nodiscard]] bool has_users(const LoopDevice& loop) const;
  [[nodiscard]] bool wait_until_gone(const LoopDevice& loop,
                                     std::chrono::milliseconds patience) const;
  [[nodiscard]] std::unexpected<Error> not_running() const;

  Parts parts_;
  mutable std::shared_mutex
      life_;  // unique while the process ends: its number means it under a shared lock
  MachineProcess first_;
  mutable std::mutex plugging_;
  std::map<VolumeId, Slot> slots_;
};

}  // namespace runctl::emulator
