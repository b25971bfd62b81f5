#include "emulator/hardware/block_machines.hpp"

#include <cerrno>
#include <map>
#include <mutex>
#include <set>
#include <sys/stat.h>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "emulator/hardware/block_machine.hpp"
#include "emulator/hardware/image_disks.hpp"
#include "emulator/hardware/machine_pause.hpp"
#include "io/file.hpp"
#include "io/random.hpp"

namespace runctl::emulator {
namespace {

namespace fs = std::filesystem;

class BlockMachines final : public Machines {
 public:
  BlockMachines(fs::path state, Clock& clock, Process& process, fs::path program)
      : state_{std::move(state)}, clock_{clock}, process_{process}, program_{std::move(program)} {}
  BlockMachines(const BlockMachines&) = delete;
  BlockMachines& operator=(const BlockMachines&) = delete;
  BlockMachines(BlockMachines&&) = delete;
  BlockMachines& operator=(BlockMachines&&) = delete;
  ~BlockMachines() override {
    for (const auto& [instance, machine] : running_) (void)machine->halt();
  }

  Result<void> boot(const InstanceId& instance) override {
    if (const auto machine = find(instance)) {
      if (machine->is_running()) return {};
      // It ended by itself.
      RUNCTL_TRY(halt(instance, Files::keep));
    }
    const fs::path directory = instance_directory(state_, instance);
    const fs::path nodes = state_ / "nodes";
    for (const fs::path& path : {directory, nodes}) {
      std::error_code error;
      fs::create_directories(path, error);
      if (error) return fail_errno(error.value(), "create", path);
    }
    SystemRandom random;
    RUNCTL_TRY_LET(MachineProcess first,
                   MachineProcess::start(program_, {.instance = directory,
                                                    .state = state_,
                                                    .hostname = instance.str(),
                                                    .boot_id = random_uuid(random)}));
    RUNCTL_TRY(record(directory, first));
    auto machine = std::make_shared<BlockMachine>(BlockMachine::Parts{.instance = instance,
                                                                      .clock = clock_,
                                                                      .process = process_,
                                                                      .program = program_,
                                                                      .nodes = nodes},
                                                  std::move(first));
    const std::lock_guard lock{mutex_};
    running_.insert_or_assign(instance, std::move(machine));
    return {};
  }

  Result<void> halt(const InstanceId& instance, Files files) override {
    const fs::path directory = instance_directory(state_, instance);
    std::error_code error;
    if (const auto machine = find(instance)) {
      RUNCTL_TRY(machine->halt());
      fs::remove(directory / "process", error);
      const std::lock_guard lock{mutex_};
      running_.erase(instance);
    }
    if (files == Files::keep) return {};
    fs::remove_all(directory, error);
    if (error) return fail_errno(error.value(), "remove", directory);
    return {};
  }

  Result<void> cut_power(const InstanceId& instance) override {
    const auto machine = find(instance);
    if (!machine) return {};
    std::set<VolumeId> shared;
    for (const auto& other : all()) {
      if (other == machine) continue;
      for (const VolumeId& volume : other->volumes()) shared.insert(volume);
    }
    RUNCTL_TRY(machine->cut_power(shared));
    return halt(instance, Files::keep);
  }

  Result<std::string> plug(const VolumeId& volume, const InstanceId& instance) override {
    const auto machine = find(instance);
    if (!machine) return fail(Errc::not_found, fmt::format("{} is not running", instance));
    const fs::path image = image_of(state_, volume);
    if (!fs::exists(image)) return fail(Errc::not_found, fmt::format("{} has no image", volume));
    return machine->plug(volume, image);
  }

  Result<Unplugged> unplug(const VolumeId& volume, const InstanceId& instance) override {
    const auto machine = find(instance);
    return machine ? machine->unplug(volume) : Unplugged::done;
  }

  std::shared_ptr<void> hold_still(const VolumeId& volume) override {
    auto held = std::make_shared<std::vector<std::shared_ptr<MachinePause>>>();
    for (const auto& machine : all()) {
      if (machine->volumes().contains(volume)) held->push_back(machine->hold_still());
    }
    return held;
  }

  Result<void> show_size(const VolumeId& volume) override {
    Result<void> shown{};
    for (const auto& machine : all()) {
      if (auto one = machine->show_size(volume); !one) shown = std::move(one);
    }
    return shown;
  }

  Result<MachineOutcome> run(const InstanceId& instance, const MachineCommand& command,
                             const std::stop_token& stop) override {
    const auto machine = find(instance);
    if (!machine) return fail(Errc::not_found, fmt::format("{} is not running", instance));
    return machine->run(command, stop);
  }

 private:
  [[nodiscard]] std::shared_ptr<BlockMachine> find(const InstanceId& instance) {
    const std::lock_guard lock{mutex_};
    const auto known = running_.find(instance);
    return known == running_.end() ? nullptr : known->second;
  }

  std::vector<std::shared_ptr<BlockMachine>> all() {
    const std::lock_guard lock{mutex_};
    std::vector<std::shared_ptr<BlockMachine>> machines;
    machines.reserve(running_.size());
    for (const auto& [instance, machine] : running_) machines.push_back(machine);
    return machines;
  }

  static Result<void> record(const fs::path& directory, const MachineProcess& first) {
    return write_file_atomically(directory / "process",
                                 fmt::format("{} {}\n", first.pid(), first.start_time()));
  }

  fs::path state_;
  Clock& clock_;
  Process& process_;
  fs::path program_;
  std::mutex mutex_;
  std::map<InstanceId, std::shared_ptr<BlockMachine>> running_;
};

}  // namespace

std::unique_ptr<Machines> make_block_machines(fs::path state, Clock& clock, Process& process,
                                              fs::path program) {
  return std::make_unique<BlockMachines>(std::move(state), clock, process, std::move(program));
}

fs::path instance_directory(const fs::path& state, const InstanceId& instance) {
  return state / "instances" / instance.str();
}

}  // namespace runctl::emulator
