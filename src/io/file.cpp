#include "io/file.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

namespace runctl {
namespace {

Result<void> write_all(int fd, std::string_view content, const std::filesystem::path& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno(errno, "write", path);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

void UniqueFd::reset() noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

std::unexpected<Error> fail_errno(int error, std::string_view doing,
                                  const std::filesystem::path& path) {
  Errc code = Errc::internal;
  if (error == ENOENT || error == ENOTDIR) code = Errc::not_found;
  if (error == EACCES || error == EPERM || error == EROFS) code = Errc::denied;
  if (error == EEXIST || error == EBUSY) code = Errc::conflict;
  return fail(code, fmt::format("cannot {} {}: {}", doing, path.string(),
                                std::generic_category().message(error)));
}

Result<std::string> read_file(const std::filesystem::path& path, std::uint64_t limit) {
  const UniqueFd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd.is_open()) return fail_errno(errno, "read", path);
  std::string content;
  std::array<char, 65536> piece{};
  while (true) {
    const ssize_t got = ::read(fd.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(errno, "read", path);
    if (got == 0) return content;
    content.append(piece.data(), static_cast<std::size_t>(got));
    if (content.size() > limit) {
      return fail(Errc::invalid_argument,
                  fmt::format("{} is larger than {} bytes", path.string(), limit));
    }
  }
}

Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view content) {
  // A name that nobody else has: two threads may replace the same file at once.
  std::string temporary = path.string() + ".XXXXXX.tmp";
  UniqueFd fd{::mkostemps(temporary.data(), 4, O_CLOEXEC)};
  if (!fd.is_open()) return fail_errno(errno, "create", temporary);
  auto written = write_all(fd.get(), content, temporary);
  if (written && ::fsync(fd.get()) != 0) written = fail_errno(errno, "sync", temporary);
  if (written && ::rename(temporary.c_str(), path.c_str()) != 0) {
    written = fail_errno(errno, "replace", path);
  }
  if (!written) {
    ::unlink(temporary.c_str());
    return written;
  }
  return sync_directory(path.has_parent_path() ? path.parent_path() : ".");
}

Result<void> sync_directory(const std::filesystem::path& directory) {
  const UniqueFd fd{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!fd.is_open()) return fail_errno(errno, "open", directory);
  if (::fsync(fd.get()) != 0) return fail_errno(errno, "sync", directory);
  return {};
}

Result<UniqueFd> lock_file(const std::filesystem::path& path) {
  UniqueFd fd{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (!fd.is_open()) return fail_errno(errno, "open", path);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return fail(Errc::conflict, fmt::format("{} is locked by another process", path.string()));
    }
    return fail_errno(errno, "lock", path);
  }
  return fd;
}

}  // namespace runctl
