#include "io/merged_names.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <linux/fs.h>
#include <memory>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <dirent.h>

#include "io/file.hpp"

namespace runctl {
namespace {

// Source: statfs(2).
constexpr std::uint64_t xfs = 0x58465342;
constexpr std::array<std::uint64_t, 6> by_bytes{
    0xEF53,      // ext2, ext3, ext4
    0x9123683E,  // Btrfs
    0xF2F52010,  // F2FS
    0x01021994,  // tmpfs
    0x6969,      // NFS
    0x794C7630,  // overlayfs
};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Whether the name with its letters in the other case leads to the same file.
bool has_no_case(int directory, const std::string& name) {
  std::string flipped = name;
  for (char& c : flipped) {
    if (is_letter(c)) c = static_cast<char>(c ^ 0x20);
  }
  struct stat one{};
  struct stat other{};
  if (flipped == name) return false;
  if (::fstatat(directory, name.c_str(), &one, AT_SYMLINK_NOFOLLOW) != 0 ||
      ::fstatat(directory, flipped.c_str(), &other, AT_SYMLINK_NOFOLLOW) != 0) {
    return false;
  }
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

struct CloseStream {
  void operator()(DIR* stream) const { ::closedir(stream); }
};

}  // namespace

bool may_merge_names(int directory, const std::string& name) {
  struct statfs found{};
  if (::fstatfs(directory, &found) != 0) return true;
  const auto type = static_cast<std::uint64_t>(found.f_type) & 0xffffffffU;
  if (type == xfs) return has_no_case(directory, name);
  if (std::ranges::find(by_bytes, type) == by_bytes.end()) return true;
  int flags = 0;
  constexpr int casefold = 0x40000000;  // FS_CASEFOLD_FL
  return ::ioctl(directory, FS_IOC_GETFLAGS, &flags) == 0 && (flags & casefold) != 0;
}

Result<bool> has_exact_name(int directory, std::string_view name) {
  const int fd = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return fail_errno(errno, "read the directory of", name);
  const std::unique_ptr<DIR, CloseStream> stream{::fdopendir(fd)};
  if (stream == nullptr) return fail_errno(errno, "read the directory of", name);
  while (true) {
    errno = 0;
    const dirent* const entry =
        ::readdir(stream.get());  // NOLINT(concurrency-mt-unsafe): own stream
    if (entry == nullptr && errno != 0) return fail_errno(errno, "read the directory of", name);
    if (entry == nullptr) return false;
    if (name == static_cast<const char*>(entry->d_name)) return true;
  }
}

}  // namespace runctl
