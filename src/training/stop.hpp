// Ending a run: asking it, waiting, and killing what does not listen.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "io/clock.hpp"
#include "node/stop_run.hpp"

namespace runctl::training {

// As Kubernetes gives its pods (terminationGracePeriodSeconds); docker's 10 s are too short to
// write a checkpoint: 30 s are 3.7 GB at the 125 MB/s of a gp3 volume. A spot notice gives 120 s.
inline constexpr std::chrono::seconds default_grace{30};

struct StopSpec {
  std::string signal = "TERM";  // one of node::stop_signals
  std::chrono::seconds grace = default_grace;
  std::string by = {};
};

struct Stopped {
  node::RunReport run;
  bool had_ended = false;  // before it was asked, with nothing left of it
  bool was_killed = false;
  std::size_t ended_processes = 0;  // that it had left behind
};

// Borrows the clock; `tell` gets a line for people when the grace is over.
struct Stopping {
  node::Machine machine;
  Clock& clock;
  std::function<void(std::string_view)> tell = [](std::string_view) {};
};

// Sends the signal to all processes of the run, gives them `grace` to end, and kills those that
// still live. A run that has ended with processes left behind has those ended in the same way, and
// keeps its outcome. Calling it again goes on where it was: the signal is not sent a second time.
// Errors: not_found (no_run); conflict when processes outlive SIGKILL (they wait for a device or a
// frozen file system), named in the details; cancelled and those of the shell, after which the run
// may be ending: the same call finds out.
[[nodiscard]] Result<Stopped> stop(const Stopping& stopping, const node::RunId& run,
                                   const StopSpec& spec);

}  // namespace runctl::training
