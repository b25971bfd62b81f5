// runctl aws ebs mount|unmount: the filesystem of an attached volume
#include "volume/mount.hpp"

#include <array>

#include <fmt/format.h>

#include "cli/cloud.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/output.hpp"
#include "volume/detach.hpp"
#include "volume/place.hpp"

namespace runctl::cli {
namespace {

constexpr OptionSpec instance_option{.name = "--instance",
                                     .value = "INSTANCE",
                                     .help = "on which machine, when several have it",
                                     .alias = "--instance-id"};

constexpr std::array<PositionalSpec, 2> mount_positionals{{
    {.name = "VOLUME", .help = "its id or Name"},
    {.name = "DIR",
     .help = "the mount point (default: /mnt/ and its Name)",
     .need = PositionalSpec::Need::optional},
}};
constexpr std::array<OptionSpec, 3> mount_options{{
    instance_option,
    {.name = "--read-only", .help = "at the device and in the mount; sealed volumes always are"},
    {.name = "--format",
     .value = "ext4|xfs",
     .help = "make a filesystem first, on a volume that was created empty"},
}};
constexpr std::array<PositionalSpec, 1> unmount_positionals{{
    {.name = "VOLUME", .help = "its id or Name"},
}};
constexpr std::array<OptionSpec, 1> unmount_options{{instance_option}};

Result<volume::MountSpec> mount_spec(const Arguments& arguments,
                                     const volume::VolumeFacts& volume) {
  Arguments as_option = arguments;
  const auto words = arguments.rest("DIR");
  as_option.options["--mount"] = {words.empty() ? volume::default_mount_point(volume)
                                                : words.front()};
  RUNCTL_TRY_LET(auto spec, parse_mount(as_option));
  spec->access = volume::access_for(volume, spec->access);
  return *std::move(spec);
}

Result<ExitCode> mount(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto cloud, connect(context));
  const auto session = cloud->session();
  RUNCTL_TRY_LET(const auto volume, cloud->find_volume(arguments.positional("VOLUME")));
  RUNCTL_TRY_LET(const auto spec, mount_spec(arguments, volume));
  RUNCTL_TRY_LET(const auto holder, find_holder(arguments, session, volume, "mounted"));
  const auto& instance = holder.instance;
  if (auto refusal = volume::check_mount(volume, instance, spec)) {
    return std::unexpected{*std::move(refusal)};
  }
  if (context.globals.dry_run) {
    std::vector<std::string> steps;
    add_steps(steps, spec);
    return show_plan(context, steps);
  }
  OperationSpec operation{
      .kind = "mount",
      .subjects = {volume.id.str(), instance.id.str()},
      .plan = volume::plan_of({.mount = spec, .device = holder.attachment.device})};
  RUNCTL_TRY_LET(const auto mounted,
                 cloud->carry_out(session, std::move(operation), [&](const volume::Change& change) {
                   return volume::mount(change, volume, instance.id, spec);
                 }));
  boost::json::object record{{"volume_id", volume.id.str()}, {"instance_id", instance.id.str()}};
  add_to_record(record, mounted, spec.directory);
  present(context,
          {.text = fmt::format("Volume {} on {}: {}", volume.id, instance.id, text_of(mounted)),
           .record = std::move(record),
           .id = volume.id.str()});
  return ExitCode::ok;
}

Result<ExitCode> unmount(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto cloud, connect(context));
  const auto session = cloud->session();
  RUNCTL_TRY_LET(const auto volume, cloud->find_volume(arguments.positional("VOLUME")));
  RUNCTL_TRY_LET(const auto holder, find_holder(arguments, session, volume, "unmounted"));
  const InstanceId& instance = holder.instance.id;
  if (context.globals.dry_run) {
    return show_plan(context, {fmt::format("unmount volume {} on {}, unless something uses it",
                                           label_of(volume), instance)});
  }
  RUNCTL_TRY(cloud->carry_out(
      session, {.kind = "unmount", .subjects = {volume.id.str(), instance.str()}},
      [&](const volume::Change& change) { return volume::quiesce(change, volume.id, instance); }));
  present(context,
          {.text = fmt::format("Volume {} is not mounted on {}. It is still attached; to free it: "
                               "runctl aws ebs detach {}\n",
                               volume.id, instance, volume.id),
           .record = {{"volume_id", volume.id.str()}, {"instance_id", instance.str()}},
           .id = volume.id.str()});
  return ExitCode::ok;
}

}  // namespace

const CommandSpec ebs_mount{.path = "aws ebs mount",
                            .summary = "mount an attached volume on its machine",
                            .positionals = mount_positionals,
                            .options = mount_options,
                            .danger = Danger::changes,
                            .run = mount};
const CommandSpec ebs_unmount{.path = "aws ebs unmount",
                              .summary = "unmount a volume, unless something uses it",
                              .positionals = unmount_positionals,
                              .options = unmount_options,
                              .danger = Danger::changes,
                              .run = unmount};

}  // namespace runctl::cli
