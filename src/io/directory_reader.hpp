// Directories as they are: what lies in one, seen without following a link unless asked.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "io/file.hpp"

namespace runctl {

enum class FileKind : std::uint8_t { file, directory, symlink, other, unknown };
enum class Links : bool { shown, followed };

using FileTimestamp = std::chrono::sys_time<std::chrono::nanoseconds>;

struct FileFacts {
  FileKind kind = FileKind::unknown;
  std::uint64_t size = 0;
  FileTimestamp modified{};
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  FileTimestamp changed{};  // content or attributes; only the kernel sets it
  unsigned mode = 0;        // permission bits, with set-user-id and the like
};

// Names with their kinds, one after the other in one piece of memory: a directory can have
// millions.
class NameList {
 public:
  void add(std::string_view name, FileKind kind);
  // By the bytes of the names, a directory's as if it ended in '/': the order of the keys that a
  // tree becomes.
  void sort();
  [[nodiscard]] std::size_t size() const { return begins_.size(); }
  [[nodiscard]] std::string_view name(std::size_t index) const;
  [[nodiscard]] FileKind kind(std::size_t index) const;

 private:
  // Of each: its kind as a byte, its name, a '/' when it is a directory, a NUL.
  std::string bytes_;
  std::vector<std::size_t> begins_;
};

class DirectoryReader {
 public:
  // Errors: as fail_errno.
  [[nodiscard]] static Result<DirectoryReader> open(const std::filesystem::path& path);

  // A directory in this one. With Links::shown a link is an error (not_found), even if it has
  // replaced a directory this moment. Errors: as fail_errno.
  [[nodiscard]] Result<DirectoryReader> open_below(std::string_view name, Links links) const;

  // All but "." and "..", in no order. The kind is what the file system says for nothing, `unknown`
  // where it does not. Errors: as fail_errno.
  [[nodiscard]] Result<NameList> names() const;

  // Errors: as fail_errno; not_found for a link that leads nowhere, when they are followed.
  [[nodiscard]] Result<FileFacts> facts(std::string_view name, Links links) const;
  // Of the directory itself.
  [[nodiscard]] Result<FileFacts> facts() const;
  // What the link `name` says, whatever is there. Errors: as fail_errno.
  [[nodiscard]] Result<std::string> link_target(std::string_view name) const;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  DirectoryReader(UniqueFd fd, std::filesystem::path path)
      : fd_{std::move(fd)}, path_{std::move(path)} {}
  UniqueFd fd_;
  std::filesystem::path path_;
};

// Of `path`. Errors: as fail_errno.
[[nodiscard]] Result<FileFacts> file_facts(const std::filesystem::path& path, Links links);

// Sets when the file was last modified, as it says itself. Errors: as fail_errno.
[[nodiscard]] Result<void> set_modified(const std::filesystem::path& path, FileTimestamp time);

}  // namespace runctl
