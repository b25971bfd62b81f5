// Following a run on the terminal until it ends, or until one has seen enough.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/result.hpp"
#include "cli/command.hpp"
#include "cli/context.hpp"
#include "cli/runs/host.hpp"
#include "node/run.hpp"

namespace runctl::cli {

struct Watch {
  const RunHost& host;
  const node::RunId& run;
  std::uint64_t from = 0;  // offset in the log
  // As training::Following's.
  std::optional<std::uint64_t> behind_limit = {};
};

// Shows the log on standard output (on standard error when that is the record's), and ends as the
// run ends: exit 0 or 1 (7: see conclude), when its results are uploaded as well. At --timeout it
// ends with 6 and at Ctrl-C with 130, the run going on; both say how to come back. On a terminal a
// second Ctrl-C within three seconds asks whether to stop the run. Errors: those of
// training::follow.
[[nodiscard]] Result<ExitCode> watch(Context& context, const Watch& watch);

// The run's own outcome, on standard error for people and as a record; exit 0 or 1, or 7 for one
// that succeeded and whose results are not all uploaded.
[[nodiscard]] ExitCode conclude(Context& context, const node::RunReport& run);

// "runctl runs logs RUN --follow --since-offset N"
[[nodiscard]] std::string way_back(const node::RunId& run, std::uint64_t offset);

}  // namespace runctl::cli
