// Which folder is the project of a script: what is sent, and where the script runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace runctl::training {

// What made a folder the project's, the strongest first: an outer `.runctl.toml` counts before an
// inner git repository, since somebody wrote it for this very program; a repository before a
// `pyproject.toml` in it, since scripts in a repository import from all over it.
enum class RootMarker : std::uint8_t {
  settings,   // .runctl.toml
  git,        // the top of a git working tree
  pyproject,  // pyproject.toml
  none,       // the script's own folder
  alone,  // no folder: the script lies in a home folder, in / or in one that people share, as /tmp
};
// "its .runctl.toml", to stand behind "found by".
[[nodiscard]] std::string_view in_words(RootMarker marker);

struct ProjectRoot {
  std::filesystem::path path = {};  // absolute, without links
  std::string script = {};          // relative to it
  RootMarker marker = RootMarker::none;
  // The top of the git working tree that it is, or is in.
  std::optional<std::filesystem::path> git_top = {};
};

// Looks from the script's folder upward, up to the user's `home`, which is never a project itself:
// a repository there is one of dotfiles, a `.runctl.toml` one of settings. Nor is a folder that
// people share, with the sticky bit, such as /tmp: what lies there may be another user's. Errors:
// not_found when there is no such script; invalid_argument when it is no file; as fail_errno.
[[nodiscard]] Result<ProjectRoot> find_project_root(const std::filesystem::path& script,
                                                    const std::filesystem::path& home);

// Where the project's code is kept on machines and in the cache: "digits-3fa0b12c9d44a1b2", of the
// folder's name and its path here; of a script that is sent alone, its own.
[[nodiscard]] std::string project_key(const ProjectRoot& root);

}  // namespace runctl::training
