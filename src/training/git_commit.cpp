#include "training/git_commit.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <system_error>

#include "base/text.hpp"
#include "io/file.hpp"

namespace runctl::training {
namespace {

namespace fs = std::filesystem;

// HEAD and the like are a line; the packed references of a large repository are megabytes.
constexpr std::uint64_t line_limit = 4'096;
constexpr std::uint64_t packed_limit = std::uint64_t{64} << 20U;

std::string line_of(const fs::path& path) {
  const auto text = read_file(path, line_limit);
  return text ? std::string{trim(*text)} : std::string{};
}

// SHA-1 or SHA-256.
bool is_commit(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Where HEAD is: `.git` itself, or what the file of that name points to.
std::optional<fs::path> git_directory(fs::path folder) {
  std::error_code error;
  folder = fs::weakly_canonical(folder, error);
  while (!error && !folder.empty()) {
    fs::path git = folder / ".git";
    if (fs::is_directory(git, error)) return git;
    if (fs::is_regular_file(git, error)) {
      const std::string line = line_of(git);
      constexpr std::string_view prefix = "gitdir: ";
      if (!line.starts_with(prefix)) return std::nullopt;
      return folder / line.substr(prefix.size());
    }
    error.clear();  // there is none here
    if (folder == folder.root_path()) break;
    folder = folder.parent_path();
  }
  return std::nullopt;
}

std::string packed_reference(const fs::path& common, std::string_view name) {
  const auto packed = read_file(common / "packed-refs", packed_limit);
  if (!packed) return "";
  for (const std::string_view line : split(*packed, '\n')) {
    const auto blank = line.find(' ');
    if (blank != std::string_view::npos && line.substr(blank + 1) == name) {
      return std::string{line.substr(0, blank)};
    }
  }
  return "";
}

}  // namespace

std::string git_commit_of(const fs::path& folder) {
  const auto git = git_directory(folder.empty() ? fs::path{"."} : folder);
  if (!git) return "";
  // A worktree has a HEAD of its own, and its branches with the others'.
  const std::string shared = line_of(*git / "commondir");
  const fs::path common = shared.empty() ? *git : *git / shared;
  std::string value = line_of(*git / "HEAD");
  constexpr std::string_view symbolic = "ref: ";
  // A reference may name another one; git itself follows five.
  for (int depth = 0; depth < 5 && value.starts_with(symbolic); ++depth) {
    const std::string name = value.substr(symbolic.size());
    if (!name.starts_with("refs/") || name.contains("..")) return "";
    value = line_of(common / name);
    if (value.empty()) value = packed_reference(common, name);
  }
  return is_commit(value) ? value : "";
}

}  // namespace runctl::training
