// runctl monitor
#include <array>
#include <chrono>
#include <ostream>
#include <utility>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/output.hpp"
#include "io/growing_file.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<OptionSpec, 3> options{{
    {.name = "--log", .value = "FILE", .help = "a log file on this machine"},
    {.name = "--follow", .help = "go on as it grows, until Ctrl-C", .letter = 'f'},
    {.name = "--tail", .value = "N", .help = "begin with its last N lines (default 20)"},
}};
constexpr std::chrono::milliseconds pause{200};

void show(Context& context, const GrowingFile::Piece& piece) {
  if (piece.event == GrowingFile::Event::rotated) note(context, "[the log was rotated]");
  if (piece.event == GrowingFile::Event::truncated) note(context, "[the log was truncated]");
  context.out << piece.text << std::flush;
}

Result<ExitCode> monitor_log(const Arguments& arguments, Context& context) {
  const auto path = arguments.get("--log");
  if (!path) {
    auto missing = fail(Errc::invalid_argument, "there is nothing to monitor");
    missing.error().hint = "Name a file with --log; of a run: runctl runs logs RUN --follow";
    return missing;
  }
  if (context.globals.output != OutputFormat::text) {
    return fail(Errc::invalid_argument, "a log is shown as it is, never as --output json or id");
  }
  constexpr std::uint64_t most_lines = 1'000'000;
  RUNCTL_TRY_LET(const auto lines,
                 parse_number("--tail", arguments.get("--tail").value_or("20"), most_lines));
  RUNCTL_TRY_LET(auto file, GrowingFile::open(*path));
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
      return fail(Errc::deadline_exceeded,
                  fmt::format("{} was followed for the time given", *path));
    }
    // To end by Ctrl-C is how following ends.
    if (!context.clock.sleep_until(wake, context.stop)) break;
  }
  return ExitCode::ok;
}

}  // namespace

const CommandSpec monitor{.path = "monitor",
                          .summary = "a log file on this machine, as it grows",
                          .positionals = {},
                          .options = options,
                          .run = monitor_log};

}  // namespace runctl::cli
