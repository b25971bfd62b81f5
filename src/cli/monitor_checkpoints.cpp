#include "cli/monitor_checkpoints.hpp"

#include <algorithm>
#include <chrono>
#include <ostream>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "base/json.hpp"
#include "base/units.hpp"
#include "checkpoint/arrivals.hpp"
#include "cli/checkpoint/show.hpp"
#include "cli/checkpoint/target.hpp"
#include "cli/output.hpp"
#include "transfer/object_name.hpp"
#include "transfer/uri.hpp"

namespace runctl::cli {
namespace {

using checkpoint::Checkpoint;
using checkpoint::Place;
using std::chrono::milliseconds;

// Each look at S3 is a listing that is paid for; a training writes a checkpoint a minute at most.
constexpr milliseconds local_pause{500};
constexpr milliseconds s3_pause{5'000};

// "2026-01-31T23:59:59Z  epoch_5.pt  epoch 5, step 1200, loss=0.25  1.2 MiB  sound"
std::string line_of(const Checkpoint& one, const Place& place) {
  std::string facts;
  const auto add = [&](std::string_view word, const std::string& value) {
    if (!value.empty()) facts += fmt::format("{}{}{}", facts.empty() ? "" : ", ", word, value);
  };
  add("epoch ", epoch_text(one));
  add("step ", step_text(one));
  add("", metrics_text(one, 4));
  std::string line = fmt::format("{}  {}  ", written_text(one), shown_name(one, place));
  if (!facts.empty()) line += facts + "  ";
  line += fmt::format("{}  {}", bytes_in_words(one.bytes), state_of(one));
  const bool is_bad = state_of(one) == "damaged" || state_of(one) == "unknown";
  if (is_bad && !one.finding.why.empty())
    line += fmt::format(": {}", transfer::printable(one.finding.why));
  return line + '\n';
}

// A line each, at once: a record a line with --output json.
void tell(Context& context, const std::vector<Checkpoint>& news, const Place& place) {
  for (const Checkpoint& one : news) {
    switch (context.globals.output) {
      case OutputFormat::text:
        context.out << line_of(one, place);
        break;
      case OutputFormat::json:
        context.out << to_text(record_of(one, place)) << '\n';
        break;
      case OutputFormat::id:
        context.out << path_of(one, place) << '\n';
        break;
    }
  }
  context.out.flush();
}

ExitCode show_once(Context& context, const std::vector<Checkpoint>& last, const Place& place) {
  boost::json::array records;
  for (const Checkpoint& one : last) records.emplace_back(record_of(one, place));
  if (context.globals.output == OutputFormat::json) {
    present(context, {.text = {}, .record = {{"checkpoints", std::move(records)}}});
    return ExitCode::ok;
  }
  tell(context, last, place);
  if (last.empty())
    note(context,
         fmt::format("There is no checkpoint in {}.", transfer::printable(place.path_of(""))));
  return ExitCode::ok;
}

Result<ExitCode> follow(Context& context, checkpoint::Arrivals& arrivals, const Place& place,
                        milliseconds pause) {
  auto deadline = std::chrono::steady_clock::time_point::max();
  if (context.globals.timeout) deadline = context.clock.ticks() + *context.globals.timeout;
  while (context.out) {
    const auto began = context.clock.ticks();
    RUNCTL_TRY_LET(const auto news, arrivals.look(began));
    tell(context, news, place);
    const auto now = context.clock.ticks();
    // A place of many files is not looked at all the time.
    const auto wake = now + std::max<std::chrono::steady_clock::duration>(pause, (now - began) * 4);
    if (wake > deadline) {
      return fail(Errc::deadline_exceeded, fmt::format("{} was followed for the time given",
                                                       transfer::printable(place.path_of(""))));
    }
    if (!context.clock.sleep_until(wake, context.stop)) break;
  }
  return ExitCode::ok;
}

}  // namespace

Result<ExitCode> monitor_checkpoints(const std::string& path, std::size_t count,
                                     const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto place, open_checkpoint_place(path, arguments, context));
  checkpoint::Arrivals arrivals{*place};
  const bool follows = arguments.has("--follow");
  // To end by Ctrl-C is how following ends.
  const auto is_end = [&](const Error& error) {
    return follows && error.code == Errc::cancelled && context.stop.stop_requested();
  };
  auto last = arrivals.begin(count, context.clock.ticks());
  if (!last && is_end(last.error())) return ExitCode::ok;
  if (!last) return std::unexpected{std::move(last).error()};
  if (!follows) return show_once(context, *last, *place);
  // One that is being written is damaged until it is whole: it is told when it is either for good.
  std::erase_if(*last, [](const Checkpoint& one) {
    return one.is_unfinished || one.finding.verdict == checkpoint::Verdict::damaged;
  });
  tell(context, *last, *place);
  auto ended =
      follow(context, arrivals, *place, transfer::is_s3_uri(path) ? s3_pause : local_pause);
  if (!ended && is_end(ended.error())) return ExitCode::ok;
  return ended;
}

}  // namespace runctl::cli
