// The environment in which commands of machines run.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace runctl::emulator {

// As the agent's on an instance: nothing of the emulator's own environment gets in, its keys least
// of all. `more` comes from whoever gave the command.
[[nodiscard]] inline std::vector<std::string> command_environment(
    std::string_view home, const std::vector<std::string>& more) {
  std::vector<std::string> variables{
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      std::string{"HOME="}.append(home), "LANG=C.UTF-8"};
  variables.insert(variables.end(), more.begin(), more.end());
  return variables;
}

}  // namespace runctl::emulator
