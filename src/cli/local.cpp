// runctl local
#include "training/local.hpp"

#include <array>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/instance/run_text.hpp"
#include "cli/instance/train_code.hpp"
#include "cli/output.hpp"
#include "cli/runs/host.hpp"
#include "cli/runs/watch.hpp"
#include "node/run_record.hpp"
#include "training/packages.hpp"

namespace runctl::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::array<PositionalSpec, 2> positionals{{
    {.name = "SCRIPT", .help = "the training script"},
    {.name = "ARGS", .help = "its arguments, behind --", .need = PositionalSpec::Need::rest},
}};
constexpr std::array<OptionSpec, 7> options{{
    {.name = "--data-dir", .value = "DIR", .help = "given to SCRIPT as RUNCTL_DATA_DIR"},
    {.name = "--checkpoint-dir",
     .value = "DIR",
     .help = "given as RUNCTL_CHECKPOINT_DIR; one run at a time uses it"},
    {.name = "--output-dir", .value = "DIR", .help = "given as RUNCTL_OUTPUT_DIR"},
    {.name = "--resume", .help = "go on from the newest complete checkpoint"},
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
  if (error.remote && error.remote->code == "busy") {
    error.hint = "Two runs that write one directory destroy each other's checkpoints.";
    error.ways_out = {"runctl runs list --local   # who has it",
                      "runctl runs stop RUN   # it may save its work first"};
    error.section = "EBS_CONCURRENT_ACCESS.md#one-run-per-checkpoint-directory";
  }
  return host.in_its_words(std::move(error));
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
  RUNCTL_TRY_LET(const auto run_spec, training::plan_local(id, spec));
  if (context.globals.dry_run) {
    std::vector<std::string> steps;
    if (run_spec.packages) steps.push_back(training::in_words(*run_spec.packages));
    steps.push_back(fmt::format("start {} in {}", node::command_in_short(run_spec.argv),
                                run_spec.working_directory));
    return show_plan(context, steps);
  }
  const RunHost host = host_here(context);
  const auto run = node::start_run(host.machine(context.stop), run_spec);
  if (!run) return std::unexpected{explain(host, run.error())};
  note(context, fmt::format("Run {} is started.", run->id.str()));
  if (!arguments.has("--detach")) return watch(context, {.host = host, .run = run->id});
  present(context, {.text = fmt::format(
                        "Run {} goes on by itself. To see it: runctl runs logs {} --follow\n",
                        run->id.str(), run->id.str()),
                    .record = record_of(*run),
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
