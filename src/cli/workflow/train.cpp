// runctl workflow train
#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/instance/launch_options.hpp"
#include "cli/output.hpp"
#include "cli/workflow/operation.hpp"
#include "fleet/provision.hpp"
#include "fleet/resume.hpp"
#include "volume/prices.hpp"
#include "volume/read.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 2> positionals{{
    {.name = "SCRIPT", .help = "the training script, on this machine"},
    {.name = "ARGS", .help = "its arguments, behind --", .need = PositionalSpec::Need::rest},
}};
constexpr std::array<OptionSpec, 5> workflow_options{{
    {.name = "--checkpoint-volume-size",
     .value = "GIB",
     .help = "make a volume of this size for the checkpoints; it stays"},
    {.name = "--collect",
     .value = "DIR",
     .help = "download what --output-s3 has got to a folder of the run's below DIR, at the end"},
    {.name = "--no-snapshot", .help = "take no snapshot of the checkpoint volume at the end"},
    {.name = "--stop", .help = "stop the machine at the end, and do not terminate it"},
    {.name = "--keep", .help = "keep the machine, however it ends"},
}};
constexpr auto options = joined(launch_options, workflow_options, train_options);

std::unexpected<Error> usage(std::string message, std::string hint = "") {
  auto error = fail(Errc::invalid_argument, std::move(message));
  error.error().hint = std::move(hint);
  return error;
}

Result<fleet::MachineEnd> end_from(const Arguments& arguments) {
  const bool stops = arguments.has("--stop");
  if (stops && arguments.has("--keep")) return usage("--stop and --keep exclude each other");
  if (stops && arguments.has("--spot")) {
    return usage("a spot machine of runctl's cannot be stopped, only terminated",
                 "Leave --stop or --spot out.");
  }
  if (stops) return fleet::MachineEnd::stop;
  return arguments.has("--keep") ? fleet::MachineEnd::keep : fleet::MachineEnd::terminate;
}

Result<void> check_together(const Arguments& arguments) {
  const bool makes = arguments.has("--checkpoint-volume-size");
  const bool has_volume = makes || arguments.has("--checkpoint-volume");
  if (makes && arguments.has("--checkpoint-volume")) {
    return usage("--checkpoint-volume and --checkpoint-volume-size exclude each other",
                 "One names a volume, the other makes one.");
  }
  if (arguments.has("--resume") && !arguments.has("--checkpoint-volume")) {
    return usage("--resume needs --checkpoint-volume: that is where the checkpoints are");
  }
  if (arguments.has("--collect") && !arguments.has("--output-s3")) {
    return usage("--collect needs --output-s3: the results come by way of S3",
                 "Without it they are on the checkpoint volume, and in its snapshot.");
  }
  if (!has_volume && !arguments.has("--output-s3") && !arguments.has("--keep")) {
    return usage("nothing of what the run makes would be left when its machine is given back",
                 "Add --checkpoint-volume VOLUME, --checkpoint-volume-size GIB or --output-s3 "
                 "S3URI; or --keep the machine.");
  }
  return {};
}

Result<WorkflowSpec> spec_from(const Arguments& arguments) {
  RUNCTL_TRY(check_together(arguments));
  WorkflowSpec spec;
  RUNCTL_TRY_LET(spec.launch, launch_spec_from(arguments));
  RUNCTL_TRY_LET(spec.end, end_from(arguments));
  if (const auto size = arguments.get("--checkpoint-volume-size")) {
    RUNCTL_TRY_LET(spec.checkpoint_size, parse_gib(*size));
  }
  spec.snapshots = !arguments.has("--no-snapshot");
  spec.collect_to = arguments.get("--collect").value_or("");
  return spec;
}

// The volumes that the command line names, when nothing may be in the way of them yet.
Result<void> find_free_volumes(Cloud& cloud, const Arguments& arguments, WorkflowSpec& spec,
                               training::TrainSpec& train) {
  RUNCTL_TRY(find_volumes(
      arguments, [&](std::string_view name) { return cloud.find_volume(name); }, train));
  RUNCTL_TRY_LET(spec.launch.zone, fleet::zone_for(training::volumes_of(train), spec.launch.zone));
  return {};
}

// Those of an operation that goes on, by their ids: a Name may be another one's by now, and one
// that was copied to another zone may be gone.
Result<void> find_volumes_again(Cloud& cloud, const boost::json::value& plan, WorkflowSpec& spec,
                                training::TrainSpec& train) {
  const auto find = [&](std::string_view name,
                        std::optional<volume::VolumeFacts>& volume) -> Result<void> {
    const auto text = string_at(plan, name);
    if (!text) return {};
    RUNCTL_TRY_LET(const auto id, VolumeId::parse(*text));
    auto seen = volume::read_volume(cloud.aws(), id, cloud.options());
    if (!seen && seen.error().code == Errc::not_found) return {};
    if (!seen) return std::unexpected{std::move(seen).error()};
    spec.launch.zone = seen->zone;
    volume = *std::move(seen);
    return {};
  };
  RUNCTL_TRY(find("data_volume", train.data_volume));
  return find("checkpoint_volume", train.checkpoint_volume);
}

// All that it takes to start the run.
Result<void> prepare_run(Workflow& workflow) {
  const Arguments& arguments = workflow.arguments;
  auto& train = workflow.train;
  RUNCTL_TRY_LET(workflow.prepared, prepare(arguments, workflow.context, train));
  RUNCTL_TRY_LET(workflow.interruption,
                 plan_interruption(arguments, workflow.cloud->session(), workflow.spec.launch,
                                   train, workflow.spec.checkpoint_size.has_value()));
  train.interruption_hook = workflow.interruption.hook;
  return {};
}

Result<Workflow> look_over(const Arguments& arguments, Context& context,
                           std::shared_ptr<Cloud> cloud, WorkflowSpec spec) {
  RUNCTL_TRY_LET(auto train, train_spec_from(arguments, context));
  RUNCTL_TRY(find_free_volumes(*cloud, arguments, spec, train));
  spec.price = fleet::find_price(cloud->session(), spec.launch);
  Workflow workflow{.context = context,
                    .arguments = arguments,
                    .cloud = std::move(cloud),
                    .spec = std::move(spec),
                    .train = std::move(train),
                    .prepared = {},
                    .interruption = {}};
  RUNCTL_TRY(prepare_run(workflow));
  return workflow;
}

// A run that was started needs nothing of what is here any more; only to be started again, in
// another machine's place, it would.
Result<Workflow> look_over_again(const Arguments& arguments, Context& context,
                                 std::shared_ptr<Cloud> cloud, const boost::json::value& plan,
                                 Stage stage) {
  RUNCTL_TRY_LET(auto spec, spec_from(arguments));
  RUNCTL_TRY_LET(auto nobody, InstanceId::parse("i-00000000"));
  Workflow workflow{.context = context,
                    .arguments = arguments,
                    .cloud = std::move(cloud),
                    .spec = std::move(spec),
                    .train = {.instance = {.id = std::move(nobody)}},
                    .prepared = {},
                    .interruption = {}};
  auto code = train_spec_from(arguments, context);
  std::optional<Error> without_code;
  if (code) {
    workflow.train = *std::move(code);
  } else if (stage == Stage::begun) {
    return std::unexpected{std::move(code).error()};
  } else {
    without_code = std::move(code).error();
    workflow.train.code.root.script = arguments.positional("SCRIPT");
  }
  RUNCTL_TRY(find_volumes_again(*workflow.cloud, plan, workflow.spec, workflow.train));
  workflow.spec.price = fleet::find_price(workflow.cloud->session(), workflow.spec.launch);
  if (stage == Stage::ended) return workflow;
  auto ready = without_code ? std::unexpected{*std::move(without_code)} : prepare_run(workflow);
  if (ready || stage == Stage::begun) {
    RUNCTL_TRY(ready);
    return workflow;
  }
  workflow.interruption = {};
  if (arguments.has("--auto-resume")) {
    note(context,
         fmt::format("Note: should EC2 take its machine back, the run would not be started "
                     "again: {}.",
                     ready.error().message));
  }
  return workflow;
}

std::string cost_line(const Workflow& workflow) {
  const WorkflowSpec& spec = workflow.spec;
  std::string line = (spec.price ? "it costs " : "") + fleet::in_words(spec.price, spec.launch);
  if (spec.checkpoint_size) {
    const auto price = volume::volume_per_month({.type = "gp3", .size = *spec.checkpoint_size});
    line += fmt::format("; the new volume {} a month, for as long as you keep it",
                        volume::dollars(price.value_or(0)));
  }
  const auto& kept = workflow.train.checkpoint_volume;
  const auto size = spec.checkpoint_size ? spec.checkpoint_size
                    : kept               ? std::optional{kept->size}
                                         : std::nullopt;
  if (spec.snapshots && size) {
    line += fmt::format(
        "; the snapshot {} a month at most",
        volume::dollars(volume::snapshot_per_gib_month * static_cast<double>(size->count)));
  }
  return line;
}

struct Plan {
  std::vector<std::string> steps;
  boost::json::object code;
};

Result<Plan> plan_of(Workflow& workflow) {
  const WorkflowSpec& spec = workflow.spec;
  const Arguments& arguments = workflow.arguments;
  constexpr std::string_view machine = "the machine";
  Plan plan;
  plan.steps = launch_steps(spec.launch, !arguments.has("--no-fallback"));
  if (spec.checkpoint_size) {
    plan.steps.push_back(fmt::format(
        "make an empty volume of {} GiB for the checkpoints, attach, format and mount it",
        spec.checkpoint_size->count));
  }
  RUNCTL_TRY_LET(auto code,
                 plan_text(nullptr, workflow.train.code, workflow.prepared.sender->settings()));
  plan.code = std::move(code.record);
  RUNCTL_TRY_LET(auto run,
                 steps_of(workflow.train, workflow.prepared, std::move(code.line), machine));
  std::ranges::move(run, std::back_inserter(plan.steps));
  std::ranges::move(steps_of(workflow.interruption, workflow.train, machine),
                    std::back_inserter(plan.steps));
  plan.steps.emplace_back("show its output until it has ended");
  if (spec.snapshots && (spec.checkpoint_size || workflow.train.checkpoint_volume))
    plan.steps.emplace_back("take a snapshot of the checkpoint volume");
  plan.steps.emplace_back(spec.end == fleet::MachineEnd::keep ? "keep the machine"
                          : spec.end == fleet::MachineEnd::stop
                              ? "unmount its volumes, and stop the machine"
                              : "unmount its volumes, and terminate the machine");
  if (!spec.collect_to.empty())
    plan.steps.push_back(fmt::format("download the results to {}", spec.collect_to));
  plan.steps.push_back(cost_line(workflow));
  return plan;
}

boost::json::object words_of(
    const std::map<std::string, std::vector<std::string>, std::less<>>& from) {
  boost::json::object words;
  for (const auto& [name, values] : from) {
    boost::json::array list;
    for (const std::string& value : values) list.emplace_back(value);
    words[name] = std::move(list);
  }
  return words;
}

// The command itself, for `operations resume`, and the volumes that it names.
boost::json::object plan_of(const Arguments& arguments, const training::TrainSpec& train) {
  std::error_code error;
  boost::json::object plan{{"directory", std::filesystem::current_path(error).string()},
                           {"options", words_of(arguments.options)},
                           {"positionals", words_of(arguments.positionals)}};
  if (train.data_volume) plan["data_volume"] = train.data_volume->id.str();
  if (train.checkpoint_volume) plan["checkpoint_volume"] = train.checkpoint_volume->id.str();
  return plan;
}

Result<void> read_words(const boost::json::value& plan, std::string_view name,
                        std::map<std::string, std::vector<std::string>, std::less<>>& to) {
  const auto* const words = object_at(plan, name);
  if (words == nullptr) return fail(Errc::corrupt, "the journal has lost the workflow's command");
  for (const auto& [key, values] : *words) {
    auto& list = to[std::string{key}];
    if (!values.is_array()) return fail(Errc::corrupt, "the journal's command is no list of words");
    for (const auto& value : values.get_array()) {
      if (value.is_string()) list.emplace_back(value.get_string());
    }
  }
  return {};
}

Result<ExitCode> train(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(auto spec, spec_from(arguments));
  RUNCTL_TRY_LET(std::shared_ptr<Cloud> cloud, connect(context));
  RUNCTL_TRY_LET(auto workflow, look_over(arguments, context, cloud, std::move(spec)));
  RUNCTL_TRY_LET(auto plan, plan_of(workflow));
  note_left_out(context, workflow.train.code);
  if (context.globals.dry_run)
    return show_plan(context, plan.steps, {{"code", std::move(plan.code)}});
  note(context, fmt::format("It will:\n  - {}\n", fmt::join(plan.steps, "\n  - ")));
  OperationSpec operation{.kind = std::string{workflow_kind},
                          .plan = plan_of(arguments, workflow.train)};
  for (const auto& volume : training::volumes_of(workflow.train))
    operation.subjects.push_back(volume.id.str());
  return cloud->carry_out(
      cloud->session(), std::move(operation),
      [&](const volume::Change& change) { return run_workflow(workflow, change); });
}

// Its words name files as they were seen from there.
Result<void> enter_directory_of(const boost::json::value& plan,
                                const journal::Operation& operation) {
  const std::string directory = string_at(plan, "directory").value_or("");
  std::error_code error;
  std::filesystem::current_path(directory, error);
  if (!error || stage_of(operation) != Stage::begun) return {};
  auto gone =
      fail(Errc::not_found, fmt::format("'{}', where the workflow was begun, cannot be entered: {}",
                                        directory, error.message()));
  gone.error().hint = "Its machines and volumes: runctl operations show " + operation.id;
  return gone;
}

}  // namespace

Result<ExitCode> resume_workflow(Context& context, std::shared_ptr<Cloud> cloud,
                                 journal::Operation operation) {
  RUNCTL_TRY_LET(const auto plan, parse_json(operation.plan));
  Arguments arguments;
  RUNCTL_TRY(read_words(plan, "options", arguments.options));
  RUNCTL_TRY(read_words(plan, "positionals", arguments.positionals));
  const auto session = cloud->session();
  return cloud->go_on(
      session, std::move(operation), [&](const volume::Change& change) -> Result<ExitCode> {
        // From now on it is this process's, for whoever looks.
        RUNCTL_TRY(change.recorder.end(journal::State::open, ""));
        RUNCTL_TRY_LET(const auto found, fleet::settle(change, fleet::Repeating::no));
        for (const std::string& line : found) note(context, line + ".");
        RUNCTL_TRY(enter_directory_of(plan, change.recorder.operation()));
        RUNCTL_TRY_LET(auto workflow, look_over_again(arguments, context, cloud, plan,
                                                      stage_of(change.recorder.operation())));
        return run_workflow(workflow, change);
      });
}

const CommandSpec workflow_train{.path = "workflow train",
                                 .summary = "rent a machine, train on it, and give it back",
                                 .positionals = positionals,
                                 .options = options,
                                 .danger = Danger::changes,
                                 .run = train};

}  // namespace runctl::cli
