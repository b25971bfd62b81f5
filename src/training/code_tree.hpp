// The files of a project that go to a machine, and what of it does not go, and why.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time_text.hpp"
#include "training/project_root.hpp"

namespace runctl::training {

enum class EntryKind : std::uint8_t { file, executable, link };

// What a file looked like. Equal stamps mean equal content, but for changes within one tick of the
// file system's clock (stat_cache.hpp).
struct FileStamp {
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;
  std::uint64_t inode = 0;
  bool operator==(const FileStamp&) const = default;
};

struct CodeEntry {
  std::string path = {};  // relative to the root, '/' between components; any bytes but NUL
  EntryKind kind = EntryKind::file;
  FileStamp stamp = {};
  std::string target = {};  // of a link, relative
  std::string hash = {};    // SHA-256 of the content (of a link: its target), raw; "" if not known
};

enum class LeftOutReason : std::uint8_t {
  secret,      // by its name: secrets.hpp
  link_out,    // a symbolic link that leads out of the root
  special,     // a device, a socket, a pipe
  unreadable,  // a folder that cannot be read
};
// "leads out of the project", to stand behind the name.
[[nodiscard]] std::string_view in_words(LeftOutReason reason);
// "link_out", for programs: a stable name.
[[nodiscard]] std::string_view name_of(LeftOutReason reason);

struct LeftOut {
  std::string path;  // a folder's ends in '/'
  LeftOutReason reason = LeftOutReason::special;
};

struct CodeTree {
  ProjectRoot root = {};
  std::string commit = {};     // of git, 40 hexadecimal digits; "" without one
  std::string git_fault = {};  // why the .gitignore files alone count in a repository; or ""
  std::vector<CodeEntry> entries = {};  // in the order of the bytes of their paths
  std::vector<LeftOut> left_out = {};   // in the same order; what rules leave out is not among it
  Timestamp looked_at = {};             // when that began
  [[nodiscard]] std::uint64_t bytes() const;
};

struct CodeRequest {
  std::filesystem::path script = {};
  std::filesystem::path home = {};
  std::vector<std::string> include_patterns = {};
  bool script_alone = false;
  Timestamp now = {};
};

// More is no project's code; a folder that holds everything was taken for one.
inline constexpr std::size_t most_code_files = 200'000;

// What git tracks or would track: of a git working tree (and the submodules and repositories in
// it) what is in its index or not ignored; else what the .gitignore files do not ignore, nor a few
// rules for what Python leaves behind. Less what .runctlignore files (same syntax, any folder)
// match, tracked or not; plus what an --include-pattern matches; the script always. Where libgit2
// cannot read a repository (git has formats that it does not know), only the .gitignore files
// count, and `git_fault` says so. Secrets are left out even when they are tracked, but for one that
// a pattern without wildcards names. Symbolic links stay links when they lead inside the root, and
// are left out otherwise. `.git` is never sent, nor are empty folders. Nothing is read but rule
// files and git's index. Errors: those of find_project_root; invalid_argument for more than
// most_code_files and for a script that is a link out of the root; as fail_errno.
[[nodiscard]] Result<CodeTree> collect_code(const CodeRequest& request);

}  // namespace runctl::training
