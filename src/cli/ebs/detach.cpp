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
constexpr std::array<OptionSpec, 1> options{{
    {.name = "--instance",
     .value = "INSTANCE",
     .help = "from which machine, when several have it",
     .alias = "--instance-id"},
}};

Result<ExitCode> detach(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto cloud, connect(context));
  const auto session = cloud->session();
  RUNCTL_TRY_LET(const auto volume, cloud->find_volume(arguments.positional("VOLUME")));
  std::optional<InstanceId> wanted;
  if (const auto name = arguments.get("--instance")) {
    RUNCTL_TRY_LET(const auto instance,
                   volume::find_instance(cloud->aws(), *name, session.options()));
    wanted = instance.id;
  }
  RUNCTL_TRY_LET(const auto facts, volume::read_detach_facts(session, volume, wanted));
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
  if (context.globals.dry_run) {
    std::vector<std::string> steps;
    if (plan.unmount_first)
      steps.push_back(fmt::format("unmount it on {}, unless something uses it", instance));
    steps.push_back(fmt::format("detach volume {} ({}) from {}", label_of(volume),
                                plan.attachment->device, instance));
    return show_plan(context, steps);
  }
  RUNCTL_TRY(cloud->carry_out(
      session, {.kind = "detach", .subjects = {volume.id.str(), instance.str()}},
      [&](const volume::Change& change) { return volume::execute_detach(change, facts, plan); }));
  context.log.write(
      {.level = LogLevel::info,
       .name = "volume.detached",
       .fields = {{.name = "volume", .value = volume.id.str()},
                  {.name = "instance", .value = instance.str()},
                  {.name = "unmounted", .value = plan.unmount_first ? "yes" : "no"}}});
  present(context, {.text = fmt::format("Volume {} is detached from {}.\n", volume.id, instance),
                    .record = {{"volume_id", volume.id.str()},
                               {"instance_id", instance.str()},
                               {"unmounted", plan.unmount_first},
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
