// runctl aws ebs attach
#include "volume/attach.hpp"

#include <array>
#include <optional>

#include <fmt/format.h>

#include "cli/cloud.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/ebs/show_text.hpp"
#include "cli/output.hpp"
#include "volume/holder.hpp"
#include "volume/place.hpp"
#include "volume/read.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "VOLUME", .help = "its id or Name"},
}};
constexpr std::array<OptionSpec, 5> options{{
    {.name = "--instance",
     .value = "INSTANCE",
     .help = "the machine, by id or Name",
     .alias = "--instance-id"},
    {.name = "--device",
     .value = "DEVICE",
     .help = "the device name that EC2 keeps (default: a free one)"},
    {.name = "--mount", .value = "DIR", .help = "mount it there as well"},
    {.name = "--read-only",
     .help = "with --mount: at the device and in the mount; sealed volumes always are"},
    {.name = "--format",
     .value = "ext4|xfs",
     .help = "with --mount: make a filesystem on a volume that was created empty"},
}};

struct Options {
  std::string volume;
  std::string instance;
  std::optional<std::string> device;
  std::optional<volume::MountSpec> mount;
};

Result<Options> parse_options(const Arguments& arguments) {
  Options parsed;
  parsed.volume = arguments.positional("VOLUME");
  parsed.device = arguments.get("--device");
  const auto instance = arguments.get("--instance");
  if (!instance) {
    auto missing = fail(Errc::invalid_argument, "runctl aws ebs attach needs --instance");
    missing.error().hint = "Machines: runctl aws list";
    return missing;
  }
  parsed.instance = *instance;
  RUNCTL_TRY_LET(parsed.mount, parse_mount(arguments));
  return parsed;
}

std::vector<std::string> steps_of(const Options& wanted, const volume::AttachFacts& facts,
                                  const volume::AttachPlan& plan) {
  std::vector<std::string> steps;
  if (!plan.already_attached) {
    steps.push_back(fmt::format("attach volume {} to instance {} as {}", label_of(facts.volume),
                                label_of(facts.instance), plan.device));
  }
  if (wanted.mount) {
    auto mount = *wanted.mount;
    mount.access = volume::access_for(facts.volume, mount.access);
    add_steps(steps, mount);
  }
  if (steps.empty()) steps.emplace_back("nothing: it is attached there already");
  return steps;
}

// What somebody who has the volume now should know: whether others can have it too, how to use it,
// and how to give it back.
std::string reminders(const volume::VolumeFacts& volume, const InstanceId& instance, bool mounted) {
  std::string text = "No other machine can have it until it is detached.\n";
  if (volume::is_shared(volume)) {
    text = "It is sealed: every machine that has it reads it, and none can write.\n";
  } else if (volume.multi_attach) {
    text =
        "Multi-Attach is on: other tools can attach it to more machines, each of which can "
        "write,\nand ext4 and XFS do not survive that (runctl help multi-attach).\n";
  }
  if (!mounted) {
    text += fmt::format("To use it:      runctl aws ebs mount {} --instance {} /data\n", volume.id,
                        instance);
    if (!volume::is_copy(volume) && volume.tags.contains(volume::tag::created_empty)) {
      text += "                with --format ext4 the first time, while it is empty\n";
    }
  }
  return text + fmt::format("When you are done: runctl aws ebs detach {}{}\n", volume.id,
                            volume.multi_attach ? fmt::format(" --instance {}", instance) : "");
}

// The same for programs that watch the log.
void log_attached(const Context& context, const volume::VolumeFacts& volume,
                  const volume::AttachPlan& plan, const InstanceId& instance) {
  context.log.write(
      {.level = LogLevel::info,
       .name = "volume.attached",
       .fields = {{.name = "volume", .value = volume.id.str()},
                  {.name = "instance", .value = instance.str()},
                  {.name = "device", .value = plan.device},
                  {.name = "already", .value = plan.already_attached ? "yes" : "no"},
                  {.name = "exclusive", .value = volume.multi_attach ? "no" : "yes"},
                  {.name = "multi_attach", .value = volume.multi_attach ? "yes" : "no"}}});
}

Presentation describe(const volume::VolumeFacts& volume, const InstanceId& instance,
                      const volume::Placed& placed, const std::string& mount_point) {
  std::string text =
      fmt::format("Volume {} {} attached to {} as {}.\n", volume.id,
                  placed.already_attached ? "was already" : "is", instance, placed.device);
  boost::json::object record{{"volume_id", volume.id.str()},
                             {"instance_id", instance.str()},
                             {"device", placed.device},
                             {"already_attached", placed.already_attached}};
  if (placed.mounted) {
    text += text_of(*placed.mounted);
    add_to_record(record, *placed.mounted, mount_point);
  }
  record["exclusive"] = !volume.multi_attach;
  text += reminders(volume, instance, placed.mounted.has_value());
  return {.text = std::move(text), .record = std::move(record), .id = volume.id.str()};
}

// Who was refused is told what the holder does with it, where that can be known.
std::unexpected<Error> refused(const volume::Session& session, const volume::VolumeFacts& volume,
                               Error refusal) {
  if (refusal.section.ends_with("#held-volume")) {
    volume::describe_use(session, volume.id, volume.attachments.front().instance, refusal);
  }
  return std::unexpected{std::move(refusal)};
}

Result<ExitCode> attach(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto wanted, parse_options(arguments));
  RUNCTL_TRY_LET(const auto cloud, connect(context));
  const auto session = cloud->session();
  RUNCTL_TRY_LET(const auto volume, cloud->find_volume(wanted.volume));
  RUNCTL_TRY_LET(const auto instance,
                 volume::find_instance(cloud->aws(), wanted.instance, session.options()));
  RUNCTL_TRY_LET(auto facts, volume::read_attach_facts(session, volume, instance));
  facts.wanted_device = wanted.device;
  RUNCTL_TRY_LET(facts.recent_devices, cloud->recent_devices(volume.id));
  auto plan = volume::plan_attach(facts);
  if (plan.refusal) return refused(session, volume, *std::move(plan.refusal));
  if (wanted.mount) {
    if (auto refusal = volume::check_mount(volume, instance, *wanted.mount)) {
      return std::unexpected{*std::move(refusal)};
    }
  }
  if (context.globals.dry_run) return show_plan(context, steps_of(wanted, facts, plan));

  const volume::PlaceSpec end{.mount = wanted.mount, .device = plan.device};
  OperationSpec operation{.kind = "attach",
                          .subjects = {volume.id.str(), instance.id.str()},
                          .plan = volume::plan_of(end)};
  RUNCTL_TRY_LET(const auto placed,
                 cloud->carry_out(session, std::move(operation), [&](const volume::Change& change) {
                   return volume::execute_place(change, facts, plan, wanted.mount);
                 }));
  log_attached(context, volume, plan, instance.id);
  present(context,
          describe(volume, instance.id, placed, wanted.mount ? wanted.mount->directory : ""));
  return ExitCode::ok;
}

}  // namespace

const CommandSpec ebs_attach{.path = "aws ebs attach",
                             .summary = "attach a volume to a machine, and mount it",
                             .positionals = positionals,
                             .options = options,
                             .danger = Danger::changes,
                             .run = attach};

}  // namespace runctl::cli
