// Stopping a run, and what is said of it.
#pragma once

#include <string>

#include "base/result.hpp"
#include "cli/context.hpp"
#include "cli/runs/host.hpp"
#include "node/run.hpp"
#include "training/stop.hpp"

namespace runctl::cli {

// Who asks, as the run's record names them: user@host.
[[nodiscard]] std::string asker(const Context& context);

// Stops it, as one operation of the journal where it is on a rented machine. Errors: those of
// training::stop.
[[nodiscard]] Result<training::Stopped> stop_run(Context& context, const RunHost& host,
                                                 const node::RunId& run, training::StopSpec spec);

void present_stopped(Context& context, const RunHost& host, const training::Stopped& stopped);

}  // namespace runctl::cli
