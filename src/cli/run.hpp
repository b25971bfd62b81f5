// The program from its words to its exit code.
#pragma once

#include <span>
#include <string>

#include "cli/context.hpp"

namespace runctl::cli {

// All commands, in the order in which help lists them.
[[nodiscard]] std::span<const CommandSpec> command_table();

// Runs the command that `words` name and reports its error. Reads the configuration, and so fills
// context.globals, before the command runs.
[[nodiscard]] ExitCode run(Context& context, std::span<const std::string> words);

}  // namespace runctl::cli
