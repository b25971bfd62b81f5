#include "emulator/hardware/machine_root.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sched.h>
#include <string_view>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "emulator/hardware/machine_skeleton.hpp"
#include "io/file.hpp"

namespace runctl::emulator {
namespace {

namespace fs = std::filesystem;

// Directories that hosts are known to keep on filesystems of their own; an overlay does not reach
// into them.
constexpr std::array<const char*, 9> maybe_separate{"etc", "home", "nix",       "opt", "root",
                                                    "srv", "usr",  "usr/local", "var"};

// The host's root as seen from the root of the mount namespace: "/" unless this process is in a
// chroot. pivot_root(2) and the choice of mount propagation need a root that is a mount point,
// which a chroot's seldom is. Joining the namespace that we are in already leads to its real root.
// Source: setns(2), mntns_install().
Result<fs::path> leave_chroot() {
  const UniqueFd root{::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)};
  const UniqueFd own{::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC)};
  if (!own.is_open()) return fail_errno(errno, "read", "/proc/self/ns/mnt");
  if (::setns(own.get(), CLONE_NEWNS) != 0) return fail_errno(errno, "enter", "/proc/self/ns/mnt");
  if (::fchdir(root.get()) != 0) return fail_errno(errno, "enter", "/");
  std::error_code error;
  fs::path path = fs::current_path(error);
  if (error) return fail_errno(error.value(), "find", "/");
  return path;
}

// Commas and colons separate in the options of an overlay. Source: the kernel's
// filesystems/overlayfs.rst.
std::string escaped(const fs::path& path) {
  std::string out;
  for (const char c : path.string()) {
    if (c == ',' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

// Layers are given relative to the working directory, which holds them.
Result<void> mount_overlay(const fs::path& lower, const std::string& layer, const fs::path& at) {
  const std::string upper = "upper" + layer;
  const std::string work = "work" + layer;
  for (const std::string& directory : {upper, work}) {
    if (::mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST)
      return fail_errno(errno, "create", directory);
  }
  copy_owner_and_mode(lower, upper);
  const std::string options =
      fmt::format("lowerdir={},upperdir={},workdir={}", escaped(lower), upper, work);
  if (::mount("overlay", at.c_str(), "overlay", 0, options.c_str()) != 0) {
    return fail_errno(errno, "mount an overlay of the host's files at", at);
  }
  return {};
}

Result<void> mount_layers(const fs::path& host, const fs::path& at) {
  hide_keys(host, "upper");
  RUNCTL_TRY(mount_overlay(host, "", at));
  struct stat root{};
  if (::stat(host.c_str(), &root) != 0) return fail_errno(errno, "read", host);
  for (const std::string name : maybe_separate) {
    struct stat status{};
    const fs::path lower = host / name;
    if (::lstat(lower.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) continue;
    if (status.st_dev == root.st_dev) continue;
    std::string layer = "-" + name;
    for (char& c : layer) c = c == '/' ? '-' : c;
    if (name == "root" || name == "home") hide_keys_below(name, host, "upper" + layer);
    RUNCTL_TRY(mount_overlay(lower, layer, at / name));
  }
  return {};
}

// Leaves the layers' directory as working directory, the overlay mounted on "root" in it.
Result<Upper> mount_machine_root(const fs::path& host, const fs::path& instance) {
  if (::chdir(instance.c_str()) != 0) return fail_errno(errno, "enter", instance);
  if (::mkdir("root", 0755) != 0 && errno != EEXIST)
    return fail_errno(errno, "create", instance / "root");
  if (const auto mounted = mount_layers(host, "root")) return Upper::on_disk;
  // What was mounted before the failure lies below, and goes with this namespace.
  if (::mount("tmpfs", "root", "tmpfs", MS_NOSUID, "mode=755") != 0) {
    return fail_errno(errno, "mount a tmpfs at", instance / "root");
  }
  if (::chdir("root") != 0 || ::mkdir("root", 0755) != 0)
    return fail_errno(errno, "create", "root");
  RUNCTL_TRY(mount_layers(host, "root"));
  return Upper::in_memory;
}

// Makes the working directory the root, and drops all that was mounted outside of it: a host that
// unmounts a disk must not find it held by a machine.
Result<void> become_root() {
  if (::syscall(SYS_pivot_root, ".", ".") == 0) {
    if (::umount2(".", MNT_DETACH) != 0) return fail_errno(errno, "drop the mounts of", "the host");
    if (::chdir("/") != 0) return fail_errno(errno, "enter", "/");
    return {};
  }
  // The kernel's initial root filesystem cannot be pivoted away from; it can be covered.
  if (::mount(".", "/", nullptr, MS_MOVE, nullptr) != 0 || ::chroot(".") != 0 ||
      ::chdir("/") != 0) {
    return fail_errno(errno, "change to", "the machine's root");
  }
  return {};
}

}  // namespace

Result<Upper> enter_machine_root(const RootPlan& plan) {
  // Read while links in /etc still lead where the host means them to.
  const std::string resolver = read_file("/etc/resolv.conf").value_or("");
  RUNCTL_TRY_LET(const fs::path host, leave_chroot());
  // Unmounting on the host reaches us, nothing of ours reaches the host.
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) {
    return fail_errno(errno, "separate the mounts of", "the machine");
  }
  RUNCTL_TRY_LET(const Upper upper, mount_machine_root(host, host / plan.instance.relative_path()));
  if (::chdir("root") != 0) return fail_errno(errno, "enter", "root");
  RUNCTL_TRY(furnish_machine({.host = host,
                              .state = plan.state,
                              .hostname = plan.hostname,
                              .boot_id = plan.boot_id,
                              .resolver = resolver}));
  RUNCTL_TRY(become_root());
  if (::sethostname(plan.hostname.data(), plan.hostname.size()) != 0) {
    return fail_errno(errno, "set the name", plan.hostname);
  }
  return upper;
}

}  // namespace runctl::emulator
