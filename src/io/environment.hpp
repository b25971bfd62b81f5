// The process's environment variables as a value, taken once by main().
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace runctl {

struct Environment {
  std::map<std::string, std::string, std::less<>> variables = {};

  // Nothing when the variable is unset; a variable that is set but empty counts as unset, as in
  // AWS's tools.
  [[nodiscard]] std::optional<std::string> get(std::string_view name) const;
};

// A copy of what this process was started with. Thread safety: only while no thread calls setenv().
[[nodiscard]] Environment current_environment();

}  // namespace runctl
