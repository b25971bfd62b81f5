// Lines that fit a terminal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace runctl::cli {

// The text in lines of at most `width` columns, broken at blanks; a word that is longer stays
// whole. Each line but the first starts with `hanging`, which counts. Width 0 breaks nothing.
[[nodiscard]] std::string wrapped(std::string_view text, unsigned width,
                                  std::string_view hanging = "");

// A command as a shell takes it, quoted where it must be, in lines that a backslash continues. An
// option stays with its value.
[[nodiscard]] std::string command_lines(const std::vector<std::string>& words, unsigned width);

}  // namespace runctl::cli
