#include "training/code_tree.hpp"

#include <filesystem>
#include <numeric>
#include <system_error>
#include <utility>

#include "io/file.hpp"
#include "training/code_walk.hpp"

namespace runctl::training {

namespace fs = std::filesystem;

std::string_view in_words(LeftOutReason reason) {
  switch (reason) {
    case LeftOutReason::secret:
      return "has the name of a secret";
    case LeftOutReason::link_out:
      return "is a link that leads out of the project";
    case LeftOutReason::special:
      return "is a device, a socket or a pipe";
    case LeftOutReason::unreadable:
      return "cannot be read";
  }
  std::unreachable();
}

std::string_view name_of(LeftOutReason reason) {
  switch (reason) {
    case LeftOutReason::secret:
      return "secret";
    case LeftOutReason::link_out:
      return "link_out";
    case LeftOutReason::special:
      return "special";
    case LeftOutReason::unreadable:
      return "unreadable";
  }
  std::unreachable();
}

std::uint64_t CodeTree::bytes() const {
  return std::accumulate(
      entries.begin(), entries.end(), std::uint64_t{0},
      [](std::uint64_t sum, const CodeEntry& entry) { return sum + entry.stamp.size; });
}

Result<CodeTree> collect_code(const CodeRequest& request) {
  CodeTree tree;
  tree.looked_at = request.now;
  RUNCTL_TRY_LET(tree.root, find_project_root(request.script, request.home));
  if (request.script_alone || tree.root.marker == RootMarker::alone) {
    // It runs in a folder of its own, as it would in the one where it lies. A link to it is no link
    // to anything there.
    std::error_code error;
    const fs::path real = fs::canonical(request.script, error);
    if (error) return fail_errno(error.value(), "look at", request.script);
    tree.root = {.path = real.parent_path(),
                 .script = real.filename().string(),
                 .marker = RootMarker::alone};
  }
  RUNCTL_TRY(walk_project(request, tree));
  return tree;
}

}  // namespace runctl::training
