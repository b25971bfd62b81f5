#include "io/directory.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <span>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/text.hpp"
#include "io/merged_names.hpp"

namespace runctl {
namespace {

constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

// What is there under `name` must have that very name: it may be another's to whom the file system
// takes `name` for an alias.
Result<void> check_exact(int parent, const std::string& name, const std::filesystem::path& path) {
  if (!may_merge_names(parent, name)) return {};
  RUNCTL_TRY_LET(const bool exact, has_exact_name(parent, name));
  if (exact) return {};
  auto taken = fail(Errc::conflict,
                    fmt::format("{} would be written over another file: the file system takes "
                                "their names for one",
                                path.string()));
  taken.error().hint = "They differ by case, or by how a letter is composed: rename one of them.";
  return taken;
}

Result<UniqueFd> enter(int parent, const std::string& name, const std::filesystem::path& path) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    UniqueFd fd{::openat(parent, name.c_str(), directory_flags | O_NOFOLLOW)};
    if (fd.is_open()) {
      RUNCTL_TRY(check_exact(parent, name, path));
      return fd;
    }
    if (errno == ELOOP || errno == ENOTDIR) {
      auto failure =
          fail(Errc::invalid_argument,
               fmt::format("{} is a symbolic link or no directory, and is not followed or replaced",
                           path.string()));
      failure.error().hint = "move it away, or name the directory that it points to as the target";
      return failure;
    }
    if (errno != ENOENT || attempt > 0) return fail_errno(errno, "open", path);
    if (::mkdirat(parent, name.c_str(), 0777) != 0 && errno != EEXIST) {
      return fail_errno(errno, "create", path);
    }
  }
  return fail(Errc::internal, fmt::format("cannot open {}", path.string()));
}

}  // namespace

Result<Directory> Directory::make_below(const std::filesystem::path& root, std::string_view below) {
  std::filesystem::path path = root.empty() ? "." : root;
  UniqueFd fd{::open(path.c_str(), directory_flags)};
  if (!fd.is_open() && errno == ENOENT) {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error) return fail_errno(error.value(), "create", path);
    fd = UniqueFd{::open(path.c_str(), directory_flags)};
  }
  if (!fd.is_open()) return fail_errno(errno, "open", path);
  if (below.empty()) return Directory{std::move(fd), std::move(path)};
  for (const std::string_view component : split(below, '/')) {
    if (component.empty() || component == "." || component == ".." || component.contains('\0')) {
      return fail(Errc::invalid_argument,
                  fmt::format("'{}' is no path below {}", below, root.string()));
    }
    path /= component;
    RUNCTL_TRY_LET(UniqueFd next, enter(fd.get(), std::string{component}, path));
    fd = std::move(next);
  }
  return Directory{std::move(fd), std::move(path)};
}

Result<RandomAccessFile> Directory::open(const std::string& name) const {
  const std::filesystem::path path = path_ / name;
  UniqueFd fd{::openat(fd_.get(), name.c_str(),
                       O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0666)};
  if (!fd.is_open() && errno == ELOOP) {
    return fail(Errc::invalid_argument, fmt::format("{} is a symbolic link", path.string()));
  }
  if (!fd.is_open()) return fail_errno(errno, "create", path);
  struct stat found{};
  if (::fstat(fd.get(), &found) != 0) return fail_errno(errno, "look at", path);
  if (!S_ISREG(found.st_mode)) {
    return fail(Errc::invalid_argument, fmt::format("{} is no regular file", path.string()));
  }
  return RandomAccessFile{std::move(fd), path};
}

Result<std::optional<RandomAccessFile>> Directory::open_unnamed(const std::string& name) const {
  // linkat() finds the file through it. Source: open(2), O_TMPFILE.
  static const bool can_be_named = ::access("/proc/self/fd", X_OK) == 0;
  if (!can_be_named) return std::nullopt;
  UniqueFd fd{::openat(fd_.get(), ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0666)};
  if (fd.is_open()) return RandomAccessFile{std::move(fd), path_ / name};
  // What kernels and file systems say that do not know the flag.
  if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL) return std::nullopt;
  return fail_errno(errno, "create", path_ / name);
}

Result<bool> Directory::link(const RandomAccessFile& file, const std::string& name) const {
  const std::string from = fmt::format("/proc/self/fd/{}", file.fd());
  if (::linkat(AT_FDCWD, from.c_str(), fd_.get(), name.c_str(), AT_SYMLINK_FOLLOW) == 0) {
    return true;
  }
  if (errno == EEXIST) return false;
  return fail_errno(errno, "create", path_ / name);
}

Result<bool> Directory::has(const std::string& name) const {
  struct stat found{};
  if (::fstatat(fd_.get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0) return true;
  if (errno == ENOENT) return false;
  return fail_errno(errno, "look at", path_ / name);
}

bool Directory::is_there() const {
  struct stat found{};
  return ::fstat(fd_.get(), &found) == 0 && found.st_nlink > 0;
}

Result<bool> Directory::is_named(const std::string& name, const RandomAccessFile& file) const {
  struct stat found{};
  if (::fstatat(fd_.get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return false;
    return fail_errno(errno, "look at", path_ / name);
  }
  RUNCTL_TRY_LET(const FileState state, file.state());
  return state.device == found.st_dev && state.inode == found.st_ino;
}

Result<std::optional<std::string>> Directory::read(const std::string& name,
                                                   std::size_t limit) const {
  UniqueFd fd{::openat(fd_.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
  if (!fd.is_open() && errno == ENOENT) return std::nullopt;
  if (!fd.is_open()) return fail_errno(errno, "read", path_ / name);
  const RandomAccessFile file{std::move(fd), path_ / name};
  RUNCTL_TRY_LET(const FileState state, file.state());
  if (state.size > limit) {
    return fail(Errc::invalid_argument,
                fmt::format("{} is larger than {} bytes", file.path().string(), limit));
  }
  std::string content(state.size, '\0');
  RUNCTL_TRY_LET(const std::size_t got,
                 file.read_at(0, std::as_writable_bytes(std::span{content})));
  content.resize(got);
  return content;
}

Result<void> Directory::rename(const std::string& from, const std::string& to) const {
  if (::renameat(fd_.get(), from.c_str(), fd_.get(), to.c_str()) != 0) {
    return fail_errno(errno, "replace", path_ / to);
  }
  return {};
}

Result<void> Directory::give_name(const std::string& from, const std::string& to) const {
  // What has no name yet gets one that nobody can take in between.
  if (::renameat2(fd_.get(), from.c_str(), fd_.get(), to.c_str(), RENAME_NOREPLACE) == 0) return {};
  // Not every file system knows the flag.
  if (errno != EEXIST && errno != EINVAL && errno != ENOSYS) {
    return fail_errno(errno, "replace", path_ / to);
  }
  struct stat found{};
  if (::fstatat(fd_.get(), to.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0) {
    RUNCTL_TRY(check_exact(fd_.get(), to, path_ / to));
  }
  return rename(from, to);
}

Result<void> Directory::remove(const std::string& name) const {
  if (::unlinkat(fd_.get(), name.c_str(), 0) != 0 && errno != ENOENT) {
    return fail_errno(errno, "remove", path_ / name);
  }
  return {};
}

Result<void> Directory::sync() const {
  if (::fsync(fd_.get()) != 0) return fail_errno(errno, "sync", path_);
  return {};
}

}  // namespace runctl
