// runctl aws start|stop
#include <array>

#include <fmt/format.h>

#include "cli/cloud.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/output.hpp"
#include "fleet/launch.hpp"
#include "fleet/spot.hpp"
#include "fleet/stop.hpp"
#include "volume/read.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "INSTANCE", .help = "its id or Name"},
}};
constexpr std::array<OptionSpec, 1> stop_options{{
    {.name = "--unsafe-skip-unmount",
     .help = "do not unmount its volumes: what was not written is lost"},
}};
constexpr std::array<OptionSpec, 1> start_options{{
    {.name = "--wait", .help = "return when commands can run on it"},
}};

std::vector<std::string> steps_of(const fleet::PowerFacts& facts, const fleet::StopPlan& plan) {
  std::vector<std::string> steps = fleet::words_of(facts.runs);
  for (const auto& device : plan.data_volumes) {
    steps.push_back(fmt::format("{}keep volume {} ({}) attached",
                                plan.unmount_first ? "unmount and " : "", device.volume,
                                device.device));
  }
  steps.push_back(fmt::format("stop instance {} ({}); its disks go on costing money",
                              label_of(facts.instance), facts.instance.type));
  return steps;
}

Result<ExitCode> stop(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto cloud, connect(context));
  const auto session = cloud->session();
  RUNCTL_TRY_LET(
      const auto instance,
      volume::find_instance(cloud->aws(), arguments.positional("INSTANCE"), session.options()));
  RUNCTL_TRY_LET(auto facts, fleet::read_power_facts(session, instance));
  if (instance.state == volume::InstanceState::running) {
    RUNCTL_TRY_LET(facts.spot, fleet::read_spot_request(session, instance));
  }
  const auto unmounting = arguments.has("--unsafe-skip-unmount") ? fleet::Unmounting::skipped
                                                                 : fleet::Unmounting::required;
  auto plan = fleet::plan_stop(facts, unmounting);
  if (plan.refusal) return std::unexpected{*std::move(plan.refusal)};
  if (context.globals.dry_run && !plan.already_stopped) {
    return show_plan(context, steps_of(facts, plan));
  }
  if (!plan.already_stopped && unmounting == fleet::Unmounting::skipped) {
    std::string question;
    for (const std::string& step : steps_of(facts, plan)) question += fmt::format("- {}\n", step);
    RUNCTL_TRY(ask_consent(context, question + fmt::format("Stop instance {}?", instance.id)));
  }
  for (const std::string& line : fleet::words_of(facts.runs))
    note(context, fmt::format("Note: it will {}.", line));
  OperationSpec operation{.kind = "stop", .subjects = {instance.id.str()}};
  for (const auto& device : plan.data_volumes) operation.subjects.push_back(device.volume.str());
  RUNCTL_TRY(cloud->carry_out(session, std::move(operation), [&](const volume::Change& change) {
    return fleet::execute_stop(change, facts, plan);
  }));
  present(context, {.text = fmt::format("Instance {} {} stopped.\n", instance.id,
                                        plan.already_stopped ? "was already" : "is"),
                    .record = {{"instance_id", instance.id.str()},
                               {"already_stopped", plan.already_stopped}},
                    .id = instance.id.str()});
  return ExitCode::ok;
}

Result<ExitCode> start(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto cloud, connect(context));
  const auto session = cloud->session();
  RUNCTL_TRY_LET(
      const auto instance,
      volume::find_instance(cloud->aws(), arguments.positional("INSTANCE"), session.options()));
  auto plan = fleet::plan_start(instance);
  if (plan.refusal) return std::unexpected{*std::move(plan.refusal)};
  if (context.globals.dry_run && !plan.already_running) {
    return show_plan(context,
                     {fmt::format("start instance {} ({})", label_of(instance), instance.type)});
  }
  if (!plan.already_running) {
    RUNCTL_TRY(cloud->carry_out(
        session, {.kind = "start", .subjects = {instance.id.str()}},
        [&](const volume::Change& change) { return fleet::execute_start(change, instance.id); }));
  }
  const bool wait = arguments.has("--wait");
  if (wait) RUNCTL_TRY(fleet::wait_until_ready(session, instance.id));
  const std::string_view how = plan.already_running ? "was already started" : "is starting";
  present(context, {.text = fmt::format("Instance {} {}{}.\n", instance.id, how,
                                        wait ? ", and commands can run on it" : ""),
                    .record = {{"instance_id", instance.id.str()},
                               {"already_running", plan.already_running},
                               {"ready", wait}},
                    .id = instance.id.str()});
  return ExitCode::ok;
}

}  // namespace

const CommandSpec aws_stop{.path = "aws stop",
                           .summary = "switch a machine off; its volumes stay attached",
                           .positionals = positionals,
                           .options = stop_options,
                           .danger = Danger::changes,
                           .run = stop};
const CommandSpec aws_start{.path = "aws start",
                            .summary = "switch a stopped machine on again",
                            .positionals = positionals,
                            .options = start_options,
                            .danger = Danger::changes,
                            .run = start};

}  // namespace runctl::cli
