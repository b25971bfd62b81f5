// The files of a directory, in the order of the keys that they become.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "io/directory_reader.hpp"
#include "transfer/ignore_rules.hpp"
#include "transfer/object_name.hpp"

namespace runctl::transfer {

// Why something in a tree is no file to transfer.
enum class Obstacle : std::uint8_t {
  symlink,          // and links are not followed
  dangling_link,    // it leads nowhere
  link_cycle,       // it leads to a directory that it is in
  special_file,     // a device, a socket, a pipe
  empty_directory,  // S3 has no directories
  unreadable,       // a directory that cannot be read, or something that cannot be looked at
  unfinished,       // an unfinished download
  vanished,         // it was there when the directory was read
  name,             // see `fault`
};

// "it is a symbolic link", to stand behind the name and a colon.
[[nodiscard]] std::string_view in_words(Obstacle obstacle);
// "symlink", for programs: a stable name.
[[nodiscard]] std::string_view name_of(Obstacle obstacle);
// Whether something that somebody may want in S3 does not get there. What is not one of these
// (links, special files, empty directories) is left out by design.
[[nodiscard]] bool is_failure(Obstacle obstacle);

struct TreeItem {
  std::string name;                       // relative to the root, components divided by '/'
  FileFacts facts = {};                   // of a file; what is known of anything else
  std::optional<Obstacle> obstacle = {};  // nothing: it is a file, to be transferred
  NameFault fault = NameFault::none;
  std::string why = {};  // what the system says, where it said something
};

struct WalkOptions {
  Links links = Links::shown;
  NameFilter filter = {};
  std::size_t folder_size = 0;  // bytes that stand before the name in its key
};

// Walks a directory once. Everything in it is told, files and obstacles, in the order of the bytes
// of their names; only what the filter leaves out is not. A directory is told only when it is an
// obstacle: its name ends in '/' then, and stands for all that is below it. Other file systems that
// are mounted in it are walked too. Memory: the names in the directories from the root to where the
// walk is, about 12 bytes more than each name has. Open files: one a level, at most 512.
class LocalTree {
 public:
  // Errors: as fail_errno, for the root alone.
  [[nodiscard]] static Result<LocalTree> open(const std::filesystem::path& root,
                                              WalkOptions options);

  // The next, nothing after the last.
  [[nodiscard]] std::optional<TreeItem> next();

 private:
  struct Level {
    DirectoryReader directory;
    NameList names;
    std::string prefix;  // "" or "a/b/"
    FileFacts facts = {};
    std::size_t at = 0;
  };
  explicit LocalTree(WalkOptions options) : options_{std::move(options)} {}

  [[nodiscard]] Result<NameList> sorted_names(const DirectoryReader& directory) const;
  [[nodiscard]] std::optional<TreeItem> look_at(const Level& level, std::string_view name,
                                                FileKind kind);
  [[nodiscard]] std::optional<TreeItem> enter(const Level& level, std::string_view name,
                                              std::string path);
  [[nodiscard]] bool is_open(const FileFacts& facts) const;

  WalkOptions options_;
  std::vector<Level> levels_;
};

}  // namespace runctl::transfer
