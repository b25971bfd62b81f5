#include "emulator/hardware/process_table.hpp"

#include <algorithm>
#include <charconv>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

#include "base/text.hpp"

namespace runctl::emulator {
namespace {

namespace fs = std::filesystem;

fs::path folder_of(pid_t pid) { return fs::path{"/proc"} / std::to_string(pid); }

// Calls `see` with the links in `folder` until it says true.
bool any_link(const fs::path& folder, const std::function<bool(const fs::path&)>& see) {
  std::error_code error;
  for (fs::directory_iterator entry{folder, error}, end; !error && entry != end;
       entry.increment(error)) {
    if (see(entry->path())) return true;
  }
  return false;
}

bool is_device(const fs::path& path, dev_t number) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISBLK(status.st_mode) && status.st_rdev == number;
}

bool is_below(const fs::path& link, const std::string& directory) {
  std::error_code error;
  const std::string target = fs::read_symlink(link, error);
  if (error) return false;
  return target == directory || target.starts_with(directory + "/");
}

}  // namespace

std::vector<pid_t> all_processes() {
  std::vector<pid_t> found;
  any_link("/proc", [&](const fs::path& path) {
    const std::string name = path.filename();
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc{} && end == name.data() + name.size()) found.push_back(pid);
    return false;
  });
  return found;
}

ino_t process_namespace(pid_t pid) {
  struct stat status{};
  return ::stat((folder_of(pid) / "ns/pid").c_str(), &status) == 0 ? status.st_ino : 0;
}

bool is_in_namespace(pid_t pid, ino_t wanted) {
  UniqueFd fd{::open((folder_of(pid) / "ns/pid").c_str(), O_RDONLY | O_CLOEXEC)};
  while (fd.is_open()) {
    struct stat status{};
    if (::fstat(fd.get(), &status) != 0) return false;
    if (status.st_ino == wanted) return true;
    // Refused (EPERM) above our own namespace.
    fd = UniqueFd{::ioctl(fd.get(), NS_GET_PARENT)};
  }
  return false;
}

bool uses_device(pid_t pid, dev_t number) {
  const auto is_it = [&](const fs::path& path) { return is_device(path, number); };
  return any_link(folder_of(pid) / "fd", is_it) || any_link(folder_of(pid) / "map_files", is_it);
}

bool uses_directory(pid_t pid, const fs::path& directory) {
  const std::string below = directory.string();
  const auto is_it = [&](const fs::path& link) { return is_below(link, below); };
  return is_it(folder_of(pid) / "cwd") || is_it(folder_of(pid) / "root") ||
         any_link(folder_of(pid) / "fd", is_it) || any_link(folder_of(pid) / "map_files", is_it);
}

std::optional<std::string> started_with(pid_t pid, std::string_view name) {
  const auto environment = read_file(folder_of(pid) / "environ", std::uint64_t{4} << 20U);
  if (!environment) return {};
  for (const std::string_view variable : split(*environment, '\0')) {
    if (variable.size() > name.size() && variable.starts_with(name) &&
        variable[name.size()] == '=') {
      return std::string{variable.substr(name.size() + 1)};
    }
  }
  return {};
}

bool is_at_rest(pid_t pid) {
  const auto status = read_file(folder_of(pid) / "stat");
  if (!status) return true;
  // The name, in parentheses, may have anything in it.
  const auto name_end = status->rfind(')');
  if (name_end == std::string::npos || name_end + 2 >= status->size()) return true;
  return std::string_view{"TtZX"}.contains((*status)[name_end + 2]);
}

std::size_t kill_all(const std::function<bool(pid_t)>& which) {
  constexpr int rounds = 20;
  std::size_t hit = 0;
  for (int round = 0; round < rounds; ++round) {
    std::vector<UniqueFd> dying;
    for (const pid_t pid : all_processes()) {
      // The descriptor names one process: a later one of the same number is not hit.
      UniqueFd process{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
      if (!process.is_open() || !which(pid)) continue;
      if (::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0) != 0) continue;
      dying.push_back(std::move(process));
    }
    if (dying.empty()) break;
    hit += dying.size();
    for (const UniqueFd& process : dying) {
      pollfd polled{.fd = process.get(), .events = POLLIN, .revents = 0};
      ::poll(&polled, 1, 1000);
    }
  }
  return hit;
}

}  // namespace runctl::emulator
