// runctl aws wait
#include <array>

#include <fmt/format.h>

#include "cli/cloud.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/show_text.hpp"
#include "cli/output.hpp"
#include "fleet/launch.hpp"
#include "volume/read.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "INSTANCE", .help = "its id or Name"},
}};

Result<ExitCode> wait(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto cloud, connect(context));
  const auto session = cloud->session();
  RUNCTL_TRY_LET(
      const auto instance,
      volume::find_instance(cloud->aws(), arguments.positional("INSTANCE"), session.options()));
  RUNCTL_TRY_LET(const auto ready, fleet::wait_until_ready(session, instance.id));
  present(context, {.text = fmt::format(
                        "Instance {} is ready: it runs, and commands can run on it.\n", ready.id),
                    .record = record_of(ready),
                    .id = ready.id.str()});
  return ExitCode::ok;
}

}  // namespace

const CommandSpec aws_wait{.path = "aws wait",
                           .summary = "wait until commands can run on a machine",
                           .positionals = positionals,
                           .options = {},
                           .run = wait};

}  // namespace runctl::cli
