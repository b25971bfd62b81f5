// runctl aws train
#include "training/train.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/cloud.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/instance/resume_text.hpp"
#include "cli/instance/run_text.hpp"
#include "cli/instance/train_interruption.hpp"
#include "cli/instance/train_preparation.hpp"
#include "cli/output.hpp"
#include "volume/machine.hpp"
#include "volume/read.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 3> positionals{{
    {.name = "INSTANCE", .help = "the machine, by id or Name"},
    {.name = "SCRIPT", .help = "the training script, on this machine"},
    {.name = "ARGS", .help = "its arguments, behind --", .need = PositionalSpec::Need::rest},
}};
constexpr std::array<OptionSpec, 2> more_options{{
    no_fallback_option,
    {.name = "--wait", .help = "show its output, and end as it ends"},
}};
constexpr auto options = joined(train_options, more_options);

// Asks the machine what it has, where that can be; changes nothing.
Result<ExitCode> show_plan_of(Context& context, const volume::Session& session,
                              training::TrainSpec& spec, const Preparation& prepared,
                              const InterruptionPlan& interruption) {
  constexpr std::chrono::seconds patience{20};
  const auto machine = volume::machine_of(session, spec.instance.id, patience);
  const bool runs = spec.instance.state == volume::InstanceState::running;
  note_left_out(context, spec.code);
  RUNCTL_TRY_LET(auto code,
                 plan_text(runs ? &machine : nullptr, spec.code, prepared.sender->settings()));
  const std::string words = label_of(spec.instance);
  RUNCTL_TRY_LET(auto steps, steps_of(spec, prepared, std::move(code.line), words));
  std::ranges::move(steps_of(interruption, spec, words), std::back_inserter(steps));
  return show_plan(context, steps, {{"code", std::move(code.record)}});
}

OperationSpec operation_of(const training::TrainSpec& spec) {
  OperationSpec operation{.kind = "train",
                          .subjects = {spec.instance.id.str()},
                          .plan = {{"script", node::to_utf8(spec.code.root.script)}}};
  for (const auto& volume : training::volumes_of(spec))
    operation.subjects.push_back(volume.id.str());
  return operation;
}

// What was sent for a run, and what it goes on from.
boost::json::object record_of_start(const training::TrainSpec& spec, const Preparation& prepared,
                                    const training::Started& started) {
  boost::json::object record{{"code", record_of(spec.code, started.code)}};
  if (prepared.data) record["data"] = prepared.data->record();
  if (prepared.results) record["output_s3"] = prepared.results->record();
  if (started.resume_point) record["resume"] = record_of(*started.resume_point);
  return record;
}

// Shows the run's output, and ends as it ends. A machine that was rented in place of the first is
// named at the end: it is not given back by itself.
Result<ExitCode> see_through(Context& context, const Attended& attended,
                             const Preparation& prepared, training::Started started) {
  RUNCTL_TRY_LET(auto ended, attend(context, attended, std::move(started)));
  if (ended.rented) {
    note(context, fmt::format("Instance {} was rented to go on, and is still there. To give it "
                              "back: runctl aws terminate {}",
                              *ended.rented, *ended.rented));
  }
  if (const auto* code = std::get_if<ExitCode>(&ended.seen)) return *code;
  auto record = record_of_start(attended.spec, prepared, ended.last);
  record["instance_id"] = ended.instance.str();
  const auto unsent = unsent_results(ended.interruptions);
  record["interruptions"] = std::move(ended.interruptions);
  const ExitCode code = conclude(context, std::get<node::RunReport>(ended.seen), std::move(record));
  for (const std::string& line : unsent) note(context, fmt::format("Error: {}", line));
  return code == ExitCode::ok && !unsent.empty() ? ExitCode::partial : code;
}

Result<ExitCode> train(const Arguments& arguments, Context& context) {
  if (arguments.has("--resume") && !arguments.has("--checkpoint-volume")) {
    return fail(Errc::invalid_argument,
                "--resume needs --checkpoint-volume: that is where the checkpoints are");
  }
  RUNCTL_TRY_LET(auto spec, train_spec_from(arguments, context));
  RUNCTL_TRY_LET(const std::shared_ptr<Cloud> cloud, connect(context));
  const auto session = cloud->session();
  RUNCTL_TRY_LET(
      spec.instance,
      volume::find_instance(cloud->aws(), arguments.positional("INSTANCE"), session.options()));
  RUNCTL_TRY(find_volumes(
      arguments, [&](std::string_view name) { return cloud->find_volume(name); }, spec));
  RUNCTL_TRY_LET(const auto prepared, prepare(arguments, context, spec));
  RUNCTL_TRY_LET(const auto interruption, plan_interruption(arguments, session, spec));
  spec.interruption_hook = interruption.hook;
  if (context.globals.dry_run) return show_plan_of(context, session, spec, prepared, interruption);

  note_left_out(context, spec.code);
  if (const auto steps = steps_of(interruption, spec, label_of(spec.instance)); !steps.empty()) {
    note(context, fmt::format("Note: {}.", fmt::join(steps, ",\n      ")));
  }
  const auto start = [&]() {
    return cloud->carry_out(
        cloud->session(), operation_of(spec),
        [&](const volume::Change& change) { return start_run(context, change, spec, prepared); });
  };
  RUNCTL_TRY_LET(auto started, start());
  if (arguments.has("--wait")) {
    return see_through(context,
                       {.cloud = cloud, .spec = spec, .plan = interruption, .start = start},
                       prepared, std::move(started));
  }
  const node::RunReport& run = started.run;
  auto record = record_of(run);
  for (auto& [name, value] : record_of_start(spec, prepared, started))
    record[name] = std::move(value);
  present(context, {.text = fmt::format(
                        "Run {} goes on by itself. To see it: runctl runs logs {} --follow\n",
                        run.id.str(), run.id.str()),
                    .record = std::move(record),
                    .id = run.id.str()});
  return ExitCode::ok;
}

}  // namespace

const CommandSpec aws_train{.path = "aws train",
                            .summary = "run a training script on a machine",
                            .positionals = positionals,
                            .options = options,
                            .danger = Danger::changes,
                            .run = train};

}  // namespace runctl::cli
