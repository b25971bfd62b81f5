// What is done when the run of a workflow has ended.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "cli/command.hpp"
#include "cli/workflow/operation.hpp"
#include "journal/operation.hpp"
#include "node/run.hpp"
#include "volume/change.hpp"

namespace runctl::cli {

// How a run ended, as the journal keeps it: its machine may be gone when the rest is done.
struct RunEnd {
  ExitCode code = ExitCode::failure;
  std::string run = {};             // its id
  std::string words = {};           // "succeeded", "failed with exit status 1"
  std::string results = {};         // "s3://bucket/folder/RUN/"; empty without --output-s3
  bool results_are_whole = true;    // everything that it wrote is there
  boost::json::object record = {};  // record_of(run)
  boost::json::array interruptions = {};
  bool was_stopped = false;  // somebody asked it to end
  bool is_told = false;      // how it ended has been said
  // That kept the run from saying how it ended: its machine is gone.
  std::optional<Error> error = {};
};

[[nodiscard]] RunEnd end_of(const node::RunReport& run, boost::json::array interruptions);

[[nodiscard]] bool has_end(const journal::Operation& operation);
// Nothing when the operation has not come so far. Errors: corrupt.
[[nodiscard]] Result<std::optional<RunEnd>> read_end(const journal::Operation& operation);
// Errors: those of the journal.
[[nodiscard]] Result<void> write_end(const volume::Change& change, const RunEnd& end);

// Snapshot, machine, results, in this order, each of them once however often it is called for the
// operation; then says what there is and what it costs. `made` are the volumes that the operation
// has made. Results that are nowhere but on the machine's own disk keep it. Errors: those of
// end_machine, with the operation left open; the run's own.
[[nodiscard]] Result<ExitCode> finish(Workflow& workflow, const volume::Change& change, RunEnd end,
                                      const std::vector<VolumeId>& made);

}  // namespace runctl::cli
