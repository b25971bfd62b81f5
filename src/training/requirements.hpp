// Requirements files, in pip's format, as far as one has to know them to tell whether two are the
// same.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace runctl::training {

struct Requirements {
  std::string content = {};  // of the file and those that it includes, one after the other
  std::vector<std::string> files = {};  // all of them, relative to the root
  bool names_local_packages = false;    // folders or files of the project, or of the machine
};

// `file` is relative to `root`. Files included by -r and -c are read as well, those with addresses
// are not. Source: "Requirements File Format" of pip's documentation. Errors: invalid_argument for
// a file outside the root, and for more than 100 files; not_found, naming the place of the
// inclusion; as fail_errno.
[[nodiscard]] Result<Requirements> read_requirements(const std::filesystem::path& root,
                                                     const std::string& file);

}  // namespace runctl::training
