#include "emulator/hardware/block_machine.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <unistd.h>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "emulator/hardware/command_environment.hpp"
#include "emulator/hardware/command_file.hpp"
#include "emulator/hardware/moment_copy.hpp"
#include "emulator/hardware/process_table.hpp"
#include "io/file.hpp"

namespace runctl::emulator {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds halt_patience{20'000};
constexpr std::chrono::milliseconds unplug_patience{2'000};
constexpr std::chrono::milliseconds poll_interval{2};

// What an image held when the power was cut, under a temporary name, which is removed unless it
// takes the image's place.
class ImageAtCut {
 public:
  static Result<ImageAtCut> take(const fs::path& image, Clock& clock) {
    ImageAtCut taken{image};
    const UniqueFd from{::open(image.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!from.is_open()) return fail_errno(errno, "read", image);
    const UniqueFd to{::open(taken.copy_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
    if (!to.is_open()) return fail_errno(errno, "create", taken.copy_);
    RUNCTL_TRY(copy_moment(from.get(), to.get(), taken.copy_.string(), clock, {}));
    if (::fsync(to.get()) != 0) return fail_errno(errno, "write", taken.copy_);
    return taken;
  }
  ImageAtCut(const ImageAtCut&) = delete;
  ImageAtCut& operator=(const ImageAtCut&) = delete;
  ImageAtCut(ImageAtCut&& other) noexcept
      : image_{std::move(other.image_)}, copy_{std::exchange(other.copy_, {})} {}
  ImageAtCut& operator=(ImageAtCut&&) = delete;
  ~ImageAtCut() {
    if (!copy_.empty()) ::unlink(copy_.c_str());
  }

  Result<void> put_in_place() {
    if (::rename(copy_.c_str(), image_.c_str()) != 0) return fail_errno(errno, "replace", image_);
    copy_.clear();
    return sync_directory(image_.parent_path());
  }

 private:
  // An end that clean_up_after_crash() knows.
  explicit ImageAtCut(const fs::path& image) : image_{image}, copy_{image.string() + ".cut.tmp"} {}
  fs::path image_;
  fs::path copy_;
};

}  // namespace

BlockMachine::BlockMachine(Parts parts, MachineProcess first)
    : parts_{std::move(parts)}, first_{std::move(first)} {}

bool BlockMachine::is_running() const {
  const std::shared_lock alive{life_};
  return first_.is_running();
}

std::unexpected<Error> BlockMachine::not_running() const {
  return fail(Errc::not_found, fmt::format("{} is not running", parts_.instance));
}

Result<BlockMachine::Slot> BlockMachine::make_slot(const VolumeId& volume, const fs::path& image) {
  RUNCTL_TRY_LET(LoopDevice loop, LoopDevice::attach(image, parts_.nodes));
  DeviceEntry entry{.volume = volume, .number = loop.number()};
  RUNCTL_TRY_LET(entry.bytes, loop.bytes());
  const auto taken = [&] {
    return std::ranges::any_of(
        slots_, [&](const auto& slot) { return slot.second.entry.controller == entry.controller; });
  };
  while (taken()) ++entry.controller;
  return Slot{.entry = entry, .loop = std::move(loop), .image = image};
}

Result<std::string> BlockMachine::plug(const VolumeId& volume, const fs::path& image) {
  const std::lock_guard plugging{plugging_};
  const std::shared_lock alive{life_};
  if (!first_.is_running()) return not_running();
  if (const auto known = slots_.find(volume); known != slots_.end()) {
    if (known->second.loop.fd() >= 0) return "/dev/" + device_name(known->second.entry);
    return fail(Errc::conflict, fmt::format("{} is still leaving {}", volume, parts_.instance));
  }
  RUNCTL_TRY_LET(Slot slot, make_slot(volume, image));
  if (auto shown = show_device(first_.pid(), slot.entry); !shown) {
    hide_device(first_.pid(), slot.entry);
    return std::unexpected{std::move(shown).error()};
  }
  std::string path = "/dev/" + device_name(slot.entry);
  slots_.emplace(volume, std::move(slot));
  return path;
}

// A mount shows in the claim, whatever namespace it is in. Processes are looked for one by one,
// because the kernel does not tell how often a device is open, and only among the machine's: the
// host's udev looks into new devices too.
bool BlockMachine::has_users(const LoopDevice& loop) const {
  if (loop.is_claimed()) return true;
  const ino_t machine = process_namespace(first_.pid());
  return std::ranges::any_of(all_processes(), [&](pid_t pid) {
    return is_in_namespace(pid, machine) && uses_device(pid, loop.number());
  });
}

bool BlockMachine::wait_until_gone(const LoopDevice& loop,
                                   std::chrono::milliseconds patience) const {
  const auto deadline = parts_.clock.ticks() + patience;
  while (!loop.is_gone()) {
    if (parts_.clock.ticks() >= deadline) return false;
    (void)parts_.clock.sleep_until(parts_.clock.ticks() + poll_interval, {});
  }
  return true;
}

Result<Unplugged> BlockMachine::unplug(const VolumeId& volume) {
  const std::lock_guard plugging{plugging_};
  const std::shared_lock alive{life_};
  const auto known = slots_.find(volume);
  if (known == slots_.end()) return Unplugged::done;
  Slot& slot = known->second;
  if (slot.loop.fd() >= 0) {
    if (first_.is_running() && has_users(slot.loop)) return Unplugged::busy;
    hide_device(first_.pid(), slot.entry);
    slot.loop.release();
  }
  // Whoever opened it between the look and the release still has it; the next call looks again.
  if (!wait_until_gone(slot.loop, unplug_patience)) return Unplugged::busy;
  slots_.erase(known);
  return Unplugged::done;
}

Result<void> BlockMachine::show_size(const VolumeId& volume) {
  const std::lock_guard plugging{plugging_};
  const std::shared_lock alive{life_};
  const auto known = slots_.find(volume);
  if (known == slots_.end() || known->second.loop.fd() < 0 || !first_.is_running()) return {};
  Slot& slot = known->second;
  RUNCTL_TRY(slot.loop.take_size_of_image());
  RUNCTL_TRY_LET(slot.entry.bytes, slot.loop.bytes());
  return show_device_size(first_.pid(), slot.entry);
}

Result<MachineOutcome> BlockMachine::run(const MachineCommand& command,
                                         const std::stop_token& stop) {
  std::optional<CommandFile> file;
  ProcessSpec spec;
  {
    const std::shared_lock alive{life_};
    if (!first_.is_running()) return not_running();
    const fs::path directory = fmt::format("/proc/{}/root/run/commands", first_.pid());
    RUNCTL_TRY_LET(CommandFile written, CommandFile::write(directory, command.script));
    file.emplace(std::move(written));
    spec = {.argv = {parts_.program.string(), "__machine", "enter", std::to_string(first_.pid()),
                     std::to_string(first_.start_time()), "/run/commands" / file->path().filename(),
                     file->error_path().string()},
            .environment = command_environment("/root", command.environment),
            .output_limit = command.output_limit,
            .on_deadline = OnDeadline::report};
  }
  if (!command.working_directory.empty()) spec.argv.push_back(command.working_directory);
  auto outcome = parts_.process.run(spec, parts_.clock.ticks() + command.timeout, stop);
  const std::shared_lock alive{life_};
  // The file went with the machine, and its path may come to be another's.
  if (!first_.is_running()) file->forget();
  if (!outcome) return std::unexpected{std::move(outcome).error()};
  constexpr int cannot_enter = 255;
  if (outcome->exit_status == cannot_enter) {
    if (!first_.is_running()) return not_running();
    const std::string why = read_file(file->error_path()).value_or("");
    if (!why.empty())
      return fail(Errc::internal, fmt::format("cannot run in {}: {}", parts_.instance, why));
  }
  return MachineOutcome{.exit_status = outcome->timed_out ? std::nullopt : outcome->exit_status,
                        .timed_out = outcome->timed_out,
                        .out = std::move(outcome->out),
                        .err = std::move(outcome->err)};
}

std::set<VolumeId> BlockMachine::volumes() const {
  const std::lock_guard plugging{plugging_};
  std::set<VolumeId> volumes;
  for (const auto& [volume, slot] : slots_) volumes.insert(volume);
  return volumes;
}

std::shared_ptr<MachinePause> BlockMachine::hold_still() const {
  const std::shared_lock alive{life_};
  return first_.is_running() ? std::make_shared<MachinePause>(first_.pid()) : nullptr;
}

Result<void> BlockMachine::cut_power(const std::set<VolumeId>& shared) {
  const std::lock_guard plugging{plugging_};
  const std::unique_lock ending{life_};
  if (!first_.is_running()) return halt_holding_locks();
  // Until the end: what is held still can do no more before it is ended.
  const MachinePause still{first_.pid()};
  std::vector<ImageAtCut> images;
  for (const auto& [volume, slot] : slots_) {
    if (shared.contains(volume)) continue;
    RUNCTL_TRY_LET(ImageAtCut image, ImageAtCut::take(slot.image, parts_.clock));
    images.push_back(std::move(image));
  }
  RUNCTL_TRY(halt_holding_locks());
  for (ImageAtCut& image : images) RUNCTL_TRY(image.put_in_place());
  return {};
}

Result<void> BlockMachine::halt() {
  const std::lock_guard plugging{plugging_};
  const std::unique_lock ending{life_};
  return halt_holding_locks();
}

Result<void> BlockMachine::halt_holding_locks() {
  RUNCTL_TRY(first_.end(halt_patience));
  first_.reap();
  for (auto& [volume, slot] : slots_) slot.loop.release();
  while (!slots_.empty()) {
    const auto slot = slots_.begin();
    if (!wait_until_gone(slot->second.loop, halt_patience)) {
      return fail(Errc::deadline_exceeded,
                  fmt::format("{} of {} is still in use after {} halted",
                              slot->second.loop.node().string(), slot->first, parts_.instance));
    }
    slots_.erase(slot);
  }
  return {};
}

}  // namespace runctl::emulator
