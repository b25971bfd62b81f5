// runctl aws ebs protect|unprotect
#include "volume/protect.hpp"

#include <array>

#include <fmt/format.h>

#include "cli/cloud.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/output.hpp"

namespace runctl::cli {
namespace {

using volume::Protection;

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "VOLUME", .help = "its id or Name"},
}};

Result<ExitCode> set(const Arguments& arguments, Context& context, Protection wanted) {
  const bool on = wanted == Protection::on;
  RUNCTL_TRY_LET(const auto cloud, connect(context));
  RUNCTL_TRY_LET(const auto volume, cloud->find_volume(arguments.positional("VOLUME")));
  const bool already = volume::protection_of(volume) == wanted;
  if (context.globals.dry_run && !already) {
    return show_plan(context, {fmt::format("{} volume {}", on ? "protect" : "no longer protect",
                                           label_of(volume))});
  }
  if (!already) {
    if (!on) {
      RUNCTL_TRY(
          ask_consent(context, fmt::format("Let volume {} be deleted again?", label_of(volume))));
    }
    const auto session = cloud->session();
    RUNCTL_TRY(cloud->carry_out(
        session, {.kind = on ? "protect" : "unprotect", .subjects = {volume.id.str()}},
        [&](const volume::Change& change) {
          return volume::execute_protect(change, volume.id, wanted);
        }));
  }
  const std::string_view how = on ? "protected: runctl will not delete it" : "not protected";
  present(context,
          {.text = fmt::format("Volume {} {} {}.\n", volume.id, already ? "was already" : "is now",
                               how),
           .record = {{"volume_id", volume.id.str()}, {"protected", on}, {"already", already}},
           .id = volume.id.str()});
  return ExitCode::ok;
}

Result<ExitCode> protect(const Arguments& arguments, Context& context) {
  return set(arguments, context, Protection::on);
}

Result<ExitCode> unprotect(const Arguments& arguments, Context& context) {
  return set(arguments, context, Protection::off);
}

}  // namespace

const CommandSpec ebs_protect{.path = "aws ebs protect",
                              .summary = "keep a volume from being deleted",
                              .positionals = positionals,
                              .options = {},
                              .danger = Danger::changes,
                              .run = protect};
const CommandSpec ebs_unprotect{.path = "aws ebs unprotect",
                                .summary = "let a protected volume be deleted again",
                                .positionals = positionals,
                                .options = {},
                                .danger = Danger::changes,
                                .run = unprotect};

}  // namespace runctl::cli
