// The code that a run needs, as it is sent to a machine.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "node/put_file.hpp"

namespace runctl::training {

struct CodeFile {
  std::string name;  // without directories
  std::string content;
  node::FileMode mode = node::FileMode::readable;
};

struct Code {
  std::vector<CodeFile> files = {};  // the script among them
  std::vector<std::string> left_out =
      {};  // what lies beside it and is not sent: hidden files, folders
  [[nodiscard]] std::uint64_t bytes() const;
};

enum class Siblings : bool { left_out, sent };

// The code goes through SSM, a few dozen kilobytes a command: this much is some seconds.
inline constexpr std::uint64_t code_limit = std::uint64_t{4} << 20U;

// The script and the regular files beside it. Links are followed only to files in the same folder.
// Errors: not_found for a script that is not there; invalid_argument above code_limit, naming the
// largest file; denied.
[[nodiscard]] Result<Code> collect_code(const std::filesystem::path& script, Siblings siblings);

}  // namespace runctl::training
