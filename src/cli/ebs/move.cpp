// runctl aws ebs move
#include "volume/move.hpp"

#include <array>

#include <fmt/format.h>

#include "cli/cloud.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/output.hpp"
#include "volume/place.hpp"
#include "volume/read.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "VOLUME", .help = "its id or Name"},
}};
constexpr std::array<OptionSpec, 2> options{{
    {.name = "--to", .value = "INSTANCE", .help = "the machine that gets it, by id or Name"},
    {.name = "--mount",
     .value = "DIR",
     .help = "where it is mounted there (default: where it is mounted now)"},
}};

std::vector<std::string> steps_of(const volume::MoveFacts& facts, const volume::MovePlan& plan) {
  const auto& volume = facts.from.volume;
  const auto& target = facts.to.instance;
  std::vector<std::string> steps;
  if (plan.detach.attachment) {
    const auto& from = *plan.detach.attachment;
    if (plan.detach.unmount_first) {
      steps.push_back(fmt::format("unmount it on {}, unless something uses it", from.instance));
    }
    steps.push_back(
        fmt::format("detach volume {} ({}) from {}", label_of(volume), from.device, from.instance));
  }
  if (!plan.already_there) {
    steps.push_back(
        fmt::format("attach it to instance {} as {}", label_of(target), plan.attach.device));
  }
  if (plan.mount) add_steps(steps, *plan.mount);
  return steps;
}

Result<volume::MoveFacts> read_facts(const Arguments& arguments, Cloud& cloud,
                                     const volume::Session& session) {
  const auto to = arguments.get("--to");
  if (!to) {
    auto missing = fail(Errc::invalid_argument, "runctl aws ebs move needs --to");
    missing.error().hint = "Machines: runctl aws list";
    return missing;
  }
  std::optional<std::string> directory;
  if (const auto mount = arguments.get("--mount")) {
    RUNCTL_TRY_LET(directory, parse_mount_point(*mount));
  }
  RUNCTL_TRY_LET(const auto volume, cloud.find_volume(arguments.positional("VOLUME")));
  RUNCTL_TRY_LET(const auto target, volume::find_instance(cloud.aws(), *to, session.options()));
  RUNCTL_TRY_LET(auto facts, volume::read_move_facts(session, volume, target));
  facts.wanted_directory = std::move(directory);
  RUNCTL_TRY_LET(const auto recent, cloud.recent_devices(volume.id));
  facts.to.recent_devices.insert(facts.to.recent_devices.end(), recent.begin(), recent.end());
  return facts;
}

OperationSpec operation_of(const volume::MoveFacts& facts, const volume::MovePlan& plan) {
  boost::json::object end = volume::plan_of({.mount = plan.mount, .device = plan.attach.device});
  const auto& target = facts.to.instance.id;
  end["to"] = target.str();
  OperationSpec operation{.kind = "move", .subjects = {facts.from.volume.id.str(), target.str()}};
  if (plan.detach.attachment) {
    operation.subjects.push_back(plan.detach.attachment->instance.str());
    end["from"] = plan.detach.attachment->instance.str();
  }
  operation.plan = std::move(end);
  return operation;
}

Presentation describe(const volume::MoveFacts& facts, const volume::MovePlan& plan,
                      const volume::Moved& moved) {
  const auto& id = facts.from.volume.id;
  const auto& target = facts.to.instance.id;
  std::string text = fmt::format(
      "Volume {} {} {} as {}.\n", id,
      plan.already_there ? "was already attached to" : "is now attached to", target, moved.device);
  boost::json::object record{{"volume_id", id.str()},
                             {"instance_id", target.str()},
                             {"device", moved.device},
                             {"already_there", plan.already_there}};
  if (plan.detach.attachment) record["from"] = plan.detach.attachment->instance.str();
  if (moved.mounted) {
    text += text_of(*moved.mounted);
    add_to_record(record, *moved.mounted, plan.mount->directory);
  } else {
    text += fmt::format("It was not mounted, and is not. To use it: runctl aws ebs mount {}\n", id);
  }
  return {.text = std::move(text), .record = std::move(record), .id = id.str()};
}

Result<ExitCode> move(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto cloud, connect(context));
  const auto session = cloud->session();
  RUNCTL_TRY_LET(const auto facts, read_facts(arguments, *cloud, session));
  auto plan = volume::plan_move(facts);
  if (plan.refusal) return std::unexpected{*std::move(plan.refusal)};
  if (context.globals.dry_run) return show_plan(context, steps_of(facts, plan));
  RUNCTL_TRY_LET(
      const auto moved,
      cloud->carry_out(session, operation_of(facts, plan), [&](const volume::Change& change) {
        return volume::execute_move(change, facts, plan);
      }));
  present(context, describe(facts, plan, moved));
  return ExitCode::ok;
}

}  // namespace

const CommandSpec ebs_move{.path = "aws ebs move",
                           .summary = "hand a volume over to another machine",
                           .positionals = positionals,
                           .options = options,
                           .danger = Danger::changes,
                           .run = move};

}  // namespace runctl::cli
