// runctl aws ebs snapshot
#include "volume/snapshot.hpp"

#include <array>

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
constexpr std::array<OptionSpec, 3> options{{
    {.name = "--description", .value = "TEXT", .help = "kept with the snapshot"},
    {.name = "--name", .value = "NAME", .help = "its Name tag"},
    {.name = "--wait", .help = "return when it is complete, and so can be restored"},
}};

Result<ExitCode> snapshot(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto cloud, connect(context));
  const auto session = cloud->session();
  RUNCTL_TRY_LET(const auto volume, cloud->find_volume(arguments.positional("VOLUME")));
  if (context.globals.dry_run) {
    return show_plan(
        context, {fmt::format("write back what its machine caches of volume {}", label_of(volume)),
                  "take a snapshot of it"});
  }
  RUNCTL_TRY_LET(const auto consistency, volume::sync_before_snapshot(session, volume));
  const volume::SnapshotSpec spec{.volume = volume.id,
                                  .description = arguments.get("--description").value_or(""),
                                  .name = arguments.get("--name").value_or(""),
                                  .consistency = consistency};
  RUNCTL_TRY_LET(auto made,
                 cloud->carry_out(session, {.kind = "snapshot", .subjects = {volume.id.str()}},
                                  [&](const volume::Change& change) {
                                    return volume::create_snapshot(change, spec);
                                  }));
  if (arguments.has("--wait")) {
    auto complete = volume::wait_until_completed(session, made.id);
    if (!complete) {
      return with_context(std::move(complete).error(),
                          fmt::format("waiting for snapshot {}, which exists", made.id));
    }
    made = *std::move(complete);
  }
  std::string text = fmt::format("Snapshot {} of volume {}: {}, {}.\n", made.id, volume.id,
                                 volume::name_of(made.state), volume::name_of(consistency));
  if (consistency == volume::Consistency::crash_consistent) {
    text +=
        "The volume was mounted: what was written back before is in it; a file being written may "
        "be cut.\n";
  }
  auto record = record_of(made);
  record["consistency"] = volume::name_of(consistency);
  present(context, {.text = std::move(text), .record = std::move(record), .id = made.id.str()});
  return ExitCode::ok;
}

}  // namespace

const CommandSpec ebs_snapshot{.path = "aws ebs snapshot",
                               .summary = "keep what a volume holds now",
                               .positionals = positionals,
                               .options = options,
                               .danger = Danger::changes,
                               .run = snapshot};

}  // namespace runctl::cli
