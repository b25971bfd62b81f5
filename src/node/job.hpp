// Jobs: scripts that take long, started apart from the connection and followed to their end.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string_view>

#include <boost/json/value.hpp>

#include "base/result.hpp"
#include "io/clock.hpp"
#include "node/script.hpp"

namespace runctl::node {

struct JobProgress {
  std::uint64_t done_bytes = 0;
  std::uint64_t total_bytes = 0;  // 0 while it is not known
};

// How a job is followed. Borrows the clock.
struct JobWatch {
  Clock& clock;
  std::chrono::steady_clock::time_point deadline;
  std::function<void(const JobProgress&)> progress = {};  // at most twice a second
};

// How fast a job is, as far as it has been seen.
struct JobPace {
  std::chrono::milliseconds elapsed;
  std::uint64_t done_bytes = 0;  // in that time
  std::uint64_t left_bytes = 0;  // 0 while it is not known
};

// How long the next look at a job waits on the machine for its end, after one of `last`: half of
// the time that seems to be left, since the end of a short look is seen sooner; half a second to
// five. Pure.
[[nodiscard]] std::chrono::milliseconds next_look(std::chrono::milliseconds last,
                                                  const JobPace& pace);

// Runs `script` on `target`, a volume (its id) or something else that has a name of letters,
// digits,
// '.', '_' and '-', as a job of the machine and returns its record, as run_script does. At most one
// job of a script's name and a target is under way on a machine. The same one (same
// parameters) is followed, not started twice; another one is refused (locked). When this program
// dies the job goes on to its end, and the next call follows it; what has ended is never taken for
// an answer, since the target may have changed since, so the next call runs it again. The machine
// is asked again for up to a minute when it does not answer. When `watch.deadline` passes or
// machine.stop is requested, the job is ended on the machine with all its processes (SIGTERM, upon
// which it takes back what it did, and SIGKILL 20 s later), also when another call follows it.
// Errors: deadline_exceeded, cancelled (effect not_applied when the job is known to have ended and
// to have cleaned up after itself, else unknown, and the message says which), unavailable (effect
// unknown: it goes on there), internal (killed, or it gave no record); as run_script.
[[nodiscard]] Result<boost::json::value> run_job(const Machine& machine, const Script& script,
                                                 std::string_view target, const JobWatch& watch);

enum class JobEnd : std::uint8_t {
  none,     // nothing was under way
  ended,    // it has ended, and cleaned up after itself
  killed,   // it has ended, and may have left something
  running,  // it could not be ended
};

// Ends the job of that name and target, if one is under way, and waits until it is gone: up to half
// a minute. Errors: as run_script.
[[nodiscard]] Result<JobEnd> stop_job(const Machine& machine, std::string_view name,
                                      std::string_view target);

}  // namespace runctl::node
