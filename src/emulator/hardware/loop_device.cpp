#include "emulator/hardware/loop_device.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <optional>
#include <set>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace runctl::emulator {
namespace {

namespace fs = std::filesystem;

constexpr unsigned loop_major = 7;
constexpr unsigned misc_major = 10;
constexpr unsigned loop_control_minor = 237;

// Of a number that another process takes between our asking and our using it, we ask for the next.
constexpr int attempts = 64;

// The device file in the host's /dev, or one of our own where the host has none (chroots, sparse
// containers).
Result<fs::path> device_file(const std::string& name, mode_t kind, dev_t number,
                             const fs::path& nodes) {
  fs::path host = fs::path{"/dev"} / name;
  struct stat status{};
  if (::stat(host.c_str(), &status) == 0 && (status.st_mode & S_IFMT) == kind &&
      status.st_rdev == number) {
    return host;
  }
  fs::path own = nodes / name;
  if (::mknod(own.c_str(), kind | 0600, number) != 0 && errno != EEXIST) {
    return fail_errno(errno, "create device file", own);
  }
  return own;
}

Result<UniqueFd> open_loop_control(const fs::path& nodes) {
  RUNCTL_TRY_LET(const fs::path path, device_file("loop-control", S_IFCHR,
                                                  makedev(misc_major, loop_control_minor), nodes));
  UniqueFd fd{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
  if (!fd.is_open()) return fail_errno(errno, "use loop devices through", path);
  return fd;
}

std::optional<loop_info64> status_of(int fd) {
  loop_info64 info{};
  if (::ioctl(fd, LOOP_GET_STATUS64, &info) != 0) return {};
  return info;
}

Result<void> configure(int loop, int image, const fs::path& path) {
  loop_config config{};
  config.fd = static_cast<__u32>(image);
  // Direct I/O keeps the image out of this machine's page cache; the kernel drops the wish where
  // the disk under the image cannot.
  config.info.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO;
  std::strncpy(reinterpret_cast<char*>(config.info.lo_file_name), path.c_str(), LO_NAME_SIZE - 1);
  if (::ioctl(loop, LOOP_CONFIGURE, &config) != 0)
    return fail_errno(errno, "make a loop device of", path);
  return {};
}

struct FileKey {
  dev_t device = 0;
  ino_t inode = 0;
  auto operator<=>(const FileKey&) const = default;
};

std::set<FileKey> files_in(const fs::path& directory) {
  std::set<FileKey> found;
  std::error_code error;
  for (fs::directory_iterator entry{directory, error}, end; !error && entry != end;
       entry.increment(error)) {
    struct stat status{};
    if (::stat(entry->path().c_str(), &status) == 0) found.insert({status.st_dev, status.st_ino});
  }
  return found;
}

}  // namespace

Result<LoopDevice> LoopDevice::attach(const fs::path& image, const fs::path& nodes) {
  const UniqueFd file{::open(image.c_str(), O_RDWR | O_CLOEXEC)};
  if (!file.is_open()) return fail_errno(errno, "open", image);
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return fail_errno(errno, "read", image);
  RUNCTL_TRY_LET(const UniqueFd control, open_loop_control(nodes));
  for (int attempt = 0; attempt < attempts; ++attempt) {
    const int free = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
    if (free < 0) return fail_errno(errno, "find a free loop device for", image);
    LoopDevice device;
    device.number_ = makedev(loop_major, static_cast<unsigned>(free));
    device.image_device_ = status.st_dev;
    device.image_inode_ = status.st_ino;
    RUNCTL_TRY_LET(device.node_,
                   device_file(fmt::format("loop{}", free), S_IFBLK, device.number_, nodes));
    device.fd_ = UniqueFd{::open(device.node_.c_str(), O_RDWR | O_CLOEXEC)};
    if (!device.fd_.is_open() && (errno == ENXIO || errno == ENOENT)) continue;
    if (!device.fd_.is_open()) return fail_errno(errno, "open", device.node_);
    if (const auto configured = configure(device.fd(), file.get(), image); !configured) {
      if (configured.error().code == Errc::conflict) continue;
      return std::unexpected{configured.error()};
    }
    // A former user's read-only mark sticks to the number.
    const int writable = 0;
    if (::ioctl(device.fd(), BLKROSET, &writable) != 0)
      return fail_errno(errno, "open", device.node_);
    return device;
  }
  return fail(Errc::internal, fmt::format("no loop device is free for {}", image.string()));
}

Result<std::uint64_t> LoopDevice::bytes() const {
  std::uint64_t bytes = 0;
  if (::ioctl(fd(), BLKGETSIZE64, &bytes) != 0) return fail_errno(errno, "read", node_);
  return bytes;
}

Result<void> LoopDevice::take_size_of_image() {
  if (::ioctl(fd(), LOOP_SET_CAPACITY, 0) != 0) return fail_errno(errno, "resize", node_);
  return {};
}

bool LoopDevice::is_claimed() const {
  const UniqueFd fd{::open(node_.c_str(), O_RDONLY | O_EXCL | O_CLOEXEC)};
  return !fd.is_open() && errno == EBUSY;
}

bool LoopDevice::is_gone() const {
  const UniqueFd fd{::open(node_.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd.is_open()) return errno == ENXIO || errno == ENOENT;
  const auto info = status_of(fd.get());
  return !info || info->lo_device != image_device_ || info->lo_inode != image_inode_;
}

std::vector<std::string> detach_loops_of(const fs::path& images, const fs::path& nodes) {
  const std::set<FileKey> wanted = files_in(images);
  std::vector<std::string> detached;
  for (const fs::path& directory : {fs::path{"/dev"}, nodes}) {
    std::error_code error;
    for (fs::directory_iterator entry{directory, error}, end; !error && entry != end;
         entry.increment(error)) {
      struct stat status{};
      if (::stat(entry->path().c_str(), &status) != 0 || !S_ISBLK(status.st_mode)) continue;
      if (major(status.st_rdev) != loop_major) continue;
      const UniqueFd fd{::open(entry->path().c_str(), O_RDONLY | O_CLOEXEC)};
      const auto info = fd.is_open() ? status_of(fd.get()) : std::nullopt;
      if (!info || !wanted.contains({info->lo_device, info->lo_inode})) continue;
      if (::ioctl(fd.get(), LOOP_CLR_FD) == 0) detached.push_back(entry->path().filename());
    }
  }
  return detached;
}

}  // namespace runctl::emulator
