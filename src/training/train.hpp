// A training run on a machine, from its volumes to its outcome.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "node/run.hpp"
#include "training/code_sync.hpp"
#include "training/code_tree.hpp"
#include "training/resume_point.hpp"
#include "volume/change.hpp"
#include "volume/facts.hpp"
#include "volume/session.hpp"

namespace runctl::training {

enum class Resume : bool { no, yes };

struct TrainSpec {
  volume::InstanceFacts instance;
  CodeTree code = {};  // its script is what runs
  std::optional<volume::VolumeFacts> data_volume = {};
  std::optional<volume::VolumeFacts> checkpoint_volume = {};  // may be the same as the data volume
  Resume resume = Resume::no;
  std::vector<std::string> arguments = {};
};

struct Started {
  node::RunReport run;
  CodeDelivery code = {};
  std::optional<ResumePoint> resume_point = {};  // of a run with --resume
};

// Attaches and mounts the volumes where they are not yet, sends the code, and starts the run, which
// goes on without us from then on, in a folder of its own that has the code as it is now. With
// --resume, what it goes on from is chosen first. Errors: conflict for a volume that another
// machine holds or a checkpoint directory that another run uses, with the holder; those of attach,
// mount, resume_point_on_machine, sync_code and start_run.
[[nodiscard]] Result<Started> start(const volume::Change& change, TrainSpec& spec,
                                    const SyncSettings& settings);

}  // namespace runctl::training
