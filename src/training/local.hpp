// A run on this very machine: the same start, lock, log and record as on a rented one.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "io/clock.hpp"
#include "io/random.hpp"
#include "node/run.hpp"
#include "node/script.hpp"
#include "training/train.hpp"

namespace runctl::training {

struct LocalSpec {
  std::filesystem::path script = {};
  std::filesystem::path home = {};  // the user's, as find_project_root takes it
  std::vector<std::string> arguments = {};
  // Absolute; made where they are not there. Empty for none.
  std::filesystem::path data_directory = {};
  std::filesystem::path checkpoint_directory = {};
  std::filesystem::path output_directory = {};
  Resume resume = Resume::no;
  std::string packages = "auto";  // PackagesRequest::source
};

// "run-20261127T004030-1f2e3d": the time in UTC and something random.
[[nodiscard]] Result<node::RunId> new_run_id(const Clock& clock, Random& random);

// What start_local will start, checked. It runs in the project's root, as on a machine. Errors:
// those of find_project_root; denied for a script that is no .py and not executable;
// invalid_argument for --resume without a checkpoint directory. What a run with --resume goes on
// from is chosen by resume_point_here().
[[nodiscard]] Result<node::RunSpec> plan_local(const node::RunId& id, const LocalSpec& spec);

}  // namespace runctl::training
