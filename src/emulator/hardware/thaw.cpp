#include "emulator/hardware/thaw.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <set>
#include <string>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "emulator/hardware/mount_table.hpp"
#include "emulator/hardware/process_table.hpp"
#include "io/file.hpp"

namespace runctl::emulator {

void thaw_disks_of_all_processes() {
  constexpr unsigned loop_major = 7;
  std::set<dev_t> done;
  for (const pid_t pid : all_processes()) {
    const std::string process = std::to_string(pid);
    const auto mounts = mounts_of(process);
    if (!mounts) continue;
    for (const MountEntry& mount : *mounts) {
      if (major(mount.device) != loop_major || done.contains(mount.device)) continue;
      const std::string path = "/proc/" + process + "/root" + mount.point.string();
      const UniqueFd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
      struct stat status{};
      // Something else may be mounted over it.
      if (!fd.is_open() || ::fstat(fd.get(), &status) != 0 || status.st_dev != mount.device)
        continue;
      (void)::ioctl(fd.get(), FITHAW, 0);
      done.insert(mount.device);
    }
  }
}

}  // namespace runctl::emulator
