#include "training/command_line.hpp"

namespace runctl::training {

std::vector<std::string> command_line(const std::string& script,
                                      const std::vector<std::string>& arguments) {
  const std::string path = "./" + script;
  std::vector<std::string> argv{path};
  if (script.ends_with(".py")) {
    // Unbuffered: a log that is followed must not lag behind.
    argv = {"/usr/bin/env", "python3", "-u", script.starts_with('-') ? path : script};
  }
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return argv;
}

}  // namespace runctl::training
