#include <charconv>
#include <ranges>
#include <signal.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

#include "base/text.hpp"
#include "emulator/hardware/directory_machines.hpp"
#include "emulator/hardware/loop_device.hpp"
#include "emulator/hardware/make_hardware.hpp"
#include "emulator/hardware/mount_table.hpp"
#include "emulator/hardware/process_table.hpp"
#include "emulator/hardware/tree_copy.hpp"
#include "io/detached_process.hpp"
#include "io/file.hpp"

namespace runctl::emulator {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> entries_of(const fs::path& directory) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator entry{directory, error}, end; !error && entry != end;
       entry.increment(error)) {
    found.push_back(entry->path());
  }
  return found;
}

// Whether the recorded process was still there. Its number alone is no proof: it may be another's
// by now.
bool end_recorded_process(const fs::path& record) {
  const std::string text = read_file(record).value_or("");
  const auto words = split(trim(text), ' ');
  pid_t pid = 0;
  std::uint64_t start = 0;
  if (words.size() != 2) return false;
  std::from_chars(words[0].begin(), words[0].end(), pid);
  std::from_chars(words[1].begin(), words[1].end(), start);
  if (pid <= 1) return false;
  return kill_all([&](pid_t each) { return each == pid && process_start(each) == start; }) > 0;
}

void end_machines(const fs::path& state, std::vector<std::string>& done) {
  for (const fs::path& directory : entries_of(state / "instances")) {
    const std::string name = directory.filename();
    if (end_recorded_process(directory / "process"))
      done.push_back(fmt::format("ended machine {}", name));
    std::error_code ignored;
    fs::remove(directory / "process", ignored);
    if (!fs::is_directory(directory / "mounts", ignored)) continue;
    if (const std::size_t ended = clear_directory_machine(directory); ended > 0) {
      done.push_back(fmt::format("ended {} processes of {}", ended, name));
    }
  }
}

void remove_mounts(const fs::path& state, std::vector<std::string>& done) {
  const auto mounts = mounts_of("self");
  if (!mounts) return;
  const std::string below = state.string() + "/";
  // The last mounted first.
  for (const auto& mount : std::views::reverse(*mounts)) {
    if (!mount.point.string().starts_with(below)) continue;
    if (::umount2(mount.point.c_str(), MNT_DETACH) == 0) {
      done.push_back(fmt::format("unmounted {}", mount.point.string()));
    }
  }
}

void remove_half_images(const fs::path& state, std::vector<std::string>& done) {
  for (const char* kind : {"volumes", "snapshots"}) {
    for (const fs::path& path : entries_of(state / kind)) {
      if (path.extension() == ".tmp" && remove_tree(path)) {
        done.push_back(fmt::format("removed half-made {}", path.filename().string()));
      }
    }
  }
  for (const fs::path& path : entries_of(state)) {
    if (path.filename().string().starts_with(".trial-")) (void)remove_tree(path);
  }
}

}  // namespace

std::vector<std::string> clean_up_after_crash(const fs::path& given) {
  std::vector<std::string> done;
  std::error_code error;
  const fs::path state = fs::canonical(given, error);
  if (error) return done;
  end_machines(state, done);
  for (const char* kind : {"volumes", "snapshots"}) {
    for (const std::string& name : detach_loops_of(state / kind, state / "nodes")) {
      done.push_back(fmt::format("detached {}", name));
    }
  }
  remove_mounts(state, done);
  remove_half_images(state, done);
  return done;
}

}  // namespace runctl::emulator
