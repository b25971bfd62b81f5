// Which packages a script needs, by what its project says of them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "node/run.hpp"
#include "training/project_root.hpp"

namespace runctl::training {

// What --packages takes besides the name of a file.
inline constexpr std::string_view packages_auto = "auto";
inline constexpr std::string_view packages_none = "none";

struct PackagesRequest {
  // "auto": inline metadata of the script (PEP 723), else, from the script's folder up to the
  // root, the first uv.lock with its pyproject.toml, requirements.txt, or pyproject.toml with
  // dependencies. "none", or a file of the project, by its path from the root: a requirements file
  // (.txt, .in), a pyproject.toml, a script (.py), or a conda environment (.yml, .yaml), which is
  // used only when it is named.
  std::string source{packages_auto};
  // Whether the machine gets the file of that path; null: it has them all.
  std::function<bool(std::string_view)> is_sent = {};
};

// Nothing where nothing is needed. A requirements file that names folders or files of the project
// gives an environment to `run` alone, others one that runs share. Errors: invalid_argument for a
// file of another kind or with mistakes (with their place), whose dependencies are dynamic, or that
// is not sent to the machine; not_found; as fail_errno.
[[nodiscard]] Result<std::optional<node::RunPackages>> find_packages(
    const ProjectRoot& root, const node::RunId& run, const PackagesRequest& request);

// "install the packages of requirements.txt", for a plan.
[[nodiscard]] std::string in_words(const node::RunPackages& packages);

}  // namespace runctl::training
