// Following a run from its log to its outcome, over connections that break.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "io/clock.hpp"
#include "node/run.hpp"
#include "node/script.hpp"

namespace runctl::training {

// Borrows the clock and the machine's shell; lives as long as one call. No function is null but for
// look_at_machine.
struct Following {
  node::Machine machine;  // its `stop` ends the following, never the run
  Clock& clock;
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  // Gets the log's bytes, in order.
  std::function<void(std::string_view)> write = [](std::string_view) {};
  // Gets lines for people about the following itself: what is left out, and when the machine does
  // not answer.
  std::function<void(std::string_view)> tell = [](std::string_view) {};
  // Called once when the run has ended, and its results are still uploaded.
  std::function<void()> uploading = [] {};
  // Asked when the machine has not answered for a while; an error ends the following: it is gone.
  std::function<Result<void>()> look_at_machine = {};
  std::uint64_t from = 0;  // offset in the log
  // More than that behind the log's end, the following goes on near the end and says how much was
  // left out. Nothing: it delivers every byte, however long that takes.
  std::optional<std::uint64_t> behind_limit = {};
};

// For those who look at a run while it goes on: at what SSM brings (some 100 KiB of text a command,
// and a command takes a second on AWS) this is half a minute behind.
inline constexpr std::uint64_t live_behind_limit = std::uint64_t{4} << 20U;

struct Followed {
  node::RunReport run;
  std::uint64_t next_offset = 0;
  std::uint64_t left_out = 0;  // bytes of the log that `write` did not get
};

// Gives the run's output to `write` as it comes, at most 1 MiB at a time, and returns how the run
// ended, once what uploads its results is over as well. A machine that does not answer is asked
// again, with growing pauses (to ten seconds), until it answers, the deadline passes, or
// look_at_machine says that it is gone. Errors: deadline_exceeded and cancelled, the run going on
// (effect applied); not_found (no_run), denied; those of look_at_machine; corrupt for answers that
// five times in a row are no records.
[[nodiscard]] Result<Followed> follow(const Following& following, const node::RunId& run);

// The offset in the log at which its last `lines` lines begin, looked for in its last 1 MiB.
// Errors: those of run_status.
[[nodiscard]] Result<std::uint64_t> offset_of_last_lines(const node::Machine& machine,
                                                         const node::RunId& run, std::size_t lines);

}  // namespace runctl::training
