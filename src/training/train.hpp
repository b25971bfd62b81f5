// A training run on a machine, from its volumes to its outcome.
#pragma once

#include <functional>
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

// Brings data to the machine, to the volume where one is given, and gives the directory.
using Stage =
    std::function<Result<std::string>(const volume::Change&, const InstanceId&,
                                      const std::optional<volume::VolumeFacts>& data_volume)>;

// What is asked for by a run whose results are uploaded: whether they can be, before anything is
// done, and with what its machine can upload, when it is about to start.
struct UploadHooks {
  std::function<Result<void>(const node::RunId&, const std::vector<std::string>& argv)> prepare;
  std::function<Result<node::UploadSpec>(const node::RunId&)> sign;
  std::function<std::string(const node::RunId&)> target;  // in words: "s3://bucket/folder/RUN/"
};

struct TrainSpec {
  volume::InstanceFacts instance;
  CodeTree code = {};  // its script is what runs
  std::optional<volume::VolumeFacts> data_volume = {};
  std::optional<volume::VolumeFacts> checkpoint_volume = {};  // may be the same as the data volume
  Stage stage = {};                                           // null: the data are there
  std::optional<UploadHooks> upload = {};  // nothing: what it writes stays on the machine
  Resume resume = Resume::no;
  std::string packages = "auto";  // PackagesRequest::source
  std::vector<std::string> arguments = {};
  // InterruptionWatch::hook, on a spot machine; every spot machine is watched.
  std::string interruption_hook = {};
};

// Those that it names, each once; the data volume first.
[[nodiscard]] std::vector<volume::VolumeFacts> volumes_of(const TrainSpec& spec);

struct Started {
  node::RunReport run;
  CodeDelivery code = {};
  std::optional<ResumePoint> resume_point = {};  // of a run with --resume
};

// What the script needs, of the files that are sent. Errors: those of find_packages(root, …).
[[nodiscard]] Result<std::optional<node::RunPackages>> find_packages(const TrainSpec& spec,
                                                                     const node::RunId& run);

// Attaches and mounts the volumes where they are not yet, stages the data, sends the code, and
// starts the run, which goes on without us from then on, in a folder of its own that has the code
// as it is now. With --resume, what it goes on from is chosen first. Errors: conflict for a volume
// that another machine holds or a checkpoint directory that another run uses, with the holder;
// those of attach, mount, resume_point_on_machine, the staging, sync_code, start_run and the
// upload.
[[nodiscard]] Result<Started> start(const volume::Change& change, TrainSpec& spec,
                                    const SyncSettings& settings);

}  // namespace runctl::training
