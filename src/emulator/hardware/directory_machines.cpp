#include "emulator/hardware/directory_machines.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "emulator/hardware/block_machines.hpp"
#include "emulator/hardware/command_environment.hpp"
#include "emulator/hardware/command_file.hpp"
#include "emulator/hardware/directory_disks.hpp"
#include "emulator/hardware/process_table.hpp"
#include "emulator/hardware/tree_copy.hpp"
#include "io/file.hpp"

namespace runctl::emulator {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view marker = "RUNCTL_FILES_ROOT";

// Where the volume's record says that it is mounted, when a link to it is there.
std::optional<fs::path> mount_point_of(const fs::path& machine, const std::string& volume) {
  const auto record = read_file(machine / "mounts" / volume);
  if (!record) return {};
  fs::path link = machine / "root" / fs::path{trim(*record)}.relative_path();
  std::error_code error;
  if (!fs::is_symlink(link, error)) return {};
  return link;
}

void forget_mount(const fs::path& machine, const std::string& volume) {
  std::error_code ignored;
  if (const auto link = mount_point_of(machine, volume)) fs::remove(*link, ignored);
  fs::remove(machine / "mounts" / volume, ignored);
}

// Of this machine, or of nobody that we know: a second machine of a Multi-Attach volume is not our
// business.
bool may_belong_to(pid_t pid, const fs::path& machine) {
  if (pid == ::getpid()) return false;
  const auto owner = started_with(pid, marker);
  return !owner || *owner == machine.string();
}

// What a command that was ended has started, in whatever process group; not what has left its
// session.
void end_session(const fs::path& machine, const fs::path& pid_file) {
  const std::string text = read_file(pid_file).value_or("");
  const std::string_view digits = trim(text);
  pid_t session = 0;
  std::from_chars(digits.begin(), digits.end(), session);
  if (session <= 1) return;
  kill_all([&](pid_t pid) {
    return ::getsid(pid) == session && started_with(pid, marker) == machine.string();
  });
}

class DirectoryMachines final : public Machines {
 public:
  DirectoryMachines(fs::path state, Clock& clock, Process& process)
      : state_{std::move(state)}, clock_{clock}, process_{process} {}
  DirectoryMachines(const DirectoryMachines&) = delete;
  DirectoryMachines& operator=(const DirectoryMachines&) = delete;
  DirectoryMachines(DirectoryMachines&&) = delete;
  DirectoryMachines& operator=(DirectoryMachines&&) = delete;
  ~DirectoryMachines() override {
    for (const auto& [instance, commands] : running_) {
      (void)clear_directory_machine(instance_directory(state_, instance));
    }
  }

  Result<void> boot(const InstanceId& instance) override {
    const std::lock_guard lock{mutex_};
    if (running_.contains(instance)) return {};
    const fs::path machine = instance_directory(state_, instance);
    for (const char* name : {"root", "volumes", "mounts", "home", "commands"}) {
      std::error_code error;
      fs::create_directories(machine / name, error);
      if (error) return fail_errno(error.value(), "create", machine / name);
    }
    (void)clear_directory_machine(machine);
    running_.emplace(instance, 0);
    return {};
  }

  Result<void> halt(const InstanceId& instance, Files files) override {
    const fs::path machine = instance_directory(state_, instance);
    {
      const std::lock_guard lock{mutex_};
      stopping_.insert(instance);
    }
    // A command that starts just now has the machine's environment only a moment later.
    do {
      (void)clear_directory_machine(machine);
      (void)clock_.sleep_until(clock_.ticks() + std::chrono::milliseconds{1}, {});
    } while (commands_of(instance) > 0);
    const std::lock_guard lock{mutex_};
    running_.erase(instance);
    stopping_.erase(instance);
    return files == Files::forget ? remove_tree(machine) : Result<void>{};
  }

  Result<void> cut_power(const InstanceId& instance) override {
    return halt(instance, Files::keep);
  }

  Result<std::string> plug(const VolumeId& volume, const InstanceId& instance) override {
    const std::lock_guard lock{mutex_};
    if (!running_.contains(instance)) return not_running(instance);
    const fs::path directory = directory_of(state_, volume);
    std::error_code error;
    if (!fs::is_directory(directory, error)) return fail_errno(ENOENT, "read", directory);
    const fs::path link = instance_directory(state_, instance) / "volumes" / volume.str();
    if (fs::is_symlink(link, error)) return link.string();
    fs::create_directory_symlink(directory, link, error);
    if (error) return fail_errno(error.value(), "create", link);
    return link.string();
  }

  Result<Unplugged> unplug(const VolumeId& volume, const InstanceId& instance) override {
    const fs::path machine = instance_directory(state_, instance);
    const fs::path link = machine / "volumes" / volume.str();
    std::error_code error;
    if (!fs::is_symlink(link, error)) return Unplugged::done;
    if (mount_point_of(machine, volume.str())) return Unplugged::busy;
    const fs::path directory = directory_of(state_, volume);
    const bool used = std::ranges::any_of(all_processes(), [&](pid_t pid) {
      return may_belong_to(pid, machine) && uses_directory(pid, directory);
    });
    if (used) return Unplugged::busy;
    forget_mount(machine, volume.str());
    fs::remove(link, error);
    if (error) return fail_errno(error.value(), "remove", link);
    return Unplugged::done;
  }

  std::shared_ptr<void> hold_still(const VolumeId&) override { return {}; }

  Result<void> show_size(const VolumeId&) override { return {}; }

  Result<MachineOutcome> run(const InstanceId& instance, const MachineCommand& command,
                             const std::stop_token& stop) override {
    RUNCTL_TRY(begin(instance));
    auto outcome = run_in(instance_directory(state_, instance), command, stop);
    const std::lock_guard lock{mutex_};
    --running_.at(instance);
    return outcome;
  }

 private:
  static std::unexpected<Error> not_running(const InstanceId& instance) {
    return fail(Errc::not_found, fmt::format("{} is not running", instance));
  }

  Result<void> begin(const InstanceId& instance) {
    const std::lock_guard lock{mutex_};
    const auto known = running_.find(instance);
    if (known == running_.end() || stopping_.contains(instance)) return not_running(instance);
    ++known->second;
    return {};
  }

  int commands_of(const InstanceId& instance) {
    const std::lock_guard lock{mutex_};
    const auto known = running_.find(instance);
    return known == running_.end() ? 0 : known->second;
  }

  Result<MachineOutcome> run_in(const fs::path& machine, const MachineCommand& command,
                                const std::stop_token& stop) {
    RUNCTL_TRY_LET(const CommandFile file,
                   CommandFile::write(machine / "commands", command.script));
    ProcessSpec spec{
        .argv = {"/bin/sh", "-c", R"(echo "$$" >"$3" && cd -- "$1" && exec /bin/sh "$2")", "sh",
                 machine / "root" / fs::path{command.working_directory}.relative_path(),
                 file.path(), file.pid_path()},
        .environment = command_environment((machine / "home").string(), command.environment),
        .output_limit = command.output_limit,
        .on_deadline = OnDeadline::report};
    spec.environment.push_back(fmt::format("{}={}", marker, machine.string()));
    auto outcome = process_.run(spec, clock_.ticks() + command.timeout, stop);
    if (!outcome || outcome->timed_out) end_session(machine, file.pid_path());
    RUNCTL_TRY_LET(ProcessOutcome ended, std::move(outcome));
    return MachineOutcome{.exit_status = ended.timed_out ? std::nullopt : ended.exit_status,
                          .timed_out = ended.timed_out,
                          .out = std::move(ended.out),
                          .err = std::move(ended.err)};
  }

  fs::path state_;
  Clock& clock_;
  Process& process_;
  std::mutex mutex_;
  std::map<InstanceId, int> running_;  // with the number of commands under way
  std::set<InstanceId> stopping_;
};

}  // namespace

std::unique_ptr<Machines> make_directory_machines(fs::path state, Clock& clock, Process& process) {
  return std::make_unique<DirectoryMachines>(std::move(state), clock, process);
}

std::size_t clear_directory_machine(const fs::path& directory) {
  const std::size_t ended = kill_all([&](pid_t pid) {
    return pid != ::getpid() && started_with(pid, marker) == directory.string();
  });
  std::error_code ignored;
  for (fs::directory_iterator entry{directory / "mounts", ignored}, end; !ignored && entry != end;
       entry.increment(ignored)) {
    forget_mount(directory, entry->path().filename());
  }
  for (const char* name : {"volumes", "commands"}) {
    for (fs::directory_iterator entry{directory / name, ignored}, end; !ignored && entry != end;
         entry.increment(ignored)) {
      std::error_code error;
      fs::remove(entry->path(), error);
    }
  }
  return ended;
}

}  // namespace runctl::emulator
