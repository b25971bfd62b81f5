// runctl runs logs
#include <array>
#include <charconv>
#include <limits>
#include <ostream>
#include <utility>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/instance/run_text.hpp"
#include "cli/output.hpp"
#include "cli/runs/host.hpp"
#include "cli/runs/watch.hpp"
#include "training/follow.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "RUN", .help = "its id, as `runctl runs list` shows it"},
}};
constexpr std::array<OptionSpec, 5> options{{
    {.name = "--instance",
     .value = "INSTANCE",
     .help = "the machine it is on, when that is not known"},
    {.name = "--local", .help = "a run of `runctl local` on this machine"},
    {.name = "--follow", .help = "go on until the run ends, and end as it ends", .letter = 'f'},
    {.name = "--tail", .value = "N", .help = "begin with its last N lines"},
    {.name = "--since-offset", .value = "BYTES", .help = "begin behind so many bytes"},
}};

Result<std::uint64_t> where_to_begin(const Arguments& arguments, Context& context,
                                     const FoundRun& found) {
  const auto offset = arguments.get("--since-offset");
  const auto tail = arguments.get("--tail");
  if (offset && tail) {
    return fail(Errc::invalid_argument, "--tail and --since-offset exclude each other");
  }
  if (offset) {
    return parse_number("--since-offset", *offset, std::numeric_limits<std::int64_t>::max());
  }
  if (!tail) return std::uint64_t{0};
  constexpr std::uint64_t most_lines = 1'000'000;
  RUNCTL_TRY_LET(const auto lines, parse_number("--tail", *tail, most_lines));
  return training::offset_of_last_lines(found.host.machine(context.stop), found.details.run.id,
                                        lines);
}

// What there is now, to its end.
Result<ExitCode> show_all(Context& context, const FoundRun& found, std::uint64_t offset) {
  std::ostream& out = context.globals.output == OutputFormat::text ? context.out : context.err;
  const std::uint64_t end = found.details.log_size;
  const auto& run = found.details.run;
  while (offset < end) {
    const auto piece =
        node::run_status(found.host.machine(context.stop), run.id, offset,
                         std::min<std::uint64_t>(end - offset, node::log_piece_limit));
    if (!piece) {
      Error error = found.host.in_its_words(piece.error());
      error.hint = "What is shown so far is right. To go on from there:";
      error.ways_out = {fmt::format("runctl runs logs {} --since-offset {}", run.id.str(), offset)};
      return std::unexpected{std::move(error)};
    }
    if (piece->log.empty()) break;
    out << piece->log << std::flush;
    // Nobody reads any more (`| head`).
    if (!out) break;
    offset = piece->next_offset;
  }
  if (context.globals.output != OutputFormat::text) {
    auto record = record_of(run);
    record["log_size"] = end;
    record["next_offset"] = offset;
    present(context, {.text = {}, .record = std::move(record), .id = run.id.str()});
  }
  return ExitCode::ok;
}

Result<ExitCode> logs(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto found, find_run(arguments, context));
  RUNCTL_TRY_LET(const auto offset, where_to_begin(arguments, context, found));
  if (!arguments.has("--follow")) return show_all(context, found, offset);
  return watch(context, {.host = found.host, .run = found.details.run.id, .from = offset});
}

}  // namespace

const CommandSpec runs_logs{.path = "runs logs",
                            .summary = "what a run has printed",
                            .positionals = positionals,
                            .options = options,
                            .run = logs};

}  // namespace runctl::cli
