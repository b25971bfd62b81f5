// runctl aws ebs restore
#include <array>

#include <fmt/format.h>

#include "cli/cloud.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/ebs/show_text.hpp"
#include "cli/ebs/target.hpp"
#include "cli/output.hpp"
#include "volume/create.hpp"
#include "volume/place.hpp"
#include "volume/read.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "SNAPSHOT", .help = "its id or Name"},
}};
constexpr std::array<OptionSpec, 11> options{{
    {.name = "--size", .value = "GIB", .help = "at least the snapshot's (the default)"},
    {.name = "--type",
     .value = "TYPE",
     .help = "gp3 (default), gp2, io1, io2, st1, sc1 or standard",
     .alias = "--volume-type"},
    {.name = "--name", .value = "NAME", .help = "its Name tag"},
    {.name = "--availability-zone",
     .value = "AZ",
     .help = "any zone of the region (default: the first)"},
    {.name = "--iops", .value = "N", .help = "for gp3, io1 and io2"},
    {.name = "--tag", .value = "K=V", .help = "a tag", .times = OptionSpec::Times::many},
    {.name = "--initialization-rate",
     .value = "MIBS",
     .help = "100 to 300: load its blocks at this rate, for a fee"},
    {.name = "--instance", .value = "INSTANCE", .help = "attach it to this machine"},
    {.name = "--mount", .value = "DIR", .help = "with --instance: and mount it there"},
    {.name = "--read-only", .help = "with --mount: at the device and in the mount"},
    {.name = "--wait", .help = "return when the volume can be attached"},
}};

struct Options {
  volume::VolumeSpec spec;
  std::optional<Target> target;
  bool wait = false;
};

// Source: CreateVolumeRequest.VolumeInitializationRate in EC2's service model.
Result<std::optional<std::int64_t>> parse_rate(const Arguments& arguments) {
  RUNCTL_TRY_LET(const auto rate, parse_count(arguments, "--initialization-rate"));
  if (rate && (*rate < 100 || *rate > 300)) {
    return fail(Errc::invalid_argument,
                fmt::format("--initialization-rate takes 100 to 300 MiB/s, not {}", *rate));
  }
  return rate;
}

Result<volume::VolumeSpec> spec_from(const Arguments& arguments,
                                     const volume::SnapshotFacts& snapshot) {
  volume::VolumeSpec spec;
  spec.size = snapshot.volume_size;
  spec.source = snapshot;
  if (const auto size = arguments.get("--size")) {
    RUNCTL_TRY_LET(spec.size, parse_gib(*size));
  }
  spec.type = arguments.get("--type").value_or("gp3");
  RUNCTL_TRY_LET(spec.iops, parse_count(arguments, "--iops"));
  RUNCTL_TRY_LET(spec.initialization_rate, parse_rate(arguments));
  RUNCTL_TRY_LET(spec.tags, parse_tags(arguments));
  spec.zone = arguments.get("--availability-zone").value_or("");
  return spec;
}

Result<Options> parse_options(const Arguments& arguments, const volume::Session& session,
                              const volume::SnapshotFacts& snapshot) {
  Options parsed;
  parsed.wait = arguments.has("--wait");
  RUNCTL_TRY_LET(parsed.spec, spec_from(arguments, snapshot));
  if (auto wrong = volume::check_spec(parsed.spec)) return std::unexpected{*std::move(wrong)};
  RUNCTL_TRY_LET(parsed.target, find_target(arguments, session));
  auto& zone = parsed.spec.zone;
  if (zone.empty() && parsed.target) zone = parsed.target->machine.zone;
  if (zone.empty()) {
    RUNCTL_TRY_LET(zone, volume::default_zone(session));
  }
  if (parsed.target) {
    RUNCTL_TRY(volume::check_target(parsed.target->machine, zone, parsed.target->mount));
  }
  return parsed;
}

struct Done {
  volume::VolumeFacts volume;
  std::optional<volume::Placed> placed;
};

Result<Done> carry_out(const volume::Change& change, const Options& wanted) {
  RUNCTL_TRY_LET(auto made, volume::create_volume(change, wanted.spec));
  Done done{.volume = std::move(made), .placed = {}};
  if (wanted.target) {
    RUNCTL_TRY_LET(done.placed, volume::place_new(change, done.volume.id, wanted.target->machine,
                                                  {.mount = wanted.target->mount}));
    return done;
  }
  if (!wanted.wait) return done;
  auto ready = volume::wait_until_available(change.session, done.volume.id);
  if (!ready) {
    return with_context(std::move(ready).error(),
                        fmt::format("making volume {}, which exists", done.volume.id));
  }
  done.volume = *std::move(ready);
  return done;
}

std::vector<std::string> steps_of(const volume::SnapshotFacts& snapshot, const Options& wanted) {
  std::vector<std::string> steps{fmt::format("make a volume of {} GiB, {}, in {} from snapshot {}",
                                             wanted.spec.size.count, wanted.spec.type,
                                             wanted.spec.zone, snapshot.id)};
  add_steps(steps, "it", wanted.target);
  return steps;
}

Presentation describe(const volume::SnapshotFacts& snapshot, const Options& wanted,
                      const Done& done) {
  auto record = record_of(done.volume);
  record["snapshot_id"] = snapshot.id.str();
  std::string text;
  if (done.placed) {
    text = fmt::format("Restored {} as volume {}, attached to {} as {}.\n", snapshot.id,
                       done.volume.id, wanted.target->machine.id, done.placed->device);
    record["state"] = "in-use";
    add_placed(text, record, *wanted.target, *done.placed);
  } else {
    text = fmt::format("Restored {} as volume {} ({}).\n{}", snapshot.id, done.volume.id,
                       volume::name_of(done.volume.state), text_of(done.volume));
  }
  return {.text = std::move(text), .record = std::move(record), .id = done.volume.id.str()};
}

Result<ExitCode> restore(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto cloud, connect(context));
  const auto session = cloud->session();
  RUNCTL_TRY_LET(
      const auto snapshot,
      volume::find_snapshot(cloud->aws(), arguments.positional("SNAPSHOT"), session.options()));
  RUNCTL_TRY_LET(const auto wanted, parse_options(arguments, session, snapshot));
  if (context.globals.dry_run) return show_plan(context, steps_of(snapshot, wanted));
  RUNCTL_TRY_LET(
      const auto done,
      cloud->carry_out(session, making_operation("restore", snapshot.id.str(), wanted.target),
                       [&](const volume::Change& change) { return carry_out(change, wanted); }));
  present(context, describe(snapshot, wanted, done));
  return ExitCode::ok;
}

}  // namespace

const CommandSpec ebs_restore{.path = "aws ebs restore",
                              .summary = "make a volume from a snapshot",
                              .positionals = positionals,
                              .options = options,
                              .danger = Danger::changes,
                              .run = restore};

}  // namespace runctl::cli
