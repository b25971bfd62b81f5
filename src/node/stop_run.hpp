// Ending a run before it ends by itself.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "node/run.hpp"
#include "node/script.hpp"

namespace runctl::node {

// What programs know as a wish to end, and what they may have agreed upon for it.
inline constexpr std::array<std::string_view, 7> stop_signals{"TERM", "INT",  "HUP", "QUIT",
                                                              "USR1", "USR2", "KILL"};

enum class SendSignal : bool { no, yes };
enum class KillAll : bool { no, yes };

struct StopStep {
  std::string signal = "TERM";  // one of stop_signals
  SendSignal send = SendSignal::yes;
  std::string by = {};  // who asks, in words: user@host
  KillAll kill = KillAll::no;
  std::chrono::milliseconds wait{0};  // on the machine, for the end; in steps of 100 ms
};

struct LeftProcess {
  std::int64_t pid = 0;
  std::string command = {};
};

struct StopProgress {
  RunReport run;
  bool was_asked = false;  // or had ended before
  // Processes of the run that still live, when it has ended too: what it forked goes on until it is
  // ended. The first ten of them.
  std::size_t left_count = 0;
  std::vector<LeftProcess> left = {};
};

// Sends the signal to all processes of the run: those of its session, and those that went into
// another one with its id in their environment; never to another process that has one of their
// numbers by now. Before that, who asked for it and when is written down, so that the run's end is
// told as `stopped`; a run that had ended keeps its own outcome. The same signal is sent once,
// however often this is called: programs take a second one for impatience, and drop what the first
// one began. With KillAll the same processes get SIGKILL, again and again for five seconds; the
// wrapper lives on to write down how the run ended.
// Errors: not_found (no_run), invalid_argument for another signal; as run_script.
[[nodiscard]] Result<StopProgress> stop_run(const Machine& machine, const RunId& id,
                                            const StopStep& step);

}  // namespace runctl::node
