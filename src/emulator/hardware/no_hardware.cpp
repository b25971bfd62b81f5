#include "emulator/hardware/no_hardware.hpp"

#include <fmt/format.h>

namespace runctl::emulator {
namespace {

class NoDisks final : public Disks {
 public:
  Result<void> create(const VolumeId&, GiB, const DiskSource&) override { return {}; }
  Result<void> grow(const VolumeId&, GiB) override { return {}; }
  Result<void> snapshot(const SnapshotId&, const VolumeId&) override { return {}; }
  Result<void> remove(const VolumeId&) override { return {}; }
  Result<void> remove(const SnapshotId&) override { return {}; }
};

class NoMachines final : public Machines {
 public:
  Result<void> boot(const InstanceId&) override { return {}; }
  Result<void> halt(const InstanceId&, Files) override { return {}; }
  Result<void> cut_power(const InstanceId&) override { return {}; }
  Result<std::string> plug(const VolumeId&, const InstanceId&) override { return std::string{}; }
  Result<Unplugged> unplug(const VolumeId&, const InstanceId&) override { return Unplugged::done; }
  std::shared_ptr<void> hold_still(const VolumeId&) override { return {}; }
  Result<void> show_size(const VolumeId&) override { return {}; }
  Result<MachineOutcome> run(const InstanceId& instance, const MachineCommand&,
                             const std::stop_token&) override {
    auto refused =
        fail(Errc::internal,
             fmt::format("{} cannot run commands, this emulator has no hardware", instance));
    refused.error().hint = "Start the emulator with --hardware block or --hardware files.";
    return refused;
  }
};

}  // namespace

std::unique_ptr<Disks> make_no_disks() { return std::make_unique<NoDisks>(); }
std::unique_ptr<Machines> make_no_machines() { return std::make_unique<NoMachines>(); }

}  // namespace runctl::emulator
