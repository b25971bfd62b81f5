// What a run with --resume goes on from: the newest checkpoint that verifies, or the beginning.
#pragma once

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>

#include "base/result.hpp"
#include "io/clock.hpp"
#include "node/choose_checkpoint.hpp"
#include "node/run.hpp"
#include "volume/facts.hpp"
#include "volume/session.hpp"

namespace runctl::training {

struct ResumePoint {
  node::CheckpointChoice choice = {};
  std::string path = {};  // of the file or folder, as the script gets it; "" for the beginning
};

// Reads what is newest whole, then the next, until one verifies. A directory without checkpoints,
// or with nothing but what a writer left unfinished, is gone on from the beginning. The choice is
// made under the lock that runs hold, and the fencing number that it has must be the directory's
// when the run starts (give_to()): so a run that still writes is refused, and one that came in
// between too. Errors: conflict (`busy`; `no_good_checkpoint`: there are some, and none verifies,
// each in the details); those of checkpoint::find_newest.
[[nodiscard]] Result<ResumePoint> resume_point_here(const std::filesystem::path& directory,
                                                    Clock& clock, const std::stop_token& stop);
// The same without the lock, for a plan: what would be chosen now.
[[nodiscard]] Result<ResumePoint> foresee_resume_point(const std::filesystem::path& directory,
                                                       const std::stop_token& stop);

// The same on a machine, on which `volume` is mounted. Errors: those of node::choose_checkpoint
// besides, with their ways out.
[[nodiscard]] Result<ResumePoint> resume_point_on_machine(const volume::Session& session,
                                                          const InstanceId& instance,
                                                          const VolumeId& volume,
                                                          const std::string& directory);

// Makes `run` go on from there: RUNCTL_RESUME_FROM, which a run from the beginning has not, and the
// fencing number.
void give_to(node::RunSpec& run, const ResumePoint& point);

// Of a refusal that is `busy` or `changed`: why, and the ways out. `where` is the option that finds
// the runs of its machine: " --local".
void explain_refusal(Error& error, const std::string& where);

}  // namespace runctl::training
