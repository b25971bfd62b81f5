#include "emulator/hardware/file_copy.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <linux/fs.h>
#include <span>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "io/file.hpp"

namespace runctl::emulator {
namespace {

struct Extent {
  off_t start = 0;
  off_t end = 0;
};

Result<void> copy_by_hand(int from, int to, Extent extent, const std::string& name) {
  std::vector<std::byte> buffer(std::size_t{1} << 20U);
  while (extent.start < extent.end) {
    const auto wanted =
        std::min(buffer.size(), static_cast<std::size_t>(extent.end - extent.start));
    const ssize_t got = ::pread(from, buffer.data(), wanted, extent.start);
    if (got < 0) return fail_errno(errno, "read what becomes", name);
    if (got == 0) return {};  // it was made shorter meanwhile
    std::span<const std::byte> rest{buffer.data(), static_cast<std::size_t>(got)};
    while (!rest.empty()) {
      const ssize_t put = ::pwrite(to, rest.data(), rest.size(), extent.start);
      if (put < 0) return fail_errno(errno, "write", name);
      rest = rest.subspan(static_cast<std::size_t>(put));
      extent.start += put;
    }
  }
  return {};
}

Result<void> copy_extent(int from, int to, Extent extent, const std::string& name) {
  while (extent.start < extent.end) {
    off_t in = extent.start;
    off_t out = extent.start;
    const auto wanted = static_cast<std::size_t>(extent.end - extent.start);
    const ssize_t copied = ::copy_file_range(from, &in, to, &out, wanted, 0);
    if (copied < 0) {
      const bool unable =
          errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP;
      if (unable) return copy_by_hand(from, to, extent, name);
      return fail_errno(errno, "write", name);
    }
    // Some filesystems answer 0 where they cannot; at the end of the file `copy_by_hand` sees it at
    // once.
    if (copied == 0) return copy_by_hand(from, to, extent, name);
    extent.start += copied;
  }
  return {};
}

}  // namespace

bool share_blocks(int from, int to) { return ::ioctl(to, FICLONE, from) == 0; }

Result<void> copy_content(int from, int to, const std::string& name) {
  if (share_blocks(from, to)) return {};
  struct stat status{};
  if (::fstat(from, &status) != 0) return fail_errno(errno, "read what becomes", name);
  if (::ftruncate(to, status.st_size) != 0) return fail_errno(errno, "write", name);
  off_t position = 0;
  while (position < status.st_size) {
    Extent extent{.start = ::lseek(from, position, SEEK_DATA), .end = status.st_size};
    if (extent.start < 0 && errno == ENXIO) return {};  // a hole up to the end
    if (extent.start < 0) extent.start = position;      // a filesystem that does not tell
    const off_t hole = ::lseek(from, extent.start, SEEK_HOLE);
    if (hole > extent.start) extent.end = std::min(hole, status.st_size);
    RUNCTL_TRY(copy_extent(from, to, extent, name));
    position = extent.end;
  }
  return {};
}

}  // namespace runctl::emulator
