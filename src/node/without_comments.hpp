// Scripts that have to fit, beside other things, into one command.
#pragma once

#include <string>
#include <string_view>

namespace runctl::node {

// The script without the lines that are nothing but a comment of sh, awk or Python: a third of it.
// No text in our scripts has such lines. Pure.
[[nodiscard]] std::string without_comments(std::string_view script);

}  // namespace runctl::node
