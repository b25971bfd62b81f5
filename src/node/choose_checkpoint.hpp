// The checkpoint that a run goes on from, chosen where the checkpoints are.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "node/job.hpp"
#include "node/script.hpp"

namespace runctl::node {

// Names are any bytes. Formats, states and orders have the names that `runctl checkpoint` gives
// them.
struct ChosenCheckpoint {
  std::string name = {};  // in the directory; "" when that is one checkpoint itself
  std::string format = {};
  std::string state = {};  // "sound", "complete"
  std::string why = {};    // of one that is not sound
  std::optional<double> epoch = {};
  std::optional<std::uint64_t> step = {};
};

struct PassedOver {
  std::string name = {};
  std::string state = {};
  std::string why = {};
};

struct CheckpointChoice {
  std::optional<ChosenCheckpoint> checkpoint = {};  // nothing: there is none to go on from
  std::string ordered_by = {};                      // "step", "epoch", "time"
  std::vector<PassedOver> passed_over = {};  // newer ones, the newest first; from a machine, 20
  std::uint64_t passed_over_count = 0;
  // Of these, those that are more than what a writer left unfinished, by its name.
  std::uint64_t bad_count = 0;
  std::string written_later = {};  // a good one that counts less and was written later; "" for none
  // The last run's that had the directory. The one that goes on must find it still the same
  // (RunSpec::expected_fence).
  std::int64_t fence = 0;
};

// Chooses in `directory` on a mounted volume: as a job, since whole files are read there. Holds the
// directory's lock meanwhile, so that no run of ours writes. A directory that is not there has no
// checkpoint. Errors (`remote->code`): conflict (busy: a run or another choice has the directory),
// precondition (no_python: nothing can be verified; not_started: its fencing number is damaged),
// invalid_argument (bad_parameter: it is no folder of checkpoints), internal (io_error); as
// run_job.
[[nodiscard]] Result<CheckpointChoice> choose_checkpoint(const Machine& machine,
                                                         const VolumeId& volume,
                                                         const std::string& directory,
                                                         const JobWatch& watch);

}  // namespace runctl::node
