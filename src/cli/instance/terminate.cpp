// runctl aws terminate
#include "fleet/terminate.hpp"

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
    {.name = "INSTANCE", .help = "its id or Name"},
}};
constexpr std::array<OptionSpec, 2> options{{
    {.name = "--unsafe-lose-results",
     .help = "also when its own disk has the only copy of what a run was to upload"},
    {.name = "--unsafe-skip-unmount",
     .help = "do not unmount its volumes: what was not written is lost"},
}};

std::vector<std::string> steps_of(const fleet::PowerFacts& facts,
                                  const fleet::TerminatePlan& plan) {
  std::vector<std::string> steps = fleet::words_of(facts.runs);
  for (const auto& device : plan.data_volumes) {
    steps.push_back(fmt::format("{}keep volume {} ({})", plan.unmount_first ? "unmount and " : "",
                                device.volume, device.device));
  }
  steps.push_back(fmt::format("terminate instance {} ({}) with its root disk",
                              label_of(facts.instance), facts.instance.type));
  return steps;
}

Result<ExitCode> terminate(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto cloud, connect(context));
  const auto session = cloud->session();
  RUNCTL_TRY_LET(
      const auto instance,
      volume::find_instance(cloud->aws(), arguments.positional("INSTANCE"), session.options()));
  RUNCTL_TRY_LET(auto facts, fleet::read_power_facts(session, instance));
  const auto unmounting = arguments.has("--unsafe-skip-unmount") ? fleet::Unmounting::skipped
                                                                 : fleet::Unmounting::required;
  const auto results =
      arguments.has("--unsafe-lose-results") ? fleet::Results::lost : fleet::Results::kept;
  if (!facts.runs_are_known && results == fleet::Results::kept) {
    RUNCTL_TRY_LET(const auto operations, cloud->operations_on(instance.id.str()));
    facts.maybe_only_here = fleet::started_uploads(operations, instance.id);
  }
  auto plan = fleet::plan_terminate(facts, unmounting, results);
  if (plan.refusal) return std::unexpected{*std::move(plan.refusal)};
  if (context.globals.dry_run && !plan.already_gone)
    return show_plan(context, steps_of(facts, plan));
  if (!plan.already_gone) {
    std::string question;
    for (const std::string& step : steps_of(facts, plan)) question += fmt::format("- {}\n", step);
    RUNCTL_TRY(ask_consent(context, question + fmt::format("Terminate instance {}?", instance.id)));
    OperationSpec operation{.kind = "terminate", .subjects = {instance.id.str()}};
    for (const auto& device : plan.data_volumes) operation.subjects.push_back(device.volume.str());
    RUNCTL_TRY(cloud->carry_out(session, std::move(operation), [&](const volume::Change& change) {
      return fleet::execute_terminate(change, facts, plan);
    }));
  }
  present(context, {.text = fmt::format("Instance {} {} terminated.\n", instance.id,
                                        plan.already_gone ? "was already" : "is"),
                    .record = {{"instance_id", instance.id.str()},
                               {"already_terminated", plan.already_gone}},
                    .id = instance.id.str()});
  return ExitCode::ok;
}

}  // namespace

const CommandSpec aws_terminate{.path = "aws terminate",
                                .summary = "give a machine back; its data volumes stay",
                                .positionals = positionals,
                                .options = options,
                                .danger = Danger::destroys,
                                .run = terminate};

}  // namespace runctl::cli
