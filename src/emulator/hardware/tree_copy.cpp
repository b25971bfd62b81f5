#include "emulator/hardware/tree_copy.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <map>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "emulator/hardware/file_copy.hpp"
#include "io/file.hpp"

namespace runctl::emulator {
namespace {

namespace fs = std::filesystem;

class TreeCopy {
 public:
  Result<void> copy_directory(const fs::path& from, const fs::path& to) {
    struct stat status{};
    if (::lstat(from.c_str(), &status) != 0) return fail_errno(errno, "read", from);
    if (::mkdir(to.c_str(), 0700) != 0) return fail_errno(errno, "create", to);
    std::error_code error;
    fs::directory_iterator entry{from, error};
    for (; !error && entry != fs::directory_iterator{}; entry.increment(error)) {
      RUNCTL_TRY(copy_entry(entry->path(), to / entry->path().filename()));
    }
    if (error) return fail_errno(error.value(), "read", from);
    return copy_attributes(status, to);
  }

 private:
  Result<void> copy_entry(const fs::path& from, const fs::path& to) {
    struct stat status{};
    if (::lstat(from.c_str(), &status) != 0) {
      if (errno == ENOENT) return {};  // removed meanwhile
      return fail_errno(errno, "read", from);
    }
    if (S_ISDIR(status.st_mode)) return copy_directory(from, to);
    if (S_ISSOCK(status.st_mode)) return {};
    if (status.st_nlink > 1) {
      const auto [known, is_new] = names_.try_emplace({status.st_dev, status.st_ino}, to);
      if (!is_new) {
        if (::link(known->second.c_str(), to.c_str()) == 0) return {};
        return fail_errno(errno, "create", to);
      }
    }
    if (S_ISREG(status.st_mode)) {
      RUNCTL_TRY(copy_file(from, to));
    } else if (S_ISLNK(status.st_mode)) {
      std::error_code error;
      fs::copy_symlink(from, to, error);
      if (error) return fail_errno(error.value(), "create", to);
    } else if (::mknod(to.c_str(), status.st_mode, status.st_rdev) != 0) {
      return fail_errno(errno, "create", to);
    }
    return copy_attributes(status, to);
  }

  static Result<void> copy_file(const fs::path& from, const fs::path& to) {
    const UniqueFd in{::open(from.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)};
    if (!in.is_open()) return fail_errno(errno, "read", from);
    const UniqueFd out{::open(to.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
    if (!out.is_open()) return fail_errno(errno, "create", to);
    return copy_content(in.get(), out.get(), to.string());
  }

  // The owner before the mode, because a change of owner takes the set-user-id bit away; times
  // last.
  static Result<void> copy_attributes(const struct stat& status, const fs::path& to) {
    if (::lchown(to.c_str(), status.st_uid, status.st_gid) != 0 && errno != EPERM) {
      return fail_errno(errno, "change owner of", to);
    }
    if (!S_ISLNK(status.st_mode) && ::chmod(to.c_str(), status.st_mode & 07777) != 0) {
      return fail_errno(errno, "change mode of", to);
    }
    const std::array<timespec, 2> times{status.st_atim, status.st_mtim};
    if (::utimensat(AT_FDCWD, to.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
      return fail_errno(errno, "change times of", to);
    }
    return {};
  }

  std::map<std::pair<dev_t, ino_t>, fs::path> names_;  // of files with several
};

}  // namespace

Result<void> copy_tree(const fs::path& from, const fs::path& to) {
  RUNCTL_TRY(TreeCopy{}.copy_directory(from, to));
  const UniqueFd fd{::open(to.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!fd.is_open() || ::syncfs(fd.get()) != 0) return fail_errno(errno, "write", to);
  return {};
}

Result<void> remove_tree(const fs::path& path) {
  std::error_code error;
  const bool exists = fs::symlink_status(path, error).type() != fs::file_type::not_found;
  if (!exists) return {};
  if (fs::is_directory(fs::symlink_status(path, error))) {
    (void)::chmod(path.c_str(), 0700);
    fs::recursive_directory_iterator entry{path, error};
    for (; !error && entry != fs::recursive_directory_iterator{}; entry.increment(error)) {
      if (entry->is_directory(error) && !entry->is_symlink(error))
        (void)::chmod(entry->path().c_str(), 0700);
    }
  }
  error.clear();
  fs::remove_all(path, error);
  if (error) return fail_errno(error.value(), "remove", path);
  return {};
}

}  // namespace runctl::emulator
