// runctl local
#include "training/local.hpp"

#include <array>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/instance/resume_text.hpp"
#include "cli/instance/run_text.hpp"
#include "cli/instance/train_code.hpp"
#include "cli/instance/train_output.hpp"
#include "cli/output.hpp"
#include "cli/runs/host.hpp"
#include "cli/runs/watch.hpp"
#include "node/run_record.hpp"
#include "training/packages.hpp"
#include "training/resume_point.hpp"

namespace runctl::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::array<PositionalSpec, 2> positionals{{
    {.name = "SCRIPT", .help = "the training script"},
    {.name = "ARGS", .help = "its arguments, behind --", .need = PositionalSpec::Need::rest},
}};
constexpr std::array<OptionSpec, 8> options{{
    {.name = "--data-dir", .value = "DIR", .help = "given to SCRIPT as RUNCTL_DATA_DIR"},
    {.name = "--checkpoint-dir",
     .value = "DIR",
     .help = "given as RUNCTL_CHECKPOINT_DIR; one run at a time uses it"},
    {.name = "--output-dir", .value = "DIR", .help = "given as RUNCTL_OUTPUT_DIR"},
    output_s3_option,
    {.name = "--resume", .help = "go on from the newest checkpoint that verifies"},
    packages_option,
    {.name = "--wait", .help = "show its output, and end as it ends (the default)"},
    {.name = "--detach", .help = "return when it is started"},
}};

enum class Make : bool { no, yes };

// Absolute, and there.
Result<fs::path> directory(const Arguments& arguments, std::string_view option, Make make) {
  const auto text = arguments.get(option);
  if (!text) return fs::path{};
  std::error_code error;
  fs::path path = fs::absolute(*text, error).lexically_normal();
  if (!error && make == Make::yes) fs::create_directories(path, error);
  if (error || !fs::is_directory(path, error)) {
    return fail(Errc::not_found, fmt::format("{} names no directory: {}", option, *text));
  }
  return path;
}

Result<training::LocalSpec> spec_of(const Arguments& arguments, const fs::path& home, Make make) {
  if (arguments.has("--wait") && arguments.has("--detach")) {
    return fail(Errc::invalid_argument, "--wait and --detach exclude each other");
  }
  training::LocalSpec spec{
      .script = arguments.positional("SCRIPT"),
      .home = home,
      .arguments = arguments.rest("ARGS"),
      .resume = arguments.has("--resume") ? training::Resume::yes : training::Resume::no};
  RUNCTL_TRY_LET(spec.data_directory, directory(arguments, "--data-dir", Make::no));
  RUNCTL_TRY_LET(spec.checkpoint_directory, directory(arguments, "--checkpoint-dir", make));
  RUNCTL_TRY_LET(spec.output_directory, directory(arguments, "--output-dir", make));
  return spec;
}

// Somebody who has activated an environment means it. "" where there is none.
std::string active_environment(const Context& context) {
  for (const char* name : {"VIRTUAL_ENV", "CONDA_PREFIX"}) {
    if (const auto path = context.environment.get(name)) return *path;
  }
  return "";
}

Error explain(const RunHost& host, Error error) {
  training::explain_refusal(error, " --local");
  return host.in_its_words(std::move(error));
}

Result<ExitCode> plan(Context& context, const training::LocalSpec& spec,
                      const node::RunSpec& run_spec, ResultUpload* results) {
  std::vector<std::string> steps;
  if (spec.resume == training::Resume::yes) {
    RUNCTL_TRY_LET(const auto point,
                   training::foresee_resume_point(spec.checkpoint_directory, context.stop));
    steps.push_back(plan_of(point));
  }
  if (run_spec.packages) steps.push_back(training::in_words(*run_spec.packages));
  steps.push_back(fmt::format("start {} in {}", node::command_in_short(run_spec.argv),
                              run_spec.working_directory));
  if (results != nullptr) {
    RUNCTL_TRY_LET(auto step, results->step(!spec.output_directory.empty()));
    steps.push_back(std::move(step));
  }
  return show_plan(context, steps);
}

Result<ExitCode> start(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(auto spec, spec_of(arguments, home_of(context),
                                    context.globals.dry_run ? Make::no : Make::yes));
  if (const auto packages = arguments.get("--packages")) {
    spec.packages = *packages;
  } else if (const std::string active = active_environment(context); !active.empty()) {
    spec.packages = training::packages_none;
    note(context, fmt::format("It uses the packages of {}, which is active.", active));
  }
  RUNCTL_TRY_LET(const auto id, training::new_run_id(context.clock, context.random));
  RUNCTL_TRY_LET(auto run_spec, training::plan_local(id, spec));
  RUNCTL_TRY_LET(const auto results, ResultUpload::make(arguments, context));
  if (context.globals.dry_run) return plan(context, spec, run_spec, results.get());
  const RunHost host = host_here(context);
  std::optional<training::ResumePoint> point;
  if (spec.resume == training::Resume::yes) {
    auto found =
        training::resume_point_here(spec.checkpoint_directory, context.clock, context.stop);
    if (!found) return std::unexpected{explain(host, std::move(found).error())};
    point = *std::move(found);
    give_to(run_spec, *point);
  }
  if (results) {
    RUNCTL_TRY(results->prepare(id, run_spec.argv));
    RUNCTL_TRY_LET(run_spec.upload, results->sign(id));
    run_spec.upload->output_directory = spec.output_directory.string();
  }
  const auto run = node::start_run(host.machine(context.stop), run_spec);
  if (!run && results && run.error().effect == Effect::not_applied) results->take_back();
  if (!run) return std::unexpected{explain(host, run.error())};
  note(context, fmt::format("Run {} is started.", run->id.str()));
  if (results) results->note_target(context);
  if (point) note_resume(context, *point, run_spec.checkpoint_directory);
  if (!arguments.has("--detach")) return watch(context, {.host = host, .run = run->id});
  auto record = record_of(*run);
  if (results) record["output_s3"] = results->record();
  if (point) record["resume"] = record_of(*point);
  present(context, {.text = fmt::format(
                        "Run {} goes on by itself. To see it: runctl runs logs {} --follow\n",
                        run->id.str(), run->id.str()),
                    .record = std::move(record),
                    .id = run->id.str()});
  return ExitCode::ok;
}

}  // namespace

const CommandSpec local{.path = "local",
                        .summary = "run a training script on this machine",
                        .positionals = positionals,
                        .options = options,
                        .danger = Danger::changes,
                        .run = start};

}  // namespace runctl::cli
