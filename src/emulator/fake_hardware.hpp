// Hardware for tests: it remembers what it was told, fails when it is told to, and runs what it is
// given.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <variant>

#include "emulator/hardware/hardware.hpp"

namespace runctl::emulator {

// Shared between a test and the hardware that it has given away.
struct FakeBench {
  std::mutex mutex = {};
  std::set<std::string> disks = {};      // volume and snapshot ids
  std::set<std::string> running = {};    // instance ids
  std::set<std::string> plugged = {};    // "vol-… i-…"
  std::set<std::string> held_open = {};  // volume ids whose unplugging is busy
  std::set<std::string> broken =
      {};  // operations that fail: "create", "grow", "snapshot", "plug", "boot", "halt"
  std::function<Result<MachineOutcome>(const InstanceId&, const MachineCommand&,
                                       const std::stop_token&)>
      run = [](const InstanceId&, const MachineCommand& command, const std::stop_token&) {
        return Result<MachineOutcome>{MachineOutcome{.exit_status = 0, .out = command.script}};
      };

  [[nodiscard]] bool has(const std::set<std::string>& set, const std::string& key) {
    const std::lock_guard lock{mutex};
    return set.contains(key);
  }
  void put(std::set<std::string>& set, const std::string& key) {
    const std::lock_guard lock{mutex};
    set.insert(key);
  }
  void drop(std::set<std::string>& set, const std::string& key) {
    const std::lock_guard lock{mutex};
    set.erase(key);
  }
  [[nodiscard]] Result<void> check(const std::string& operation) {
    if (has(broken, operation))
      return fail(Errc::internal, "the " + operation + " was told to fail");
    return {};
  }
};

class FakeDisks final : public Disks {
 public:
  explicit FakeDisks(std::shared_ptr<FakeBench> bench) : bench_{std::move(bench)} {}
  Result<void> create(const VolumeId& volume, GiB, const DiskSource& source) override {
    RUNCTL_TRY(bench_->check("create"));
    const std::string from = std::visit(
        [](const auto& id) -> std::string {
          if constexpr (requires { id.str(); }) return id.str();
          return "";
        },
        source);
    if (!from.empty() && !bench_->has(bench_->disks, from)) {
      return fail(Errc::not_found, "there is no image of " + from);
    }
    if (bench_->has(bench_->disks, volume.str())) {
      return fail(Errc::conflict, "there is an image of " + volume.str());
    }
    bench_->put(bench_->disks, volume.str());
    return {};
  }
  Result<void> grow(const VolumeId& volume, GiB) override {
    RUNCTL_TRY(bench_->check("grow"));
    if (bench_->has(bench_->disks, volume.str())) return {};
    return fail(Errc::not_found, "there is no image of " + volume.str());
  }
  Result<void> snapshot(const SnapshotId& snapshot, const VolumeId& volume) override {
    RUNCTL_TRY(bench_->check("snapshot"));
    if (!bench_->has(bench_->disks, volume.str())) {
      return fail(Errc::not_found, "there is no image of " + volume.str());
    }
    bench_->put(bench_->disks, snapshot.str());
    return {};
  }
  Result<void> remove(const VolumeId& volume) override {
    bench_->drop(bench_->disks, volume.str());
    return {};
  }
  Result<void> remove(const SnapshotId& snapshot) override {
    bench_->drop(bench_->disks, snapshot.str());
    return {};
  }

 private:
  std::shared_ptr<FakeBench> bench_;
};

class FakeMachines final : public Machines {
 public:
  explicit FakeMachines(std::shared_ptr<FakeBench> bench) : bench_{std::move(bench)} {}
  Result<void> boot(const InstanceId& instance) override {
    RUNCTL_TRY(bench_->check("boot"));
    bench_->put(bench_->running, instance.str());
    return {};
  }
  Result<void> halt(const InstanceId& instance, Files) override {
    RUNCTL_TRY(bench_->check("halt"));
    const std::lock_guard lock{bench_->mutex};
    bench_->running.erase(instance.str());
    std::erase_if(bench_->plugged, [&](const auto& p) { return p.ends_with(instance.str()); });
    return {};
  }
  Result<void> cut_power(const InstanceId& instance) override {
    RUNCTL_TRY(bench_->check("cut-power"));
    return halt(instance, Files::keep);
  }
  Result<std::string> plug(const VolumeId& volume, const InstanceId& instance) override {
    RUNCTL_TRY(bench_->check("plug"));
    if (!bench_->has(bench_->running, instance.str())) {
      return fail(Errc::not_found, instance.str() + " does not run");
    }
    bench_->put(bench_->plugged, volume.str() + " " + instance.str());
    return "/dev/nvme1n1";
  }
  Result<Unplugged> unplug(const VolumeId& volume, const InstanceId& instance) override {
    if (bench_->has(bench_->held_open, volume.str())) return Unplugged::busy;
    bench_->drop(bench_->plugged, volume.str() + " " + instance.str());
    return Unplugged::done;
  }
  std::shared_ptr<void> hold_still(const VolumeId&) override { return {}; }
  Result<void> show_size(const VolumeId&) override { return bench_->check("show-size"); }
  Result<MachineOutcome> run(const InstanceId& instance, const MachineCommand& command,
                             const std::stop_token& stop) override {
    if (!bench_->has(bench_->running, instance.str())) {
      return fail(Errc::not_found, instance.str() + " does not run");
    }
    return bench_->run(instance, command, stop);
  }

 private:
  std::shared_ptr<FakeBench> bench_;
};

[[nodiscard]] inline Hardware fake_hardware(const std::shared_ptr<FakeBench>& bench) {
  return {.kind = HardwareKind::none,
          .disks = std::make_unique<FakeDisks>(bench),
          .machines = std::make_unique<FakeMachines>(bench)};
}

}  // namespace runctl::emulator
