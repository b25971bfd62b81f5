// runctl aws create
#include <array>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "cli/cloud.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/ebs/show_text.hpp"
#include "cli/instance/launch_options.hpp"
#include "cli/output.hpp"
#include "fleet/fallback.hpp"
#include "fleet/launch.hpp"
#include "fleet/provision.hpp"
#include "volume/read.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "TYPE",
     .help = "the instance type (default t3.medium)",
     .need = PositionalSpec::Need::optional},
}};
constexpr std::array<OptionSpec, 6> create_options{{
    {.name = "--ebs-volume",
     .value = "VOLUME",
     .help = "attach and mount this volume; the machine is made in its zone",
     .times = OptionSpec::Times::many},
    {.name = "--ebs-snapshot",
     .value = "SNAPSHOT",
     .help = "make a volume from this snapshot, attach and mount it"},
    {.name = "--data-volume-size",
     .value = "GIB",
     .help = "make an empty volume of this size, attach, format and mount it"},
    {.name = "--mount-point",
     .value = "DIR",
     .help = "where that volume is mounted (default: /mnt/ and its Name)"},
    {.name = "--read-only", .help = "mount it read-only, at the device and in the mount"},
    {.name = "--wait", .help = "return when commands can run on it"},
}};
constexpr auto options = joined(launch_options, create_options);

Result<void> check_together(const fleet::DataVolumeSpec& spec) {
  const std::size_t count = spec.volumes.size() + (spec.snapshot ? 1 : 0) + (spec.size ? 1 : 0);
  if (count == 0 && (!spec.mount_point.empty() || spec.access == node::Access::read_only)) {
    return fail(Errc::invalid_argument,
                "--mount-point and --read-only are for a volume: add --ebs-volume, --ebs-snapshot "
                "or --data-volume-size");
  }
  if (count > 1 && !spec.mount_point.empty()) {
    return fail(Errc::invalid_argument,
                "--mount-point is for one volume; several are mounted at /mnt/ and their names");
  }
  if (spec.size && spec.access == node::Access::read_only) {
    return fail(Errc::invalid_argument, "an empty volume cannot be filled when it is read-only");
  }
  return {};
}

Result<fleet::DataVolumeSpec> data_volumes_from(const Arguments& arguments, Cloud& cloud,
                                                fleet::LaunchSpec& launch) {
  fleet::DataVolumeSpec spec{.name = arguments.get("--name").value_or("")};
  std::vector<volume::VolumeFacts> volumes;
  for (const std::string& name : arguments.all("--ebs-volume")) {
    RUNCTL_TRY_LET(auto volume, cloud.find_volume(name));
    spec.volumes.push_back(volume.id);
    volumes.push_back(std::move(volume));
  }
  if (const auto name = arguments.get("--ebs-snapshot")) {
    RUNCTL_TRY_LET(const auto snapshot, volume::find_snapshot(cloud.aws(), *name, cloud.options()));
    spec.snapshot = snapshot.id;
  }
  if (const auto size = arguments.get("--data-volume-size")) {
    RUNCTL_TRY_LET(spec.size, parse_gib(*size));
  }
  if (arguments.has("--read-only")) spec.access = node::Access::read_only;
  if (const auto directory = arguments.get("--mount-point")) {
    RUNCTL_TRY_LET(spec.mount_point, parse_mount_point(*directory));
  }
  RUNCTL_TRY(check_together(spec));
  RUNCTL_TRY_LET(launch.zone, fleet::zone_for(volumes, launch.zone));
  return spec;
}

struct Launched {
  volume::InstanceFacts instance;
  fleet::Market market;
  std::string why_not_spot;
  std::vector<fleet::Provisioned> volumes;
};

Result<Launched> carry_out(const volume::Change& change, const fleet::LaunchSpec& spec,
                           const fleet::DataVolumeSpec& data, bool wait,
                           const fleet::Fallback& fallback) {
  RUNCTL_TRY_LET(auto rented, fleet::launch_with_fallback(change, spec, fallback));
  Launched launched{.instance = std::move(rented.instance),
                    .market = rented.market,
                    .why_not_spot = std::move(rented.why_not_spot),
                    .volumes = {}};
  if (!wait) return launched;
  const InstanceId id = launched.instance.id;
  auto rest = [&]() -> Result<void> {
    RUNCTL_TRY_LET(launched.instance, fleet::wait_until_ready(change.session, id));
    RUNCTL_TRY_LET(launched.volumes, fleet::provision(change, launched.instance, data));
    return {};
  }();
  if (rest) return launched;
  // It is rented and costs money: whatever happened, say so.
  rest.error().details.push_back(
      fmt::format("instance {} was launched and is still there; to give it back: "
                  "runctl aws terminate {}",
                  id, id));
  return std::unexpected{std::move(rest).error()};
}

std::vector<std::string> steps_of(const fleet::LaunchSpec& spec, const fleet::DataVolumeSpec& data,
                                  bool may_fall_back) {
  std::vector<std::string> steps = launch_steps(spec, may_fall_back);
  for (const VolumeId& id : data.volumes) {
    steps.push_back(fmt::format("attach volume {} to it, and mount it", id));
  }
  if (data.snapshot) {
    steps.push_back(
        fmt::format("make a volume from snapshot {}, attach and mount it", *data.snapshot));
  }
  if (data.size) {
    steps.push_back(fmt::format("make an empty volume of {} GiB, attach, format and mount it",
                                data.size->count));
  }
  return steps;
}

// Also as a structured event for each volume, which no other machine can have now.
Presentation describe(const Context& context, const Launched& launched) {
  const auto& instance = launched.instance;
  std::string text = fmt::format("Launched instance {}.\n{}", instance.id, text_of(instance));
  auto record = record_of(instance);
  record["market"] = fleet::name_of(launched.market);
  if (!launched.why_not_spot.empty()) {
    text += fmt::format("It is an on-demand machine: no spot machine was to be had ({}).\n",
                        launched.why_not_spot);
    record["fallback_reason"] = launched.why_not_spot;
  }
  boost::json::array volumes;
  for (const auto& [volume, mount_point, placed] : launched.volumes) {
    text += fmt::format("Volume {} is attached as {}. {}", volume, placed.device,
                        text_of(*placed.mounted));
    boost::json::object entry{{"volume_id", volume.str()}, {"device", placed.device}};
    add_to_record(entry, *placed.mounted, mount_point);
    volumes.push_back(std::move(entry));
    context.log.write({.level = LogLevel::info,
                       .name = "volume.attached",
                       .fields = {{.name = "volume", .value = volume.str()},
                                  {.name = "instance", .value = instance.id.str()},
                                  {.name = "device", .value = placed.device}}});
  }
  if (!launched.volumes.empty()) {
    text += fmt::format(
        "When you are done: runctl aws terminate {}   # unmounts first; the volumes stay\n",
        instance.id);
    record["volumes"] = std::move(volumes);
  }
  return {.text = std::move(text), .record = std::move(record), .id = instance.id.str()};
}

Result<ExitCode> create(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(auto spec, launch_spec_from(arguments, arguments.first("TYPE")));
  RUNCTL_TRY_LET(const auto cloud, connect(context));
  const auto session = cloud->session();
  RUNCTL_TRY_LET(const auto data, data_volumes_from(arguments, *cloud, spec));
  if (context.globals.dry_run)
    return show_plan(context, steps_of(spec, data, !arguments.has("--no-fallback")));
  // What is mounted must be waited for.
  const bool wait = arguments.has("--wait") || !fleet::is_empty(data);
  const auto fallback = fallback_from(arguments, context, spec);
  RUNCTL_TRY_LET(const auto launched,
                 cloud->carry_out(session, {.kind = "launch", .plan = fleet::plan_of(data)},
                                  [&](const volume::Change& change) {
                                    return carry_out(change, spec, data, wait, fallback);
                                  }));
  present(context, describe(context, launched));
  return ExitCode::ok;
}

}  // namespace

const CommandSpec aws_create{.path = "aws create",
                             .summary = "rent a machine",
                             .positionals = positionals,
                             .options = options,
                             .danger = Danger::changes,
                             .run = create};

}  // namespace runctl::cli
