// runctl monitor --checkpoint
#pragma once

#include <cstddef>
#include <string>

#include "base/result.hpp"
#include "cli/command.hpp"
#include "cli/context.hpp"

namespace runctl::cli {

// Shows the `count` checkpoints of `path` that were written last, and with --follow those that
// become whole from then on, until Ctrl-C. Errors: those of open_checkpoint_place and of reading;
// deadline_exceeded at --timeout.
[[nodiscard]] Result<ExitCode> monitor_checkpoints(const std::string& path, std::size_t count,
                                                   const Arguments& arguments, Context& context);

}  // namespace runctl::cli
