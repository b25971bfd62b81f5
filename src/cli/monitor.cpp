// runctl monitor
#include <array>
#include <chrono>
#include <ostream>
#include <utility>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/monitor_checkpoints.hpp"
#include "cli/output.hpp"
#include "cli/s3/option_specs.hpp"
#include "io/growing_file.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<OptionSpec, 4> own_options{{
    {.name = "--log", .value = "FILE", .help = "a log file on this machine"},
    {.name = "--checkpoint",
     .value = "DIR",
     .help = "checkpoints: a directory, or s3://BUCKET/FOLDER/"},
    {.name = "--follow", .help = "go on with what is new, until Ctrl-C", .letter = 'f'},
    {.name = "--tail",
     .value = "N",
     .help = "begin with the last N lines (default 20), or checkpoints (default 5)"},
}};
constexpr auto options = joined(own_options, connection_options);
constexpr std::chrono::milliseconds pause{200};

void show(Context& context, const GrowingFile::Piece& piece) {
  if (piece.event == GrowingFile::Event::rotated) note(context, "[the log was rotated]");
  if (piece.event == GrowingFile::Event::truncated) note(context, "[the log was truncated]");
  context.out << piece.text << std::flush;
}

Result<ExitCode> monitor_log(const std::string& path, std::uint64_t lines,
                             const Arguments& arguments, Context& context) {
  if (context.globals.output != OutputFormat::text) {
    return fail(Errc::invalid_argument, "a log is shown as it is, never as --output json or id");
  }
  RUNCTL_TRY_LET(auto file, GrowingFile::open(path));
  RUNCTL_TRY(file.skip_to_last_lines(lines));
  const bool follow = arguments.has("--follow");
  auto deadline = std::chrono::steady_clock::time_point::max();
  if (context.globals.timeout) deadline = context.clock.ticks() + *context.globals.timeout;
  while (context.out) {
    RUNCTL_TRY_LET(const auto piece, file.next());
    show(context, piece);
    if (!piece.text.empty()) continue;
    if (!follow) break;
    const auto wake = context.clock.ticks() + pause;
    if (wake > deadline) {
      return fail(Errc::deadline_exceeded, fmt::format("{} was followed for the time given", path));
    }
    // To end by Ctrl-C is how following ends.
    if (!context.clock.sleep_until(wake, context.stop)) break;
  }
  return ExitCode::ok;
}

Result<ExitCode> run_monitor(const Arguments& arguments, Context& context) {
  const auto log = arguments.get("--log");
  const auto checkpoints = arguments.get("--checkpoint");
  if (log.has_value() == checkpoints.has_value()) {
    auto missing = fail(Errc::invalid_argument, log ? "--log and --checkpoint exclude each other"
                                                    : "there is nothing to monitor");
    missing.error().hint =
        "Name a file with --log, or a directory with --checkpoint; of a run: runctl runs logs RUN "
        "--follow";
    return missing;
  }
  constexpr std::uint64_t most = 1'000'000;
  RUNCTL_TRY_LET(const auto count,
                 parse_number("--tail", arguments.get("--tail").value_or(log ? "20" : "5"), most));
  if (log) return monitor_log(*log, count, arguments, context);
  return monitor_checkpoints(*checkpoints, static_cast<std::size_t>(count), arguments, context);
}

}  // namespace

const CommandSpec monitor{.path = "monitor",
                          .summary = "a log file or a folder of checkpoints, as it grows",
                          .positionals = {},
                          .options = options,
                          .run = run_monitor};

}  // namespace runctl::cli
