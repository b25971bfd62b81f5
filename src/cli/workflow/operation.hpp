// The whole job as one operation: a machine, its volumes, the run, and what is left when it is
// over.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/units.hpp"
#include "cli/cloud.hpp"
#include "cli/command.hpp"
#include "cli/context.hpp"
#include "cli/instance/train_interruption.hpp"
#include "cli/instance/train_preparation.hpp"
#include "fleet/give_back.hpp"
#include "fleet/launch.hpp"
#include "fleet/machine_price.hpp"
#include "journal/operation.hpp"
#include "training/train.hpp"
#include "volume/change.hpp"

namespace runctl::cli {

// Of its operations in the journal, whose plans are the command's own words.
inline constexpr std::string_view workflow_kind = "workflow";

struct WorkflowSpec {
  fleet::LaunchSpec launch;
  std::optional<fleet::MachinePrice> price = {};
  std::optional<GiB> checkpoint_size = {};  // of a volume that is made for the checkpoints
  bool snapshots = true;                    // of the checkpoint volume, when the run has ended
  fleet::MachineEnd end = fleet::MachineEnd::terminate;
  std::string collect_to = {};  // a directory here that the results are downloaded to
};

// Looked over before anything is rented. Borrows the context and the arguments.
struct Workflow {
  Context& context;
  const Arguments& arguments;
  std::shared_ptr<Cloud> cloud;
  WorkflowSpec spec;
  training::TrainSpec train;
  Preparation prepared;
  InterruptionPlan interruption;
};

// How far an operation has come.
enum class Stage : std::uint8_t {
  begun,    // there is no run yet
  running,  // one was started
  ended     // how it ended is known
};
[[nodiscard]] Stage stage_of(const journal::Operation& operation);

// Carries it out from wherever the operation is: rents the machine, makes the volume, starts the
// run and shows its output, takes the snapshot, gives the machine back, and collects the results.
// Ends as the run ends; 7 when the run succeeded and something after it did not. When it cannot
// come to a run, what it rented is given back before the error is returned, unless the machine is
// to be kept. At --timeout and at Ctrl-C the run goes on, with its machine, and the operation stays
// open. Errors: those of launch_with_fallback, wait_until_ready, provision, training::start, attend
// and end_machine; they say what is still there and costs money.
[[nodiscard]] Result<ExitCode> run_workflow(Workflow& workflow, const volume::Change& change);

// What `operations resume` does with one: the same command, from where it was. Once there is a run,
// neither its code nor its directory is needed, but to start it in another machine's place. Errors:
// not_found when the directory that it was begun in is gone; those of settle and run_workflow.
[[nodiscard]] Result<ExitCode> resume_workflow(Context& context, std::shared_ptr<Cloud> cloud,
                                               journal::Operation operation);

}  // namespace runctl::cli
