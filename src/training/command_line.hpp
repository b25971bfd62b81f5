// How a script is started, on a rented machine and on this one.
#pragma once

#include <string>
#include <vector>

namespace runctl::training {

// `script` is relative to the directory that it is started in: the project's root, as when it is
// started there by hand.
[[nodiscard]] std::vector<std::string> command_line(const std::string& script,
                                                    const std::vector<std::string>& arguments);

}  // namespace runctl::training
