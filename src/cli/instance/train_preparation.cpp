#include "cli/instance/train_preparation.hpp"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "cli/ebs/options.hpp"
#include "cli/instance/resume_text.hpp"
#include "cli/output.hpp"
#include "training/packages.hpp"

namespace runctl::cli {

Result<training::TrainSpec> train_spec_from(const Arguments& arguments, const Context& context) {
  RUNCTL_TRY_LET(auto nobody, InstanceId::parse("i-00000000"));
  training::TrainSpec spec{.instance = {.id = std::move(nobody)}};
  RUNCTL_TRY_LET(spec.code, collect_code(arguments, context));
  spec.arguments = arguments.rest("ARGS");
  spec.packages = arguments.get("--packages").value_or(spec.packages);
  spec.resume = arguments.has("--resume") ? training::Resume::yes : training::Resume::no;
  return spec;
}

Result<void> find_volumes(const Arguments& arguments, const FindVolume& find,
                          training::TrainSpec& spec) {
  if (const auto name = arguments.get("--data-volume")) {
    RUNCTL_TRY_LET(spec.data_volume, find(*name));
  }
  if (const auto name = arguments.get("--checkpoint-volume")) {
    RUNCTL_TRY_LET(spec.checkpoint_volume, find(*name));
  }
  return {};
}

Result<Preparation> prepare(const Arguments& arguments, Context& context,
                            training::TrainSpec& spec) {
  Preparation prepared;
  RUNCTL_TRY_LET(prepared.data, DataStaging::make(arguments, context, spec));
  if (prepared.data) {
    prepared.data->note_left_out(context);
    spec.stage = prepared.data->stage();
  }
  RUNCTL_TRY_LET(prepared.results, ResultUpload::make(arguments, context));
  if (prepared.results) spec.upload = prepared.results->hooks();
  RUNCTL_TRY_LET(prepared.sender, CodeSender::make(arguments, context));
  return prepared;
}

Result<std::vector<std::string>> steps_of(const training::TrainSpec& spec,
                                          const Preparation& prepared, std::string code,
                                          std::string_view machine) {
  RUNCTL_TRY_LET(const auto no_run, node::RunId::parse("planned"));
  RUNCTL_TRY_LET(const auto packages, training::find_packages(spec, no_run));
  std::vector<std::string> steps;
  for (const auto& volume : training::volumes_of(spec))
    steps.push_back(
        fmt::format("attach and mount volume {}, where it is not yet", label_of(volume)));
  if (spec.resume == training::Resume::yes)
    steps.emplace_back("choose the newest checkpoint that verifies, there");
  if (prepared.data) steps.push_back(prepared.data->step(spec));
  steps.push_back(std::move(code));
  if (packages) steps.push_back(training::in_words(*packages));
  steps.push_back(fmt::format("start {} on {}", spec.code.root.script, machine));
  if (prepared.results) {
    RUNCTL_TRY_LET(auto step, prepared.results->step(spec.checkpoint_volume.has_value()));
    steps.push_back(std::move(step));
  }
  return steps;
}

Result<training::Started> start_run(Context& context, const volume::Change& change,
                                    training::TrainSpec& spec, const Preparation& prepared) {
  auto begun = training::start(change, spec, prepared.sender->settings());
  const auto& results = prepared.results;
  if (!begun && results && begun.error().effect == Effect::not_applied) results->take_back();
  RUNCTL_TRY_LET(auto started, std::move(begun));
  const node::RunReport& run = started.run;
  note(context, fmt::format("Run {} is started on {}.", run.id.str(), spec.instance.id));
  if (started.resume_point) note_resume(context, *started.resume_point, run.checkpoint_directory);
  if (results) results->note_target(context);
  return started;
}

}  // namespace runctl::cli
