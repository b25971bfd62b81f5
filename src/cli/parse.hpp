// From the words of the command line to a command and its arguments.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cli/command.hpp"

namespace runctl::cli {

// What the words ask for.
struct Invocation {
  const CommandSpec* command = nullptr;  // null: help for the group `path`, or for all
  std::string path = {};                 // of the command or group
  bool wants_help = false;
  bool wants_version = false;
  Arguments arguments = {};
};

// The options that every command has.
[[nodiscard]] std::span<const OptionSpec> global_options();

// Global options may stand anywhere; all words behind `--` are the command's last positional.
// Errors: invalid_argument, with the nearest known name as the hint, for unknown commands and
// options, missing values, missing and superfluous words.
[[nodiscard]] Result<Invocation> parse(std::span<const CommandSpec> commands,
                                       std::span<const std::string> words);

}  // namespace runctl::cli
