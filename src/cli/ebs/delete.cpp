// runctl aws ebs delete
#include "volume/delete.hpp"

#include <array>

#include <fmt/format.h>

#include "cli/cloud.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/output.hpp"
#include "volume/plan_delete.hpp"
#include "volume/read.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "VOLUME", .help = "its id or Name"},
}};
constexpr std::array<OptionSpec, 1> options{{
    {.name = "--confirm",
     .value = "ID",
     .help = "the volume's id: consent where no snapshot of it exists"},
}};

Result<void> ask(Context& context, const Arguments& arguments, const volume::VolumeFacts& volume,
                 const volume::DeletePlan& plan) {
  if (plan.is_only_copy) {
    return ask_for_name(
        context,
        fmt::format("Volume {} has no completed snapshot: what is on it would be gone",
                    label_of(volume)),
        volume.id.str(), "--confirm", arguments.get("--confirm"));
  }
  return ask_consent(context, fmt::format("Delete volume {} ({} GiB)? Its snapshots stay.",
                                          label_of(volume), volume.size.count));
}

Result<ExitCode> remove(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto cloud, connect(context));
  const auto session = cloud->session();
  RUNCTL_TRY_LET(const auto volume, cloud->find_volume(arguments.positional("VOLUME")));
  RUNCTL_TRY_LET(
      const auto snapshots,
      volume::list_snapshots(cloud->aws(), {{.name = "volume-id", .values = {volume.id.str()}}},
                             session.options()));
  auto plan = volume::plan_delete(volume, snapshots);
  if (plan.refusal) return std::unexpected{*std::move(plan.refusal)};
  if (context.globals.dry_run) {
    return show_plan(context,
                     {fmt::format("delete volume {}{}", label_of(volume),
                                  plan.is_only_copy ? ", of which no snapshot exists" : "")});
  }
  if (!plan.already_gone) {
    RUNCTL_TRY(ask(context, arguments, volume, plan));
    RUNCTL_TRY(cloud->carry_out(
        session, {.kind = "delete", .subjects = {volume.id.str()}},
        [&](const volume::Change& change) { return volume::execute_delete(change, volume); }));
  }
  present(context,
          {.text = fmt::format("Volume {} {} deleted.\n", volume.id,
                               plan.already_gone ? "was already" : "is"),
           .record = {{"volume_id", volume.id.str()}, {"already_deleted", plan.already_gone}},
           .id = volume.id.str()});
  return ExitCode::ok;
}

}  // namespace

const CommandSpec ebs_delete{.path = "aws ebs delete",
                             .summary = "delete a volume that nobody needs",
                             .positionals = positionals,
                             .options = options,
                             .danger = Danger::destroys,
                             .run = remove};

}  // namespace runctl::cli
