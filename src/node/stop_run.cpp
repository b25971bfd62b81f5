#include "node/stop_run.hpp"

#include <algorithm>
#include <utility>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "base/json.hpp"
#include "node/run_report.hpp"

namespace runctl::node {
namespace {

// A field of a line of blanks and words.
std::string in_one_line(std::string_view text) {
  constexpr std::size_t longest = 100;
  std::string line{text.substr(0, longest)};
  std::ranges::replace_if(line, [](char c) { return c < ' ' || c == '\x7F'; }, '?');
  return line;
}

}  // namespace

Result<StopProgress> stop_run(const Machine& machine, const RunId& id, const StopStep& step) {
  if (std::ranges::find(stop_signals, step.signal) == stop_signals.end()) {
    return fail(Errc::invalid_argument, fmt::format("no signal to stop a run by: '{}'",
                                                    to_utf8(step.signal.substr(0, 20))));
  }
  const auto tenths = step.wait / std::chrono::milliseconds{100};
  const Script script{.name = "stop_run",
                      .parameters = {{"RUN_ID", id.str()},
                                     {"SIGNAL", step.signal},
                                     {"SEND", step.send == SendSignal::yes ? "yes" : "no"},
                                     {"BY", in_one_line(step.by)},
                                     {"FORCE", step.kill == KillAll::yes ? "yes" : "no"},
                                     {"WAIT_TENTHS", std::to_string(tenths)}}};
  RUNCTL_TRY_LET(const auto record, run_script(machine, script));
  RUNCTL_TRY_LET(auto run, read_run_report(machine.instance, record));
  StopProgress progress{.run = std::move(run)};
  progress.was_asked = boolean_at(record, "already").value_or(false);
  progress.left_count =
      static_cast<std::size_t>(std::max<std::int64_t>(integer_at(record, "left").value_or(0), 0));
  if (const auto* processes = array_at(record, "processes")) {
    for (const auto& process : *processes) {
      progress.left.push_back({.pid = integer_at(process, "pid").value_or(0),
                               .command = string_at(process, "command").value_or("")});
    }
  }
  return progress;
}

}  // namespace runctl::node
