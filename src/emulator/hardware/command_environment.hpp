// The environment in which commands of machines run.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace runctl::emulator {

// As the agent's on an instance: nothing of the emulator's own environment gets in, its keys least
// of all.
[[nodiscard]] inline std::vector<std::string> command_environment(std::string_view home) {
  return {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
          std::string{"HOME="}.append(home), "LANG=C.UTF-8"};
}

}  // namespace runctl::emulator
