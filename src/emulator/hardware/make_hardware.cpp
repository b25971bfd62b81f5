#include "emulator/hardware/make_hardware.hpp"

#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "emulator/hardware/block_machines.hpp"
#include "emulator/hardware/directory_disks.hpp"
#include "emulator/hardware/directory_machines.hpp"
#include "emulator/hardware/image_disks.hpp"
#include "emulator/hardware/loop_device.hpp"
#include "emulator/hardware/machine_process.hpp"
#include "emulator/hardware/no_hardware.hpp"
#include "io/file.hpp"

namespace runctl::emulator {
namespace {

namespace fs = std::filesystem;

Result<fs::path> prepare(const fs::path& state) {
  std::error_code error;
  fs::create_directories(state, error);
  if (error) return fail_errno(error.value(), "create", state);
  fs::path canonical = fs::canonical(state, error);
  if (error) return fail_errno(error.value(), "find", state);
  return canonical;
}

// A place for the trial that is gone with its owner.
class TrialDirectory {
 public:
  explicit TrialDirectory(const fs::path& state)
      : path_{state / fmt::format(".trial-{}", ::getpid())} {
    std::error_code ignored;
    fs::create_directories(path_, ignored);
  }
  TrialDirectory(const TrialDirectory&) = delete;
  TrialDirectory& operator=(const TrialDirectory&) = delete;
  TrialDirectory(TrialDirectory&&) = delete;
  TrialDirectory& operator=(TrialDirectory&&) = delete;
  ~TrialDirectory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

Result<void> try_loop_device(const fs::path& directory) {
  const fs::path image = directory / "image";
  RUNCTL_TRY(write_file_atomically(image, std::string(std::size_t{1} << 20U, '\0')));
  RUNCTL_TRY(LoopDevice::attach(image, directory));
  return {};
}

Hardware make_block_hardware(const fs::path& state, const HardwareParts& parts) {
  auto machines = make_block_machines(state, parts.clock, parts.process, parts.program);
  // The machines live as long as the disks: both are the Hardware's.
  auto hold_still = [machines = machines.get()](const VolumeId& volume) {
    return machines->hold_still(volume);
  };
  return {.kind = HardwareKind::block,
          .disks = make_image_disks(state, parts.clock, std::move(hold_still)),
          .machines = std::move(machines)};
}

}  // namespace

std::string_view name_of(HardwareKind kind) {
  switch (kind) {
    case HardwareKind::block:
      return "block";
    case HardwareKind::files:
      return "files";
    case HardwareKind::none:
      return "none";
  }
  std::unreachable();
}

Result<Hardware> make_hardware(HardwareKind kind, const HardwareParts& parts) {
  RUNCTL_TRY_LET(const fs::path state, prepare(parts.state));
  switch (kind) {
    case HardwareKind::block:
      return make_block_hardware(state, parts);
    case HardwareKind::files:
      return Hardware{.kind = kind,
                      .disks = make_directory_disks(state),
                      .machines = make_directory_machines(state, parts.clock, parts.process)};
    case HardwareKind::none:
      return Hardware{.kind = kind, .disks = make_no_disks(), .machines = make_no_machines()};
  }
  std::unreachable();
}

Result<void> block_hardware_works(const HardwareParts& parts) {
  if (::geteuid() != 0) {
    return fail(Errc::denied,
                "loop devices and namespaces need root, and this process is not root");
  }
  RUNCTL_TRY_LET(const fs::path state, prepare(parts.state));
  const TrialDirectory trial{state};
  RUNCTL_TRY(try_loop_device(trial.path()));
  RUNCTL_TRY(MachineProcess::start(
      parts.program,
      {.instance = trial.path(), .state = state, .hostname = "trial", .boot_id = "trial"}));
  return {};
}

}  // namespace runctl::emulator
