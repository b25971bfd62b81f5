// runctl aws monitor
#include <array>
#include <memory>
#include <ostream>

#include <fmt/format.h>

#include "cli/cloud.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/instance/run_text.hpp"
#include "cli/output.hpp"
#include "cli/runs/host.hpp"
#include "cli/runs/watch.hpp"
#include "training/follow.hpp"
#include "volume/read.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "INSTANCE", .help = "its id or Name"},
}};
constexpr std::array<OptionSpec, 2> options{{
    {.name = "--follow", .help = "go on until the run ends, and end as it ends", .letter = 'f'},
    {.name = "--tail", .value = "N", .help = "begin with the last N lines (default 20)"},
}};

Result<ExitCode> monitor_run(const Arguments& arguments, Context& context) {
  constexpr std::uint64_t most_lines = 10'000;
  RUNCTL_TRY_LET(const auto lines,
                 parse_number("--tail", arguments.get("--tail").value_or("20"), most_lines));
  RUNCTL_TRY_LET(const std::shared_ptr<Cloud> cloud, connect(context));
  RUNCTL_TRY_LET(
      const auto instance,
      volume::find_instance(cloud->aws(), arguments.positional("INSTANCE"), cloud->options()));
  const RunHost host = host_of(cloud, instance);
  const auto machine = host.machine(context.stop);
  RUNCTL_TRY_LET(const auto runs, node::list_runs(machine, 1));
  if (runs.empty()) {
    auto none = fail(Errc::not_found, fmt::format("there is no run on {}", host.words));
    none.error().hint = fmt::format("Start one: runctl aws train {} SCRIPT", instance.id);
    return none;
  }
  const auto& run = runs.front();
  RUNCTL_TRY_LET(const auto offset, training::offset_of_last_lines(machine, run.id, lines));
  note(context, fmt::format("Run {} {}: {}", run.id.str(), outcome_text(run), run.command));
  if (arguments.has("--follow")) {
    return watch(
        context,
        {.host = host, .run = run.id, .from = offset, .behind_limit = training::live_behind_limit});
  }
  std::string end;
  std::uint64_t from = offset;
  node::RunReport latest = run;
  while (true) {
    RUNCTL_TRY_LET(const auto piece, node::run_status(machine, run.id, from));
    end += piece.log;
    latest = piece.run;
    from = piece.next_offset;
    if (from >= piece.log_size || piece.log.empty() || end.size() > node::log_piece_limit) break;
  }
  if (latest.upload) note(context, fmt::format("Results: {}", upload_text(*latest.upload)));
  auto record = record_of(latest);
  record["instance_id"] = instance.id.str();
  record["log_end"] = node::to_utf8(end);
  present(context, {.text = std::move(end), .record = std::move(record), .id = run.id.str()});
  return ExitCode::ok;
}

}  // namespace

const CommandSpec aws_monitor{.path = "aws monitor",
                              .summary = "a machine's newest run: its state and its output",
                              .positionals = positionals,
                              .options = options,
                              .run = monitor_run};

}  // namespace runctl::cli
