// A directory below another one, reached without following a link, and what is made in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"
#include "io/file.hpp"
#include "io/random_access_file.hpp"

namespace runctl {

// Holds the directory itself, so that nothing that is done through it ends elsewhere, even if the
// path is changed meanwhile. Names are single components.
// Thread safety: may be used from several threads at once.
class Directory {
 public:
  Directory() = default;

  // `below` is relative to `root`, "" for `root` itself; its missing directories are made. `root`
  // may be reached over links, what is below it not. Errors: as fail_errno; invalid_argument for an
  // empty, "." or ".." component, or one that is a link or no directory; conflict for one that is
  // there under another name (merged_names.hpp).
  [[nodiscard]] static Result<Directory> make_below(const std::filesystem::path& root,
                                                    std::string_view below);

  // Opens `name` for reading and writing, making it (mode 0666 less the umask) when it is not
  // there. Errors: as fail_errno; invalid_argument when it is a link or no regular file.
  [[nodiscard]] Result<RandomAccessFile> open(const std::string& name) const;
  // Makes a file that has no name, and is gone when it is closed before it has got one by link().
  // Nothing where the file system or the machine has no such files. `name` is for messages. Errors:
  // as fail_errno.
  [[nodiscard]] Result<std::optional<RandomAccessFile>> open_unnamed(const std::string& name) const;
  // Names what open_unnamed() has made. False, and nothing is done, when something has that name.
  // Errors: as fail_errno.
  [[nodiscard]] Result<bool> link(const RandomAccessFile& file, const std::string& name) const;
  // Whether there is something of that name: a file, a directory, a link. Errors: as fail_errno.
  [[nodiscard]] Result<bool> has(const std::string& name) const;
  // Whether the directory itself still has a name.
  [[nodiscard]] bool is_there() const;
  // Whether `name` names the file that is open as `file`.
  [[nodiscard]] Result<bool> is_named(const std::string& name, const RandomAccessFile& file) const;
  // The content of a file of at most `limit` bytes, nothing when there is no such file.
  [[nodiscard]] Result<std::optional<std::string>> read(const std::string& name,
                                                        std::size_t limit) const;
  // Replaces what is at `to`, a link itself rather than what it names. Errors: as fail_errno.
  [[nodiscard]] Result<void> rename(const std::string& from, const std::string& to) const;
  // The same, but only of what has that very name. Errors: conflict when the file system takes the
  // name of something else for it (merged_names.hpp).
  [[nodiscard]] Result<void> give_name(const std::string& from, const std::string& to) const;
  // What is not there is a success.
  [[nodiscard]] Result<void> remove(const std::string& name) const;
  // Makes the names in it durable.
  [[nodiscard]] Result<void> sync() const;

  [[nodiscard]] bool is_open() const { return fd_.is_open(); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  Directory(UniqueFd fd, std::filesystem::path path) : fd_{std::move(fd)}, path_{std::move(path)} {}

  UniqueFd fd_;
  std::filesystem::path path_;
};

}  // namespace runctl
