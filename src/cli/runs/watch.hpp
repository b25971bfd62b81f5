// Following a run on the terminal until it ends, or until one has seen enough.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include <boost/json/object.hpp>

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
  std::string come_back = {};  // the command that comes back to it; empty: that of `runs logs`
};

// Shows the log on standard output (on standard error when that is the record's), and ends as the
// run ends: exit 0 or 1 (7: see conclude), when its results are uploaded as well. At --timeout it
// ends with 6 and at Ctrl-C with 130, the run going on; both say how to come back. On a terminal a
// second Ctrl-C within three seconds asks whether to stop the run. Errors: those of
// training::follow.
[[nodiscard]] Result<ExitCode> watch(Context& context, const Watch& watch);

// The same without a word about its end: how the run ended; or, when one has seen enough, the exit
// code that says so.
using Seen = std::variant<node::RunReport, ExitCode>;
[[nodiscard]] Result<Seen> watch_to_its_end(Context& context, const Watch& watch);

// The run's own outcome, on standard error for people and as a record, which gets the members of
// `more` as well; exit 0 or 1, or 7 for one that succeeded and whose results are not all uploaded.
[[nodiscard]] ExitCode conclude(Context& context, const node::RunReport& run,
                                boost::json::object more = {});

// "runctl runs logs RUN --follow --since-offset N"
[[nodiscard]] std::string way_back(const node::RunId& run, std::uint64_t offset);

}  // namespace runctl::cli
