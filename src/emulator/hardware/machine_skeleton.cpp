#include "emulator/hardware/machine_skeleton.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <string_view>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "io/file.hpp"

namespace runctl::emulator {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 9> keys{".aws",   ".ssh",           ".gnupg",
                                          ".netrc", ".docker",        ".kube",
                                          ".azure", ".config/runctl", ".config/gcloud"};

Result<void> mount_new(const char* kind, const fs::path& at, unsigned long flags,
                       const char* options) {
  if (::mkdir(at.c_str(), 0755) != 0 && errno != EEXIST) return fail_errno(errno, "create", at);
  if (::mount(kind, at.c_str(), kind, flags, options) != 0) {
    return fail_errno(errno, fmt::format("mount {} at", kind), at);
  }
  return {};
}

Result<void> put(const fs::path& path, std::string_view text) {
  const UniqueFd fd{
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644)};
  if (!fd.is_open()) return fail_errno(errno, "create", path);
  if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return fail_errno(errno, "write", path);
  }
  return {};
}

// A file that says `text`, in place of the one at `at`, which is the kernel's and cannot be
// written.
Result<void> cover(const fs::path& at, std::string_view text) {
  const fs::path temporary = "run/.cover";
  RUNCTL_TRY(put(temporary, text));
  const int mounted = ::mount(temporary.c_str(), at.c_str(), nullptr, MS_BIND, nullptr);
  const int error = errno;
  ::unlink(temporary.c_str());
  if (mounted != 0) return fail_errno(error, "replace", at);
  return {};
}

struct DeviceFile {
  const char* name;
  unsigned major;
  unsigned minor;
};

Result<void> make_dev() {
  RUNCTL_TRY(mount_new("tmpfs", "dev", MS_NOSUID, "mode=755,size=16m"));
  constexpr std::array<DeviceFile, 6> files{{{"null", 1, 3},
                                             {"zero", 1, 5},
                                             {"full", 1, 7},
                                             {"random", 1, 8},
                                             {"urandom", 1, 9},
                                             {"tty", 5, 0}}};
  for (const DeviceFile& file : files) {
    const fs::path path = fs::path{"dev"} / file.name;
    if (::mknod(path.c_str(), S_IFCHR | 0666, makedev(file.major, file.minor)) != 0) {
      return fail_errno(errno, "create device file", path);
    }
  }
  using Link = std::pair<const char*, const char*>;
  constexpr std::array<Link, 5> links{{{"fd", "/proc/self/fd"},
                                       {"stdin", "/proc/self/fd/0"},
                                       {"stdout", "/proc/self/fd/1"},
                                       {"stderr", "/proc/self/fd/2"},
                                       {"ptmx", "pts/ptmx"}}};
  for (const auto& [name, target] : links) {
    const fs::path path = fs::path{"dev"} / name;
    if (::symlink(target, path.c_str()) != 0) return fail_errno(errno, "create", path);
  }
  RUNCTL_TRY(mount_new("devpts", "dev/pts", MS_NOSUID | MS_NOEXEC,
                       "newinstance,ptmxmode=0666,mode=620,gid=5"));
  return mount_new("tmpfs", "dev/shm", MS_NOSUID | MS_NODEV, "mode=1777");
}

// A /sys that tells of the machine's own disks and of nothing else but processors and memory, which
// programs look up there to size their thread pools.
Result<void> make_sys(const fs::path& host) {
  RUNCTL_TRY(mount_new("tmpfs", "sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=755,size=16m"));
  std::error_code error;
  for (const char* name : {"block", "class/block", "dev/block", "devices/system", "fs"}) {
    fs::create_directories(fs::path{"sys"} / name, error);
    if (error) return fail_errno(error.value(), "create", fs::path{"sys"} / name);
  }
  const fs::path system = host / "sys/devices/system";
  if (::mount(system.c_str(), "sys/devices/system", nullptr, MS_BIND, nullptr) == 0) {
    (void)::mount(nullptr, "sys/devices/system", nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY,
                  nullptr);
  }
  return {};
}

Result<void> make_proc(const std::string& boot_id) {
  RUNCTL_TRY(mount_new("proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr));
  // The kernel is the host's, and one letter written here halts it.
  (void)::mount("dev/null", "proc/sysrq-trigger", nullptr, MS_BIND, nullptr);
  return cover("proc/sys/kernel/random/boot_id", boot_id + "\n");
}

// Not kept as the host has it: it may be a link into the host's /run.
Result<void> make_etc(const Furniture& furniture) {
  if (!fs::is_directory("etc")) return {};
  for (const auto& [name, text] :
       {std::pair{"etc/hostname", furniture.hostname + "\n"},
        std::pair{"etc/hosts", fmt::format("127.0.0.1 localhost\n::1 localhost\n127.0.1.1 {}\n",
                                           furniture.hostname)},
        std::pair{"etc/resolv.conf", furniture.resolver}}) {
    if (read_file(name).value_or("") == text) continue;
    if (::unlink(name) != 0 && errno != ENOENT) return fail_errno(errno, "replace", name);
    RUNCTL_TRY(put(name, text));
  }
  return {};
}

// Another machine's images are not this one's to see.
Result<void> hide_state(const fs::path& state) {
  const fs::path inside = state.relative_path();
  if (!fs::is_directory(inside)) return {};
  return mount_new("tmpfs", inside, MS_NOSUID | MS_NODEV | MS_RDONLY, "mode=000,size=4k");
}

// Makes the directories above `path` in the layer, like the host's: what the upper layer says of a
// directory wins.
bool make_parents(const fs::path& host, const fs::path& upper, const fs::path& path) {
  fs::path so_far;
  for (const fs::path& part : path.parent_path()) {
    so_far /= part;
    const fs::path target = upper / so_far;
    if (::mkdir(target.c_str(), 0700) == 0) {
      copy_owner_and_mode(host / so_far, target);
    } else if (errno != EEXIST) {
      return false;
    }
  }
  return true;
}

// Source: the kernel's filesystems/overlayfs.rst, "whiteouts and opaque directories".
void white_out(const fs::path& host, const fs::path& upper, const fs::path& path) {
  struct stat status{};
  if (::lstat((host / path).c_str(), &status) != 0) return;
  if (::lstat((upper / path).c_str(), &status) == 0) return;  // the machine has one of its own
  if (make_parents(host, upper, path)) (void)::mknod((upper / path).c_str(), S_IFCHR, 0);
}

std::vector<fs::path> homes_of(const fs::path& host) {
  std::vector<fs::path> homes{"root"};
  std::error_code error;
  for (fs::directory_iterator entry{host / "home", error}, end; !error && entry != end;
       entry.increment(error)) {
    homes.push_back(fs::path{"home"} / entry->path().filename());
  }
  return homes;
}

}  // namespace

Result<void> furnish_machine(const Furniture& furniture) {
  ::umask(0);
  RUNCTL_TRY(make_dev());
  RUNCTL_TRY(make_sys(furniture.host));
  RUNCTL_TRY(mount_new("tmpfs", "run", MS_NOSUID | MS_NODEV, "mode=755"));
  RUNCTL_TRY(mount_new("tmpfs", "tmp", MS_NOSUID | MS_NODEV, "mode=1777"));
  RUNCTL_TRY(make_proc(furniture.boot_id));
  (void)::mkdir("run/lock", 01777);
  (void)::mkdir("run/commands", 0700);
  RUNCTL_TRY(make_etc(furniture));
  RUNCTL_TRY(hide_state(furniture.state));
  ::umask(022);
  return {};
}

void hide_keys(const fs::path& host, const fs::path& upper) {
  ::mkdir(upper.c_str(), 0755);
  for (const fs::path& home : homes_of(host)) {
    for (const char* key : keys) white_out(host, upper, home / key);
  }
}

void hide_keys_below(const fs::path& start, const fs::path& host, const fs::path& upper) {
  ::mkdir(upper.c_str(), 0755);
  for (const fs::path& home : homes_of(host)) {
    const fs::path inside = home.lexically_relative(start);
    if (inside.empty() || *inside.begin() == "..") continue;
    for (const char* key : keys) white_out(host / start, upper, (inside / key).lexically_normal());
  }
}

void copy_owner_and_mode(const fs::path& from, const fs::path& to) {
  struct stat status{};
  if (::stat(from.c_str(), &status) != 0) return;
  if (::chown(to.c_str(), status.st_uid, status.st_gid) != 0) return;
  (void)::chmod(to.c_str(), status.st_mode & 07777);
}

}  // namespace runctl::emulator
