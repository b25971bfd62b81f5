// Files that are read and written at offsets, by several threads at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <utility>

#include "base/result.hpp"
#include "io/file.hpp"

namespace runctl {

// What tells one state of a file's content from another. Times are nanoseconds since 1970. A change
// of content changes `changed_ns`, which only the kernel sets; but only once its clock has ticked
// (every 1 to 10 ms), and not for stores into pages that were mapped and written before.
struct FileState {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;
  unsigned mode = 0;  // permission bits, with set-user-id and the like
  bool operator==(const FileState&) const = default;
};

enum class AtLink : bool { refuse, follow };

// Of what `path` names now. Errors: as fail_errno.
[[nodiscard]] Result<FileState> state_of(const std::filesystem::path& path, AtLink at_link);
// Of what `root`/`name` is now. Errors: also as open_below.
[[nodiscard]] Result<FileState> state_below(const std::filesystem::path& root,
                                            std::string_view name, AtLink at_link);

// Thread safety: reads and writes at offsets from several threads at once.
class RandomAccessFile {
 public:
  RandomAccessFile() = default;
  // `path` is for messages.
  RandomAccessFile(UniqueFd fd, std::filesystem::path path)
      : fd_{std::move(fd)}, path_{std::move(path)} {}

  // Opens for reading. Errors: as fail_errno; invalid_argument for what is not a regular file
  // (a directory, a FIFO, a device; a link when refused), without waiting for it.
  [[nodiscard]] static Result<RandomAccessFile> open(const std::filesystem::path& path,
                                                     AtLink at_link);
  // Opens `root`/`name` for reading. `root` may be reached over links; when they are refused, no
  // component of `name` is one, so that nothing outside of `root` is read, even if a directory of
  // it is replaced by a link meanwhile. Errors: as open; invalid_argument for a directory that is
  // a link, or no directory.
  [[nodiscard]] static Result<RandomAccessFile> open_below(const std::filesystem::path& root,
                                                           std::string_view name, AtLink at_link);

  [[nodiscard]] Result<FileState> state() const;
  // As many bytes as there are, up to the span's size: fewer only at the end of the file.
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) const;
  [[nodiscard]] Result<void> write_at(std::uint64_t offset, std::span<const std::byte> bytes) const;
  // Finds room for `size` bytes without changing what the file is seen to have. Errors: as
  // fail_errno, a full disk among them; a file system that cannot do it is no error.
  [[nodiscard]] Result<void> reserve(std::uint64_t size) const;
  [[nodiscard]] Result<void> truncate(std::uint64_t size) const;
  [[nodiscard]] Result<void> sync() const;
  [[nodiscard]] Result<void> set_modified(std::int64_t nanoseconds) const;
  [[nodiscard]] Result<void> set_mode(unsigned mode) const;
  // The exclusive lock (flock), held until this is destroyed. Errors: conflict when another holds
  // it.
  [[nodiscard]] Result<void> lock() const;

  [[nodiscard]] bool is_open() const { return fd_.is_open(); }
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  UniqueFd fd_;
  std::filesystem::path path_;
};

}  // namespace runctl
