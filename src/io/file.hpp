// Files read and written whole, and a lock that one process at a time can hold.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"

namespace runctl {

// A file descriptor that is closed with its owner.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_{fd} {}
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  UniqueFd(UniqueFd&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~UniqueFd() { reset(); }

  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }
  void reset() noexcept;

 private:
  int fd_ = -1;
};

// "cannot <doing> <path>: <strerror>", with the code that fits: ENOENT is not_found, EACCES and
// EPERM are denied, EEXIST and EBUSY are conflict, anything else (a full disk among it) is
// internal.
[[nodiscard]] std::unexpected<Error> fail_errno(int error, std::string_view doing,
                                                const std::filesystem::path& path);

// Errors: not_found, denied, internal; invalid_argument when the file is larger than `limit` bytes.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path,
                                            std::uint64_t limit = std::uint64_t{64} << 20U);

// Replaces `path` so that after a crash it is either the old or the new content, and durable on
// return: temporary file, fsync, rename, fsync of the directory. Errors: as fail_errno.
[[nodiscard]] Result<void> write_file_atomically(const std::filesystem::path& path,
                                                 std::string_view content);

// Makes the names in `directory` durable: what was created, renamed or removed there. Errors: as
// fail_errno.
[[nodiscard]] Result<void> sync_directory(const std::filesystem::path& directory);

// Takes the exclusive lock on `path` (flock, ended by the kernel with its holder), creating the
// file. Errors: conflict when another process holds it.
[[nodiscard]] Result<UniqueFd> lock_file(const std::filesystem::path& path);

}  // namespace runctl
