// What git knows of a working tree, read by libgit2, which is loaded when it is first needed: it
// brings fifteen libraries (Kerberos, SSH, TLS) that `runctl --version` has no time for.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace runctl {

struct GitFacts {
  // Relative to the working tree, '/' between components, in the order of their bytes, each once:
  // also in the middle of a merge. Submodules are not among them.
  std::vector<std::string> tracked = {};
  std::vector<std::string> submodules = {};  // their directories, in the same order
  std::string head = {};  // the commit, 40 hexadecimal digits; "" before the first
  // Where more ignore rules are, the weaker first; they need not exist: core.excludesFile (or git's
  // default for it), and info/exclude of the repository.
  std::vector<std::filesystem::path> ignore_files = {};
};

// Of the working tree whose top is `top`, the folder that has `.git` in it (a directory, or the
// file of a worktree or a submodule). Nothing is written, and nothing that the repository says is
// run, so that it may belong to somebody else. Errors: precondition when libgit2 is not there;
// corrupt when it cannot read the repository, in its words. Not for two threads at once.
[[nodiscard]] Result<GitFacts> read_git(const std::filesystem::path& top);

}  // namespace runctl
