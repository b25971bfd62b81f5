#include "emulator/hardware/machine_devices.hpp"

#include <cerrno>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string_view>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"
#include "io/file.hpp"

namespace runctl::emulator {
namespace {

constexpr int directory_flags = O_PATH | O_DIRECTORY | O_CLOEXEC;

// The machine's files are the machine's: a link in them must not lead our writes to the host's.
UniqueFd open_directory(int root, const std::string& path) {
  open_how how{};
  how.flags = directory_flags;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  return UniqueFd{static_cast<int>(::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how))};
}

// Opens `path` (relative, below the machine's root), making what is missing of it.
Result<UniqueFd> make_directory(int root, const std::string& path) {
  std::string so_far;
  UniqueFd directory = open_directory(root, ".");
  for (const std::string_view part : split(path, '/')) {
    so_far += so_far.empty() ? std::string{part} : fmt::format("/{}", part);
    if (::mkdirat(directory.get(), std::string{part}.c_str(), 0755) != 0 && errno != EEXIST) {
      return fail_errno(errno, "create in the machine", so_far);
    }
    directory = open_directory(root, so_far);
    if (!directory.is_open()) return fail_errno(errno, "open in the machine", so_far);
  }
  return directory;
}

Result<void> put(int directory, const std::string& name, std::string_view text) {
  const UniqueFd fd{::openat(directory, name.c_str(),
                             O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0444)};
  const std::string line = fmt::format("{}\n", text);
  if (!fd.is_open() || ::write(fd.get(), line.data(), line.size()) < 0) {
    return fail_errno(errno, "create in the machine", name);
  }
  return {};
}

Result<void> link(int directory, const std::string& target, const std::string& name) {
  ::unlinkat(directory, name.c_str(), 0);
  if (::symlinkat(target.c_str(), directory, name.c_str()) == 0) return {};
  return fail_errno(errno, "create in the machine", name);
}

std::string serial_of(const VolumeId& volume) {
  return "vol" + volume.str().substr(VolumeIdKind::prefix.size());
}

std::string number_text(dev_t number) { return fmt::format("{}:{}", major(number), minor(number)); }

std::string by_id_name(const DeviceEntry& device) {
  return "nvme-Amazon_Elastic_Block_Store_" + serial_of(device.volume);
}

std::string sectors_text(const DeviceEntry& device) {
  constexpr std::uint64_t sector = 512;  // the unit of `size`, whatever the device's own is
  return std::to_string(device.bytes / sector);
}

struct SysFile {
  const char* folder;  // below the device's
  const char* name;
  std::string text;
};

std::vector<SysFile> sys_files(const DeviceEntry& device) {
  return {{"", "dev", number_text(device.number)},
          {"", "size", sectors_text(device)},
          {"", "ro", "0"},
          {"", "removable", "0"},
          {"", "range", "0"},
          {"", "uevent",
           fmt::format("MAJOR={}\nMINOR={}\nDEVNAME={}\nDEVTYPE=disk", major(device.number),
                       minor(device.number), device_name(device))},
          {"/device", "serial", serial_of(device.volume)},
          {"/device", "model", "Amazon Elastic Block Store"},
          {"/device", "transport", "pcie"},
          {"/queue", "logical_block_size", "512"},
          {"/queue", "physical_block_size", "512"},
          {"/queue", "rotational", "0"},
          {"/holders", "", ""},
          {"/slaves", "", ""}};
}

Result<void> show_in_sys(int root, const DeviceEntry& device) {
  const std::string name = device_name(device);
  for (const SysFile& file : sys_files(device)) {
    RUNCTL_TRY_LET(const UniqueFd folder, make_directory(root, "sys/block/" + name + file.folder));
    if (*file.name != '\0') RUNCTL_TRY(put(folder.get(), file.name, file.text));
  }
  RUNCTL_TRY_LET(const UniqueFd by_number, make_directory(root, "sys/dev/block"));
  RUNCTL_TRY(link(by_number.get(), "../../block/" + name, number_text(device.number)));
  RUNCTL_TRY_LET(const UniqueFd by_class, make_directory(root, "sys/class/block"));
  return link(by_class.get(), "../../block/" + name, name);
}

Result<UniqueFd> open_root(pid_t pid) {
  const std::string path = fmt::format("/proc/{}/root", pid);
  UniqueFd root{::open(path.c_str(), directory_flags)};
  if (!root.is_open()) return fail_errno(errno, "enter", path);
  return root;
}

void remove(int root, const std::string& folder, const std::string& name, int flags = 0) {
  const UniqueFd directory = open_directory(root, folder);
  if (directory.is_open()) ::unlinkat(directory.get(), name.c_str(), flags);
}

}  // namespace

std::string device_name(const DeviceEntry& device) {
  return fmt::format("nvme{}n1", device.controller);
}

Result<void> show_device(pid_t pid, const DeviceEntry& device) {
  RUNCTL_TRY_LET(const UniqueFd root, open_root(pid));
  // In the order of the real thing: the kernel's entries, the device file, udev's link.
  RUNCTL_TRY(show_in_sys(root.get(), device));
  const std::string name = device_name(device);
  RUNCTL_TRY_LET(const UniqueFd dev, make_directory(root.get(), "dev"));
  ::unlinkat(dev.get(), name.c_str(), 0);
  if (::mknodat(dev.get(), name.c_str(), S_IFBLK | 0660, device.number) != 0) {
    return fail_errno(errno, "create in the machine", "dev/" + name);
  }
  RUNCTL_TRY_LET(const UniqueFd by_id, make_directory(root.get(), "dev/disk/by-id"));
  return link(by_id.get(), "../../" + name, by_id_name(device));
}

Result<void> show_device_size(pid_t pid, const DeviceEntry& device) {
  RUNCTL_TRY_LET(const UniqueFd root, open_root(pid));
  const UniqueFd folder = open_directory(root.get(), "sys/block/" + device_name(device));
  if (!folder.is_open()) return {};
  return put(folder.get(), "size", sectors_text(device));
}

void hide_device(pid_t pid, const DeviceEntry& device) {
  const auto root = open_root(pid);
  if (!root) return;
  const std::string name = device_name(device);
  remove(root->get(), "dev/disk/by-id", by_id_name(device));
  remove(root->get(), "dev", name);
  remove(root->get(), "sys/class/block", name);
  remove(root->get(), "sys/dev/block", number_text(device.number));
  const auto files = sys_files(device);
  for (const SysFile& file : files) {
    if (*file.name != '\0') remove(root->get(), "sys/block/" + name + file.folder, file.name);
  }
  for (const char* folder : {"device", "queue", "holders", "slaves"}) {
    remove(root->get(), "sys/block/" + name, folder, AT_REMOVEDIR);
  }
  remove(root->get(), "sys/block", name, AT_REMOVEDIR);
}

}  // namespace runctl::emulator
