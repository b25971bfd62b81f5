// runctl aws ebs detach
#include "volume/detach.hpp"

#include <array>

#include <fmt/format.h>

#include "cli/cloud.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/output.hpp"
#include "volume/read.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "VOLUME", .help = "its id or Name"},
}};
constexpr std::array<OptionSpec, 3> options{{
    {.name = "--instance",
     .value = "INSTANCE",
     .help = "from which machine, when several have it",
     .alias = "--instance-id"},
    {.name = "--unsafe-force",
     .help = "pull it off a machine that cannot be reached: what was not written is lost"},
    {.name = "--confirm",
     .value = "ID",
     .help = "with --unsafe-force: the volume's id, as consent"},
}};

// What was pulled off by force; a sealed one has not been written.
bool is_checked_later(const volume::VolumeFacts& volume) {
  return volume::mode_of(volume) != volume::VolumeMode::sealed;
}

std::vector<std::string> steps_of(const volume::VolumeFacts& volume,
                                  const volume::DetachPlan& plan) {
  const InstanceId& instance = plan.attachment->instance;
  std::vector<std::string> steps;
  if (plan.unmount_first) {
    steps.push_back(fmt::format("unmount it on {}, unless something uses it", instance));
  }
  if (plan.by_force) {
    steps.push_back(fmt::format("take a snapshot of what has reached volume {}", volume.id));
    steps.push_back(
        fmt::format("pull volume {} off {} by force{}", label_of(volume), instance,
                    is_checked_later(volume) ? "; the next mount to write checks it" : ""));
  } else {
    steps.push_back(fmt::format("detach volume {} ({}) from {}", label_of(volume),
                                plan.attachment->device, instance));
  }
  return steps;
}

// Says first what may be lost.
Result<void> ask_for_force(Context& context, const Arguments& arguments,
                           const volume::VolumeFacts& volume, const volume::DetachPlan& plan) {
  return ask_for_name(
      context,
      fmt::format("Instance {} cannot be asked: what it has not yet written to volume {} will be "
                  "lost, and it may still be writing",
                  plan.attachment->instance, label_of(volume)),
      volume.id.str(), "--confirm", arguments.get("--confirm"));
}

Result<ExitCode> detach(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto cloud, connect(context));
  const auto session = cloud->session();
  RUNCTL_TRY_LET(const auto volume, cloud->find_volume(arguments.positional("VOLUME")));
  RUNCTL_TRY_LET(const auto named, find_named_instance(arguments, session));
  const auto wanted = named ? std::optional{named->id} : std::nullopt;
  RUNCTL_TRY_LET(auto facts, volume::read_detach_facts(session, volume, wanted));
  if (arguments.has("--unsafe-force")) facts.force = volume::Force::yes;
  auto plan = volume::plan_detach(facts);
  if (plan.refusal) return std::unexpected{*std::move(plan.refusal)};
  if (plan.already_detached) {
    const std::string from = wanted ? fmt::format(" to {}", *wanted) : std::string{};
    present(context, {.text = fmt::format("Volume {} is not attached{}.\n", volume.id, from),
                      .record = {{"volume_id", volume.id.str()}, {"already_detached", true}},
                      .id = volume.id.str()});
    return ExitCode::ok;
  }
  const InstanceId instance = plan.attachment->instance;
  if (context.globals.dry_run) return show_plan(context, steps_of(volume, plan));
  if (plan.by_force) RUNCTL_TRY(ask_for_force(context, arguments, volume, plan));
  RUNCTL_TRY(cloud->carry_out(
      session, {.kind = "detach", .subjects = {volume.id.str(), instance.str()}},
      [&](const volume::Change& change) { return volume::execute_detach(change, facts, plan); }));
  context.log.write({.level = LogLevel::info,
                     .name = "volume.detached",
                     .fields = {{.name = "volume", .value = volume.id.str()},
                                {.name = "instance", .value = instance.str()},
                                {.name = "unmounted", .value = plan.unmount_first ? "yes" : "no"},
                                {.name = "forced", .value = plan.by_force ? "yes" : "no"}}});
  present(context,
          {.text = fmt::format("Volume {} is detached from {}{}.\n", volume.id, instance,
                               !plan.by_force             ? ""
                               : is_checked_later(volume) ? ", by force: its next mount checks it"
                                                          : ", by force"),
           .record = {{"volume_id", volume.id.str()},
                      {"instance_id", instance.str()},
                      {"unmounted", plan.unmount_first},
                      {"forced", plan.by_force},
                      {"already_detached", false}},
           .id = volume.id.str()});
  return ExitCode::ok;
}

}  // namespace

const CommandSpec ebs_detach{.path = "aws ebs detach",
                             .summary = "unmount a volume, then detach it",
                             .positionals = positionals,
                             .options = options,
                             .danger = Danger::changes,
                             .run = detach};

}  // namespace runctl::cli
