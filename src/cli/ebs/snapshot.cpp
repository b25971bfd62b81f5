// runctl aws ebs snapshot
#include "volume/snapshot.hpp"

#include <array>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cli/cloud.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/ebs/show_text.hpp"
#include "cli/output.hpp"
#include "volume/read.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "VOLUME", .help = "its id or Name"},
}};
constexpr std::array<OptionSpec, 4> options{{
    {.name = "--description", .value = "TEXT", .help = "kept with the snapshot"},
    {.name = "--name", .value = "NAME", .help = "its Name tag"},
    {.name = "--no-freeze", .help = "do not hold writers back; the snapshot is crash-consistent"},
    {.name = "--wait", .help = "return when it is complete, and so can be restored"},
}};

std::vector<std::string> steps_of(const volume::VolumeFacts& volume,
                                  const volume::SnapshotSpec& spec) {
  std::vector<std::string> steps;
  steps.reserve(volume.attachments.size() + 1);
  for (const auto& attachment : volume.attachments) {
    steps.push_back(fmt::format(
        "have {} write volume {} back{}", attachment.instance, label_of(volume),
        spec.freezing == volume::Freezing::yes
            ? fmt::format(", and hold its writers back for {} s at most", volume::dead_man.count())
            : ""));
  }
  steps.push_back(fmt::format("take a snapshot of volume {}", label_of(volume)));
  return steps;
}

Result<ExitCode> snapshot(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto cloud, connect(context));
  const auto session = cloud->session();
  RUNCTL_TRY_LET(const auto volume, cloud->find_volume(arguments.positional("VOLUME")));
  const volume::SnapshotSpec spec{
      .description = arguments.get("--description").value_or(""),
      .name = arguments.get("--name").value_or(""),
      .freezing = arguments.has("--no-freeze") ? volume::Freezing::no : volume::Freezing::yes};
  if (context.globals.dry_run) return show_plan(context, steps_of(volume, spec));
  RUNCTL_TRY_LET(auto taken,
                 cloud->carry_out(session, {.kind = "snapshot", .subjects = {volume.id.str()}},
                                  [&](const volume::Change& change) {
                                    return volume::take_snapshot(change, volume, spec);
                                  }));
  auto& made = taken.snapshot;
  if (arguments.has("--wait")) {
    auto complete = volume::wait_until_completed(session, made.id);
    if (!complete) {
      return with_context(std::move(complete).error(),
                          fmt::format("waiting for snapshot {}, which exists", made.id));
    }
    made = *std::move(complete);
  }
  std::string text =
      fmt::format("Snapshot {} of volume {}: {}, {}.\n", made.id, volume.id,
                  volume::name_of(made.state), volume::name_of(taken.worth.consistency));
  text += text_of(taken.worth);
  auto record = record_of(made);
  add_to_record(record, taken.worth);
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
