// runctl aws ebs restore
#include <array>

#include <fmt/format.h>

#include "cli/cloud.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/ebs/show_text.hpp"
#include "cli/output.hpp"
#include "volume/create.hpp"
#include "volume/read.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "SNAPSHOT", .help = "its id or Name"},
}};
constexpr std::array<OptionSpec, 6> options{{
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
    {.name = "--wait", .help = "return when the volume can be attached"},
}};

Result<volume::VolumeSpec> spec_from(const Arguments& arguments, const volume::Session& session,
                                     const volume::SnapshotFacts& snapshot) {
  volume::VolumeSpec spec;
  spec.size = snapshot.volume_size;
  spec.source = snapshot;
  if (const auto size = arguments.get("--size")) {
    RUNCTL_TRY_LET(spec.size, parse_gib(*size));
  }
  spec.type = arguments.get("--type").value_or("gp3");
  RUNCTL_TRY_LET(spec.iops, parse_count(arguments, "--iops"));
  RUNCTL_TRY_LET(spec.tags, parse_tags(arguments));
  spec.zone = arguments.get("--availability-zone").value_or("");
  if (auto wrong = volume::check_spec(spec)) return std::unexpected{*std::move(wrong)};
  if (spec.zone.empty()) {
    RUNCTL_TRY_LET(spec.zone, volume::default_zone(session));
  }
  return spec;
}

Result<ExitCode> restore(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto cloud, connect(context));
  const auto session = cloud->session();
  RUNCTL_TRY_LET(
      const auto snapshot,
      volume::find_snapshot(cloud->aws(), arguments.positional("SNAPSHOT"), session.options()));
  RUNCTL_TRY_LET(const auto spec, spec_from(arguments, session, snapshot));
  if (context.globals.dry_run) {
    return show_plan(context, {fmt::format("make a volume of {} GiB, {}, in {} from snapshot {}",
                                           spec.size.count, spec.type, spec.zone, snapshot.id)});
  }
  const bool wait = arguments.has("--wait");
  RUNCTL_TRY_LET(const auto restored,
                 cloud->carry_out(session, {.kind = "restore", .subjects = {snapshot.id.str()}},
                                  [&](const volume::Change& change) -> Result<volume::VolumeFacts> {
                                    RUNCTL_TRY_LET(auto made, volume::create_volume(change, spec));
                                    if (!wait) return made;
                                    auto ready = volume::wait_until_available(session, made.id);
                                    if (ready) return ready;
                                    return with_context(
                                        std::move(ready).error(),
                                        fmt::format("making volume {}, which exists", made.id));
                                  }));
  auto record = record_of(restored);
  record["snapshot_id"] = snapshot.id.str();
  present(context,
          {.text = fmt::format("Restored {} as volume {} ({}).\n{}", snapshot.id, restored.id,
                               volume::name_of(restored.state), text_of(restored)),
           .record = std::move(record),
           .id = restored.id.str()});
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
