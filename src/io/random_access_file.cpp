#include "io/random_access_file.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace runctl {
namespace {

constexpr std::int64_t nanoseconds_a_second = 1'000'000'000;

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * nanoseconds_a_second + time.tv_nsec;
}

FileState to_state(const struct stat& found) {
  return {.device = found.st_dev,
          .inode = found.st_ino,
          .size = static_cast<std::uint64_t>(found.st_size),
          .modified_ns = nanoseconds(found.st_mtim),
          .changed_ns = nanoseconds(found.st_ctim),
          .mode = found.st_mode & 07777U};
}

// A file by its directory, which is held (the working directory when it is not), and the rest of
// its name.
struct Place {
  UniqueFd directory = UniqueFd{};
  std::filesystem::path name;

  [[nodiscard]] int at() const { return directory.is_open() ? directory.get() : AT_FDCWD; }
};

Result<FileState> state_at(const Place& place, const std::filesystem::path& path, AtLink at_link) {
  struct stat found{};
  const int flags = at_link == AtLink::follow ? 0 : AT_SYMLINK_NOFOLLOW;
  if (::fstatat(place.at(), place.name.c_str(), &found, flags) != 0) {
    return fail_errno(errno, "look at", path);
  }
  return to_state(found);
}

// The directory of `root`/`name`, entered component by component; openat2(2) would do it in one
// call, from Linux 5.6 on.
Result<Place> enter_below(const std::filesystem::path& root, std::string_view name) {
  constexpr int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  std::filesystem::path path = root.empty() ? "." : root;
  UniqueFd fd{::open(path.c_str(), flags)};
  if (!fd.is_open()) return fail_errno(errno, "open", path);
  while (true) {
    const std::size_t slash = name.find('/');
    const std::string component{name.substr(0, slash)};
    if (slash == std::string_view::npos) {
      return Place{.directory = std::move(fd), .name = component};
    }
    name.remove_prefix(slash + 1);
    path /= component;
    UniqueFd next{::openat(fd.get(), component.c_str(), flags | O_NOFOLLOW)};
    if (!next.is_open() && (errno == ELOOP || errno == ENOTDIR)) {
      return fail(
          Errc::invalid_argument,
          fmt::format("{} is a symbolic link or no directory, and is not followed", path.string()));
    }
    if (!next.is_open()) return fail_errno(errno, "open", path);
    fd = std::move(next);
  }
}

Result<RandomAccessFile> open_at(const Place& place, const std::filesystem::path& path,
                                 AtLink at_link) {
  // O_NONBLOCK: a FIFO that nobody writes to would hold the open() forever.
  const int flags =
      O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (at_link == AtLink::follow ? 0 : O_NOFOLLOW);
  UniqueFd fd{::openat(place.at(), place.name.c_str(), flags)};
  if (!fd.is_open() && errno == ELOOP) {
    return fail(Errc::invalid_argument, fmt::format("{} is a symbolic link", path.string()));
  }
  if (!fd.is_open()) return fail_errno(errno, "read", path);
  struct stat found{};
  if (::fstat(fd.get(), &found) != 0) return fail_errno(errno, "look at", path);
  if (!S_ISREG(found.st_mode)) {
    return fail(Errc::invalid_argument, fmt::format("{} is no regular file", path.string()));
  }
  return RandomAccessFile{std::move(fd), path};
}

}  // namespace

Result<FileState> state_of(const std::filesystem::path& path, AtLink at_link) {
  return state_at({.name = path}, path, at_link);
}

Result<FileState> state_below(const std::filesystem::path& root, std::string_view name,
                              AtLink at_link) {
  if (at_link == AtLink::follow) return state_of(root / name, at_link);
  RUNCTL_TRY_LET(const Place place, enter_below(root, name));
  return state_at(place, root / name, at_link);
}

Result<RandomAccessFile> RandomAccessFile::open(const std::filesystem::path& path, AtLink at_link) {
  return open_at({.name = path}, path, at_link);
}

Result<RandomAccessFile> RandomAccessFile::open_below(const std::filesystem::path& root,
                                                      std::string_view name, AtLink at_link) {
  if (at_link == AtLink::follow) return open(root / name, at_link);
  RUNCTL_TRY_LET(const Place place, enter_below(root, name));
  return open_at(place, root / name, at_link);
}

Result<FileState> RandomAccessFile::state() const {
  struct stat found{};
  if (::fstat(fd_.get(), &found) != 0) return fail_errno(errno, "look at", path_);
  return to_state(found);
}

Result<std::size_t> RandomAccessFile::read_at(std::uint64_t offset,
                                              std::span<std::byte> into) const {
  std::size_t filled = 0;
  while (filled < into.size()) {
    const ssize_t got = ::pread(fd_.get(), into.data() + filled, into.size() - filled,
                                static_cast<off_t>(offset + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(errno, "read", path_);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  return filled;
}

Result<void> RandomAccessFile::write_at(std::uint64_t offset,
                                        std::span<const std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail_errno(errno, "write", path_);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
  return {};
}

Result<void> RandomAccessFile::reserve(std::uint64_t size) const {
  if (size == 0) return {};
  // The size stays as it is: after a power cut a file that was never written to shall not look
  // complete.
  while (::fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size)) != 0) {
    if (errno == EINTR) continue;
    if (errno == EOPNOTSUPP || errno == ENOSYS) return {};
    return fail_errno(errno, fmt::format("find room for {} bytes in", size), path_);
  }
  return {};
}

Result<void> RandomAccessFile::truncate(std::uint64_t size) const {
  if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) {
    return fail_errno(errno, "change the size of", path_);
  }
  return {};
}

Result<void> RandomAccessFile::sync() const {
  if (::fsync(fd_.get()) != 0) return fail_errno(errno, "sync", path_);
  return {};
}

Result<void> RandomAccessFile::set_modified(std::int64_t nanoseconds) const {
  std::int64_t seconds = nanoseconds / nanoseconds_a_second;
  std::int64_t rest = nanoseconds % nanoseconds_a_second;
  if (rest < 0) {  // before 1970
    rest += nanoseconds_a_second;
    --seconds;
  }
  const std::array<timespec, 2> times{timespec{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
                                      timespec{.tv_sec = seconds, .tv_nsec = rest}};
  if (::futimens(fd_.get(), times.data()) != 0) return fail_errno(errno, "set the time of", path_);
  return {};
}

Result<void> RandomAccessFile::set_mode(unsigned mode) const {
  if (::fchmod(fd_.get(), mode) != 0) return fail_errno(errno, "set the mode of", path_);
  return {};
}

Result<void> RandomAccessFile::lock() const {
  if (::flock(fd_.get(), LOCK_EX | LOCK_NB) == 0) return {};
  if (errno != EWOULDBLOCK) return fail_errno(errno, "lock", path_);
  return fail(Errc::conflict, fmt::format("{} is locked by another process", path_.string()));
}

}  // namespace runctl
