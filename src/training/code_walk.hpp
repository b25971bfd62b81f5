// The walk through a project that decides of each file whether it is sent.
#pragma once

#include "base/result.hpp"
#include "training/code_tree.hpp"

namespace runctl::training {

// Fills the entries, what is left out, and what git says, of a tree whose root is known. Errors: as
// collect_code.
[[nodiscard]] Result<void> walk_project(const CodeRequest& request, CodeTree& tree);

}  // namespace runctl::training
