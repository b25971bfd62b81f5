// Where runs are: machines that we rent, and this one.
#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "cli/cloud.hpp"
#include "cli/context.hpp"
#include "node/remote_shell.hpp"
#include "node/run.hpp"
#include "node/script.hpp"
#include "volume/facts.hpp"

namespace runctl::cli {

// Lives as long as the command; copies share the connection.
struct RunHost {
  std::shared_ptr<Cloud> cloud = nullptr;                   // null: this machine
  std::shared_ptr<node::RemoteShell> shell_here = nullptr;  // of this machine
  InstanceId instance;                                      // without a meaning on this machine
  std::string words;  // "instance i-… (trainer)", "this machine"

  [[nodiscard]] bool is_here() const { return cloud == nullptr; }
  [[nodiscard]] node::Machine machine(const std::stop_token& stop) const;
  // The options that bring a command to it again: " --instance i-…", " --local".
  [[nodiscard]] std::string option() const;
  // Scripts speak of instances; of this machine the error speaks as of one.
  [[nodiscard]] Error in_its_words(Error error) const;
};

// Where runs of `runctl local` are kept: $XDG_STATE_HOME/runctl/runs, or
// ~/.local/state/runctl/runs.
[[nodiscard]] std::filesystem::path local_runs_directory(const Context& context);

// This machine, with the user's own environment.
[[nodiscard]] RunHost host_here(Context& context);
[[nodiscard]] RunHost host_of(std::shared_ptr<Cloud> cloud, const volume::InstanceFacts& instance);

// --instance, --local, or neither: then every machine of the account that runs. Errors:
// invalid_argument for both; those of find_instance; conflict for a machine that is switched off.
[[nodiscard]] Result<std::vector<RunHost>> hosts_of(const Arguments& arguments, Context& context);

struct FoundRun {
  RunHost host;
  node::RunDetails details;
};

// The run that RUN names: where --instance or --local say, on this machine when its directory is
// here, on the machine that the journal says it was started on, or else on whichever of the
// account's running machines knows it. Errors: not_found, with the machines that were asked;
// unavailable when some could not be asked, each named; conflict when its machine is switched off.
[[nodiscard]] Result<FoundRun> find_run(const Arguments& arguments, Context& context);

}  // namespace runctl::cli
