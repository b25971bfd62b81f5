#include "cli/instance/run_text.hpp"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "base/time_text.hpp"

namespace runctl::cli {

boost::json::object record_of(const node::RunReport& run) {
  boost::json::object record{{"run_id", run.id.str()},
                             {"state", node::name_of(run.state)},
                             {"pid", run.pid},
                             {"fence", run.fence},
                             {"directory", run.directory},
                             {"command", run.command},
                             {"checkpoint_directory", run.checkpoint_directory}};
  if (run.exit_status) record["exit_status"] = *run.exit_status;
  if (run.signal) record["signal"] = *run.signal;
  if (run.started) record["started"] = iso8601(Timestamp{*run.started});
  if (run.ended) record["ended"] = iso8601(Timestamp{*run.ended});
  return record;
}

std::string outcome_text(const node::RunReport& run) {
  switch (run.state) {
    case node::RunState::running:
      return "is running";
    case node::RunState::succeeded:
      return "succeeded";
    case node::RunState::lost:
      return "is gone, and nothing says how it ended: its machine was stopped, or it was killed";
    case node::RunState::failed:
      if (run.signal) return fmt::format("was ended by signal {}", *run.signal);
      return fmt::format("failed with exit status {}", run.exit_status.value_or(-1));
  }
  std::unreachable();
}

}  // namespace runctl::cli
