// A training run on a machine, from its volumes to its outcome.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "node/run.hpp"
#include "training/code.hpp"
#include "volume/change.hpp"
#include "volume/facts.hpp"
#include "volume/session.hpp"

namespace runctl::training {

enum class Resume : bool { no, yes };

struct TrainSpec {
  volume::InstanceFacts instance;
  std::string script = {};  // the file's name among `code`
  Code code = {};
  std::optional<volume::VolumeFacts> data_volume = {};
  std::optional<volume::VolumeFacts> checkpoint_volume = {};  // may be the same as the data volume
  Resume resume = Resume::no;
  std::vector<std::string> arguments = {};
  std::string git_commit = {};  // of the code, where it is known; for the run's record
};

// Attaches and mounts the volumes where they are not yet, sends the code, and starts the run, which
// goes on without us from then on. Errors: conflict for a volume that another machine holds or a
// checkpoint directory that another run uses, with the holder; those of attach, mount, put_file and
// start_run.
[[nodiscard]] Result<node::RunReport> start(const volume::Change& change, const TrainSpec& spec);

}  // namespace runctl::training
