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
#include "volume/mount.hpp"
#include "volume/read.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "VOLUME", .help = "its id or Name"},
}};
constexpr std::array<OptionSpec, 4> options{{
    {.name = "--instance",
     .value = "INSTANCE",
     .help = "the machine, by id or Name",
     .alias = "--instance-id"},
    {.name = "--device",
     .value = "DEVICE",
     .help = "the device name that EC2 keeps (default: a free one)"},
    {.name = "--mount", .value = "DIR", .help = "mount it there as well"},
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
  const auto directory = arguments.get("--mount");
  const auto format = arguments.get("--format");
  if (format && !directory) {
    return fail(Errc::invalid_argument,
                "--format is for --mount: say where the new filesystem goes");
  }
  if (directory) {
    volume::MountSpec mount;
    RUNCTL_TRY_LET(mount.directory, parse_mount_point(*directory));
    if (format) {
      RUNCTL_TRY_LET(mount.format, volume::parse_filesystem(*format));
    }
    parsed.mount = std::move(mount);
  }
  return parsed;
}

std::vector<std::string> steps_of(const Options& wanted, const volume::AttachFacts& facts,
                                  const volume::AttachPlan& plan) {
  std::vector<std::string> steps;
  if (!plan.already_attached) {
    steps.push_back(fmt::format("attach volume {} to instance {} as {}", label_of(facts.volume),
                                label_of(facts.instance), plan.device));
  }
  if (wanted.mount && wanted.mount->format) {
    steps.push_back(fmt::format("make a filesystem ({}) on it, if it is proved blank",
                                volume::name_of(*wanted.mount->format)));
  }
  if (wanted.mount) steps.push_back(fmt::format("mount it at {}", wanted.mount->directory));
  if (steps.empty()) steps.emplace_back("nothing: it is attached there already");
  return steps;
}

// What somebody who has the volume now should know: whether others can have it too, how to use it,
// and how to give it back.
std::string reminders(const volume::VolumeFacts& volume, const InstanceId& instance, bool mounted) {
  std::string text =
      volume.multi_attach
          ? "Multi-Attach is on: other tools can attach it to more machines, each of which can "
            "write,\nand ext4 and XFS do not survive that (runctl help multi-attach).\n"
          : "No other machine can have it until it is detached.\n";
  if (!mounted) {
    text += fmt::format("To use it:      runctl aws ebs attach {} --instance {} --mount /data\n",
                        volume.id, instance);
    if (!volume.source && volume.tags.contains(volume::tag::created_empty)) {
      text += "                with --format ext4 the first time, while it is empty\n";
    }
  }
  return text + fmt::format("When you are done: runctl aws ebs detach {}\n", volume.id);
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

Presentation describe(const volume::VolumeFacts& volume, const volume::AttachPlan& plan,
                      const InstanceId& instance, const std::optional<volume::Mounted>& mounted,
                      const std::string& mount_point) {
  std::string text =
      fmt::format("Volume {} {} attached to {} as {}.\n", volume.id,
                  plan.already_attached ? "was already" : "is", instance, plan.device);
  boost::json::object record{{"volume_id", volume.id.str()},
                             {"instance_id", instance.str()},
                             {"device", plan.device},
                             {"already_attached", plan.already_attached}};
  if (mounted) {
    text += fmt::format("{} at {} ({}).\n", mounted->already ? "It was already mounted" : "Mounted",
                        mounted->path, mounted->filesystem);
    record["mount_point"] = mount_point;
    record["path"] = mounted->path;
    record["filesystem"] = mounted->filesystem;
    record["formatted"] = mounted->formatted;
    record["already_mounted"] = mounted->already;
  }
  record["exclusive"] = !volume.multi_attach;
  text += reminders(volume, instance, mounted.has_value());
  return {.text = std::move(text), .record = std::move(record), .id = volume.id.str()};
}

OperationSpec operation_of(const Options& wanted, const volume::AttachFacts& facts,
                           const volume::AttachPlan& plan) {
  boost::json::object end{{"device", plan.device}};
  if (wanted.mount) {
    end["mount_point"] = wanted.mount->directory;
    if (wanted.mount->format) end["format"] = volume::name_of(*wanted.mount->format);
  }
  return {.kind = "attach",
          .subjects = {facts.volume.id.str(), facts.instance.id.str()},
          .plan = std::move(end)};
}

Result<std::optional<volume::Mounted>> carry_out(const volume::Change& change,
                                                 const Options& wanted,
                                                 const volume::AttachFacts& facts,
                                                 const volume::AttachPlan& plan) {
  const VolumeId& volume = facts.volume.id;
  const InstanceId& instance = facts.instance.id;
  if (plan.already_attached) {
    RUNCTL_TRY(volume::wait_until_attached(change.session, volume, instance, plan.device));
  } else {
    RUNCTL_TRY(volume::execute_attach(change, facts, plan));
  }
  if (!wanted.mount) return std::nullopt;
  auto mounted = volume::mount(change, facts.volume, instance, *wanted.mount);
  if (mounted) return *std::move(mounted);
  // The attachment stands; what failed is on the machine.
  mounted.error().details.push_back(fmt::format(
      "volume {} is attached to {} as {}, and not mounted", volume, instance, plan.device));
  return std::unexpected{std::move(mounted).error()};
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
  if (plan.refusal) return std::unexpected{*std::move(plan.refusal)};
  if (wanted.mount) {
    if (auto refusal = volume::check_mount(volume, instance, *wanted.mount)) {
      return std::unexpected{*std::move(refusal)};
    }
  }
  if (context.globals.dry_run) return show_plan(context, steps_of(wanted, facts, plan));

  RUNCTL_TRY_LET(const auto mounted, cloud->carry_out(session, operation_of(wanted, facts, plan),
                                                      [&](const volume::Change& change) {
                                                        return carry_out(change, wanted, facts,
                                                                         plan);
                                                      }));
  log_attached(context, volume, plan, instance.id);
  present(context, describe(volume, plan, instance.id, mounted,
                            wanted.mount ? wanted.mount->directory : ""));
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
