// runctl aws train
#include "training/train.hpp"

#include <array>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/cloud.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/instance/run_text.hpp"
#include "cli/output.hpp"
#include "cli/runs/host.hpp"
#include "cli/runs/watch.hpp"
#include "training/follow.hpp"
#include "training/git_commit.hpp"
#include "volume/read.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 3> positionals{{
    {.name = "INSTANCE", .help = "the machine, by id or Name"},
    {.name = "SCRIPT", .help = "the training script, on this machine"},
    {.name = "ARGS", .help = "its arguments, behind --", .need = PositionalSpec::Need::rest},
}};
constexpr std::array<OptionSpec, 6> options{{
    {.name = "--data-volume",
     .value = "VOLUME",
     .help = "mounted, and given to SCRIPT as RUNCTL_DATA_DIR"},
    {.name = "--checkpoint-volume",
     .value = "VOLUME",
     .help = "for RUNCTL_CHECKPOINT_DIR; may be the same one"},
    {.name = "--resume", .help = "go on from the newest complete checkpoint"},
    {.name = "--sync-code", .help = "send the files beside SCRIPT too (the default)"},
    {.name = "--no-sync-code", .help = "send SCRIPT alone"},
    {.name = "--wait", .help = "show its output, and end as it ends"},
}};

Result<std::optional<volume::VolumeFacts>> find(Cloud& cloud,
                                                const std::optional<std::string>& name) {
  if (!name) return std::nullopt;
  RUNCTL_TRY_LET(auto volume, cloud.find_volume(*name));
  return volume;
}

Result<training::Code> collect(const Arguments& arguments) {
  if (arguments.has("--sync-code") && arguments.has("--no-sync-code")) {
    return fail(Errc::invalid_argument, "--sync-code and --no-sync-code exclude each other");
  }
  if (arguments.has("--resume") && !arguments.has("--checkpoint-volume")) {
    return fail(Errc::invalid_argument,
                "--resume needs --checkpoint-volume: that is where the checkpoints are");
  }
  const auto siblings =
      arguments.has("--no-sync-code") ? training::Siblings::left_out : training::Siblings::sent;
  return training::collect_code(arguments.positional("SCRIPT"), siblings);
}

std::string file_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::vector<std::string> steps_of(const training::TrainSpec& spec) {
  std::vector<std::string> steps;
  for (const auto* volume : {&spec.data_volume, &spec.checkpoint_volume}) {
    if (*volume)
      steps.push_back(
          fmt::format("attach and mount volume {}, where it is not yet", label_of(**volume)));
  }
  steps.push_back(
      fmt::format("send {} files ({})", spec.code.files.size(), bytes_in_words(spec.code.bytes())));
  steps.push_back(fmt::format("start {} on {}", spec.script, label_of(spec.instance)));
  return steps;
}

OperationSpec operation_of(const training::TrainSpec& spec) {
  OperationSpec operation{
      .kind = "train", .subjects = {spec.instance.id.str()}, .plan = {{"script", spec.script}}};
  for (const auto* volume : {&spec.data_volume, &spec.checkpoint_volume}) {
    if (*volume) operation.subjects.push_back((*volume)->id.str());
  }
  return operation;
}

Result<ExitCode> train(const Arguments& arguments, Context& context) {
  training::TrainSpec spec{.instance = {.id = InstanceId::parse("i-00000000").value()}};
  RUNCTL_TRY_LET(spec.code, collect(arguments));
  spec.script = file_name(arguments.positional("SCRIPT"));
  spec.arguments = arguments.rest("ARGS");
  spec.git_commit =
      training::git_commit_of(std::filesystem::path{arguments.positional("SCRIPT")}.parent_path());
  spec.resume = arguments.has("--resume") ? training::Resume::yes : training::Resume::no;

  RUNCTL_TRY_LET(const std::shared_ptr<Cloud> cloud, connect(context));
  const auto session = cloud->session();
  RUNCTL_TRY_LET(
      spec.instance,
      volume::find_instance(cloud->aws(), arguments.positional("INSTANCE"), session.options()));
  RUNCTL_TRY_LET(spec.data_volume, find(*cloud, arguments.get("--data-volume")));
  RUNCTL_TRY_LET(spec.checkpoint_volume, find(*cloud, arguments.get("--checkpoint-volume")));
  if (context.globals.dry_run) return show_plan(context, steps_of(spec));

  if (!spec.code.left_out.empty()) {
    note(context, fmt::format("Not sent: {}.", join(spec.code.left_out, ", ")));
  }
  note(context,
       fmt::format("Sending {} file{} ({}).", spec.code.files.size(),
                   spec.code.files.size() == 1 ? "" : "s", bytes_in_words(spec.code.bytes())));
  RUNCTL_TRY_LET(const auto run,
                 cloud->carry_out(session, operation_of(spec), [&](const volume::Change& change) {
                   return training::start(change, spec);
                 }));
  note(context, fmt::format("Run {} is started on {}.", run.id.str(), spec.instance.id));
  if (arguments.has("--wait")) {
    return watch(context, {.host = host_of(cloud, spec.instance),
                           .run = run.id,
                           .behind_limit = training::live_behind_limit});
  }
  present(context, {.text = fmt::format(
                        "Run {} goes on by itself. To see it: runctl runs logs {} --follow\n",
                        run.id.str(), run.id.str()),
                    .record = record_of(run),
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
