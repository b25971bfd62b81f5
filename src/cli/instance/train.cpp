// runctl aws train
#include "training/train.hpp"

#include <array>
#include <chrono>
#include <utility>

#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/cloud.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/instance/resume_text.hpp"
#include "cli/instance/run_text.hpp"
#include "cli/instance/train_code.hpp"
#include "cli/instance/train_data.hpp"
#include "cli/instance/train_interruption.hpp"
#include "cli/instance/train_output.hpp"
#include "cli/output.hpp"
#include "cli/runs/host.hpp"
#include "cli/runs/watch.hpp"
#include "training/follow.hpp"
#include "training/packages.hpp"
#include "volume/read.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 3> positionals{{
    {.name = "INSTANCE", .help = "the machine, by id or Name"},
    {.name = "SCRIPT", .help = "the training script, on this machine"},
    {.name = "ARGS", .help = "its arguments, behind --", .need = PositionalSpec::Need::rest},
}};
constexpr std::array<OptionSpec, 17> options{{
    {.name = "--data-volume",
     .value = "VOLUME",
     .help = "mounted, and given to SCRIPT as RUNCTL_DATA_DIR"},
    {.name = "--checkpoint-volume",
     .value = "VOLUME",
     .help = "for RUNCTL_CHECKPOINT_DIR; may be the same one"},
    data_s3_option,
    output_s3_option,
    {.name = "--resume", .help = "go on from the newest checkpoint that verifies"},
    {.name = "--sync-code", .help = "send the project that SCRIPT is in (the default)"},
    {.name = "--no-sync-code", .help = "send SCRIPT alone"},
    include_pattern_option,
    code_bucket_option,
    code_limit_option,
    packages_option,
    on_interruption_option,
    interruption_hook_option,
    auto_resume_option,
    fallback_type_option,
    no_fallback_option,
    {.name = "--wait", .help = "show its output, and end as it ends"},
}};

// What of S3 goes to the machine and comes from it; null for nothing.
struct Places {
  DataStaging* data = nullptr;
  ResultUpload* results = nullptr;
};

Result<std::optional<volume::VolumeFacts>> find(Cloud& cloud,
                                                const std::optional<std::string>& name) {
  if (!name) return std::nullopt;
  RUNCTL_TRY_LET(auto volume, cloud.find_volume(*name));
  return volume;
}

// What has been looked over before anything is changed, beside the specification.
struct Preparation {
  std::unique_ptr<DataStaging> data;
  std::unique_ptr<CodeSender> sender;
  std::unique_ptr<ResultUpload> results;
  InterruptionPlan interruption;
};

Result<std::vector<std::string>> steps_of(const training::TrainSpec& spec,
                                          const Preparation& prepared, std::string code) {
  RUNCTL_TRY_LET(const auto no_run, node::RunId::parse("planned"));
  RUNCTL_TRY_LET(const auto packages, training::find_packages(spec, no_run));
  std::vector<std::string> steps;
  for (const auto* volume : {&spec.data_volume, &spec.checkpoint_volume}) {
    if (*volume)
      steps.push_back(
          fmt::format("attach and mount volume {}, where it is not yet", label_of(**volume)));
  }
  if (spec.resume == training::Resume::yes)
    steps.emplace_back("choose the newest checkpoint that verifies, there");
  if (prepared.data) steps.push_back(prepared.data->step(spec));
  steps.push_back(std::move(code));
  if (packages) steps.push_back(training::in_words(*packages));
  steps.push_back(fmt::format("start {} on {}", spec.code.root.script, label_of(spec.instance)));
  if (prepared.results) {
    RUNCTL_TRY_LET(auto step, prepared.results->step(spec.checkpoint_volume.has_value()));
    steps.push_back(std::move(step));
  }
  for (std::string& step : steps_of(prepared.interruption, spec)) steps.push_back(std::move(step));
  return steps;
}

// Asks the machine what it has, where that can be; changes nothing.
Result<ExitCode> show_plan_of(Context& context, const volume::Session& session,
                              training::TrainSpec& spec, const Preparation& prepared) {
  constexpr std::chrono::seconds patience{20};
  const node::Machine machine{.shell = session.shell,
                              .instance = spec.instance.id,
                              .timeout = patience,
                              .stop = session.stop};
  const bool runs = spec.instance.state == volume::InstanceState::running;
  note_left_out(context, spec.code);
  RUNCTL_TRY_LET(auto code,
                 plan_text(runs ? &machine : nullptr, spec.code, prepared.sender->settings()));
  std::string text = "It would:\n";
  boost::json::array plan;
  RUNCTL_TRY_LET(const auto steps, steps_of(spec, prepared, std::move(code.line)));
  for (const std::string& step : steps) {
    text += fmt::format("  - {}\n", step);
    plan.emplace_back(step);
  }
  present(
      context,
      {.text = std::move(text),
       .record = {{"dry_run", true}, {"plan", std::move(plan)}, {"code", std::move(code.record)}}});
  return ExitCode::ok;
}

OperationSpec operation_of(const training::TrainSpec& spec) {
  OperationSpec operation{.kind = "train",
                          .subjects = {spec.instance.id.str()},
                          .plan = {{"script", node::to_utf8(spec.code.root.script)}}};
  for (const auto* volume : {&spec.data_volume, &spec.checkpoint_volume}) {
    if (*volume) operation.subjects.push_back((*volume)->id.str());
  }
  return operation;
}

Result<Preparation> prepare(const Arguments& arguments, Context& context,
                            const volume::Session& session, training::TrainSpec& spec) {
  Preparation prepared;
  RUNCTL_TRY_LET(prepared.data, DataStaging::make(arguments, context, spec));
  if (prepared.data) {
    prepared.data->note_left_out(context);
    spec.stage = prepared.data->stage();
  }
  RUNCTL_TRY_LET(prepared.results, ResultUpload::make(arguments, context));
  if (prepared.results) spec.upload = prepared.results->hooks();
  RUNCTL_TRY_LET(prepared.sender, CodeSender::make(arguments, context));
  RUNCTL_TRY_LET(prepared.interruption, plan_interruption(arguments, session, spec));
  spec.interruption_hook = prepared.interruption.hook;
  return prepared;
}

Result<training::Started> start_it(Context& context, Cloud& cloud, training::TrainSpec& spec,
                                   const Preparation& prepared) {
  const auto session = cloud.session();
  auto begun = cloud.carry_out(session, operation_of(spec), [&](const volume::Change& change) {
    return training::start(change, spec, prepared.sender->settings());
  });
  const auto& results = prepared.results;
  if (!begun && results && begun.error().effect == Effect::not_applied) results->take_back();
  RUNCTL_TRY_LET(auto started, std::move(begun));
  const node::RunReport& run = started.run;
  note(context, fmt::format("Run {} is started on {}.", run.id.str(), spec.instance.id));
  if (started.resume_point) note_resume(context, *started.resume_point, run.checkpoint_directory);
  if (results) results->note_target(context);
  return started;
}

Result<ExitCode> train(const Arguments& arguments, Context& context) {
  training::TrainSpec spec{.instance = {.id = InstanceId::parse("i-00000000").value()}};
  if (arguments.has("--resume") && !arguments.has("--checkpoint-volume")) {
    return fail(Errc::invalid_argument,
                "--resume needs --checkpoint-volume: that is where the checkpoints are");
  }
  RUNCTL_TRY_LET(spec.code, collect_code(arguments, context));
  spec.arguments = arguments.rest("ARGS");
  spec.packages = arguments.get("--packages").value_or(spec.packages);
  spec.resume = arguments.has("--resume") ? training::Resume::yes : training::Resume::no;

  RUNCTL_TRY_LET(const std::shared_ptr<Cloud> cloud, connect(context));
  const auto session = cloud->session();
  RUNCTL_TRY_LET(
      spec.instance,
      volume::find_instance(cloud->aws(), arguments.positional("INSTANCE"), session.options()));
  RUNCTL_TRY_LET(spec.data_volume, find(*cloud, arguments.get("--data-volume")));
  RUNCTL_TRY_LET(spec.checkpoint_volume, find(*cloud, arguments.get("--checkpoint-volume")));
  RUNCTL_TRY_LET(const auto prepared, prepare(arguments, context, session, spec));
  if (context.globals.dry_run) return show_plan_of(context, session, spec, prepared);

  note_left_out(context, spec.code);
  if (const auto steps = steps_of(prepared.interruption, spec); !steps.empty()) {
    note(context, fmt::format("Note: {}.", fmt::join(steps, ",\n      ")));
  }
  const auto start = [&]() { return start_it(context, *cloud, spec, prepared); };
  RUNCTL_TRY_LET(auto started, start());
  if (arguments.has("--wait")) {
    return see_through(
        context, {.cloud = cloud, .spec = spec, .plan = prepared.interruption, .start = start},
        std::move(started));
  }
  const node::RunReport& run = started.run;
  auto record = record_of(run);
  record["code"] = record_of(spec.code, started.code);
  if (prepared.data) record["data"] = prepared.data->record();
  if (prepared.results) record["output_s3"] = prepared.results->record();
  if (started.resume_point) record["resume"] = record_of(*started.resume_point);
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
