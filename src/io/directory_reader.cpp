#include "io/directory_reader.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <dirent.h>

namespace runctl {
namespace {

FileKind kind_of_mode(mode_t mode) {
  if (S_ISREG(mode)) return FileKind::file;
  if (S_ISDIR(mode)) return FileKind::directory;
  if (S_ISLNK(mode)) return FileKind::symlink;
  return FileKind::other;
}

FileKind kind_of_entry(unsigned char type) {
  switch (type) {
    case DT_REG:
      return FileKind::file;
    case DT_DIR:
      return FileKind::directory;
    case DT_LNK:
      return FileKind::symlink;
    case DT_UNKNOWN:
      return FileKind::unknown;
    default:
      return FileKind::other;
  }
}

FileFacts facts_of(const struct stat& seen) {
  return {.kind = kind_of_mode(seen.st_mode),
          .size = static_cast<std::uint64_t>(seen.st_size),
          .modified = FileTimestamp{std::chrono::seconds{seen.st_mtim.tv_sec} +
                                    std::chrono::nanoseconds{seen.st_mtim.tv_nsec}},
          .device = seen.st_dev,
          .inode = seen.st_ino,
          .changed = FileTimestamp{std::chrono::seconds{seen.st_ctim.tv_sec} +
                                   std::chrono::nanoseconds{seen.st_ctim.tv_nsec}},
          .mode = seen.st_mode & 07777U};
}

Result<FileFacts> facts_at(int directory, const std::string& name, Links links,
                           const std::filesystem::path& parent) {
  struct stat seen{};
  const int flags = links == Links::shown ? AT_SYMLINK_NOFOLLOW : 0;
  if (::fstatat(directory, name.c_str(), &seen, flags) != 0) {
    return fail_errno(errno, "look at", parent / name);
  }
  return facts_of(seen);
}

struct CloseStream {
  void operator()(DIR* stream) const { ::closedir(stream); }
};

}  // namespace

void NameList::add(std::string_view name, FileKind kind) {
  begins_.push_back(bytes_.size());
  bytes_ += static_cast<char>(kind);
  bytes_ += name;
  if (kind == FileKind::directory) bytes_ += '/';
  bytes_ += '\0';
}

void NameList::sort() {
  // With the '/' of a directory; no name has a NUL.
  std::ranges::sort(begins_, [&](std::size_t a, std::size_t b) {
    return std::string_view{bytes_.data() + a + 1} < std::string_view{bytes_.data() + b + 1};
  });
}

std::string_view NameList::name(std::size_t index) const {
  std::string_view name{bytes_.data() + begins_.at(index) + 1};
  if (kind(index) == FileKind::directory) name.remove_suffix(1);
  return name;
}

FileKind NameList::kind(std::size_t index) const {
  return static_cast<FileKind>(bytes_[begins_.at(index)]);
}

Result<DirectoryReader> DirectoryReader::open(const std::filesystem::path& path) {
  UniqueFd fd{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!fd.is_open()) return fail_errno(errno, "open the directory", path);
  return DirectoryReader{std::move(fd), path};
}

Result<DirectoryReader> DirectoryReader::open_below(std::string_view name, Links links) const {
  const int follow = links == Links::shown ? O_NOFOLLOW : 0;
  std::filesystem::path path = path_ / name;
  UniqueFd fd{
      ::openat(fd_.get(), std::string{name}.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | follow)};
  if (!fd.is_open()) return fail_errno(errno, "open the directory", path);
  return DirectoryReader{std::move(fd), std::move(path)};
}

Result<NameList> DirectoryReader::names() const {
  // A stream of its own, which closes what it is given.
  const int fd = ::openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return fail_errno(errno, "read the directory", path_);
  const std::unique_ptr<DIR, CloseStream> stream{::fdopendir(fd)};
  if (stream == nullptr) return fail_errno(errno, "read the directory", path_);
  NameList names;
  while (true) {
    errno = 0;
    const dirent* const entry =
        ::readdir(stream.get());  // NOLINT(concurrency-mt-unsafe): own stream
    if (entry == nullptr && errno != 0) return fail_errno(errno, "read the directory", path_);
    if (entry == nullptr) return names;
    const std::string_view name{static_cast<const char*>(entry->d_name)};
    if (name != "." && name != "..") names.add(name, kind_of_entry(entry->d_type));
  }
}

Result<FileFacts> DirectoryReader::facts(std::string_view name, Links links) const {
  return facts_at(fd_.get(), std::string{name}, links, path_);
}

Result<FileFacts> DirectoryReader::facts() const {
  struct stat seen{};
  if (::fstat(fd_.get(), &seen) != 0) return fail_errno(errno, "look at", path_);
  return facts_of(seen);
}

Result<std::string> DirectoryReader::link_target(std::string_view name) const {
  std::string target(PATH_MAX, '\0');
  const auto length =
      ::readlinkat(fd_.get(), std::string{name}.c_str(), target.data(), target.size());
  if (length < 0) return fail_errno(errno, "read the link", path_ / name);
  target.resize(static_cast<std::size_t>(length));
  return target;
}

Result<FileFacts> file_facts(const std::filesystem::path& path, Links links) {
  return facts_at(AT_FDCWD, path.string(), links, {});
}

Result<void> set_modified(const std::filesystem::path& path, FileTimestamp time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  timespec modified{};
  modified.tv_sec = seconds.time_since_epoch().count();
  modified.tv_nsec = (time - seconds).count();
  const std::array<timespec, 2> times{timespec{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, modified};
  if (::utimensat(AT_FDCWD, path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
    return fail_errno(errno, "set the time of", path);
  }
  return {};
}

}  // namespace runctl
