// Which commit a folder of code stands at, read from git's own files.
#pragma once

#include <filesystem>
#include <string>

namespace runctl::training {

// The hexadecimal name of the commit that is checked out in the repository that `folder` lies in;
// "" where there is none, or none that can be read: it is only for a run's record. Follows HEAD
// through branches, packed references and the `.git` files of worktrees.
// Source: gitrepository-layout(5).
[[nodiscard]] std::string git_commit_of(const std::filesystem::path& folder);

}  // namespace runctl::training
