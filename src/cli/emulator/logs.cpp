// runctl emulator logs
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <ostream>
#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "base/json.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/emulator_control.hpp"
#include "cli/output.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<OptionSpec, 4> options{{
    {.name = "--follow", .help = "go on as events happen, until Ctrl-C", .letter = 'f'},
    {.name = "--tail", .value = "N", .help = "only the newest N (default 50; 0 is all)"},
    {.name = "--action", .value = "NAME", .help = "only requests of that action: AttachVolume"},
    {.name = "--id", .value = "ID", .help = "only changes of that volume, snapshot or machine"},
}};

struct Selection {
  std::string action;
  std::string id;

  [[nodiscard]] bool takes(const boost::json::value& event) const {
    const std::string its_id = string_at(event, "id").value_or("");
    if (!action.empty() && string_at(event, "action") != action) return false;
    if (const auto* const ids = array_at(event, "ids")) {
      for (const auto& one : *ids) {
        if (!id.empty() && one.as_string() == id) return true;
      }
    }
    return id.empty() || its_id == id ||
           string_at(event, "to").value_or("").find(id) != std::string::npos;
  }
};

std::string or_nothing(const std::string& text) { return text.empty() ? "nothing" : text; }

// "02:41:39.490  request      AttachVolume: VolumeInUse"
std::string line_of(const boost::json::value& event) {
  const std::string time = string_at(event, "time").value_or("");
  const std::string kind = string_at(event, "event").value_or("");
  std::string what;
  if (const auto action = string_at(event, "action")) {
    what = *action;
    if (const auto code = string_at(event, "code")) what += fmt::format(": {}", *code);
    if (const auto* const faults = array_at(event, "faults")) {
      for (const auto& fault : *faults) what += fmt::format(" ({})", fault.as_string().c_str());
    }
  } else if (const auto effect = string_at(event, "what")) {
    what = *effect;
    if (const auto* const ids = array_at(event, "ids")) {
      for (const auto& its : *ids) what += fmt::format(" {}", its.as_string().c_str());
    }
  } else if (const auto id = string_at(event, "id")) {
    what = fmt::format("{}: {} -> {}", *id, or_nothing(string_at(event, "from").value_or("")),
                       or_nothing(string_at(event, "to").value_or("")));
  } else {
    what = string_at(event, "why").value_or("");
  }
  const auto clock = time.size() > 12 ? time.substr(11, 12) : time;
  return fmt::format("{}  {:<12} {}\n", clock, kind, what);
}

struct Event {
  std::string line;
  boost::json::value json;
};

// Shows lines as they are there; a line that is still being written waits for its end.
class Reader {
 public:
  Reader(Context& context, std::ifstream file, Selection selection)
      : context_{context}, file_{std::move(file)}, selection_{std::move(selection)} {}

  // The events that have not been read, in their order.
  std::vector<Event> next() {
    std::vector<Event> events;
    file_.clear();
    std::string piece;
    while (std::getline(file_, piece)) {
      line_ += piece;
      if (file_.eof()) break;  // without its line end
      if (auto event = parse_json(line_); event && selection_.takes(*event)) {
        events.push_back({.line = line_, .json = *std::move(event)});
      }
      line_.clear();
    }
    return events;
  }

  void show(const std::vector<Event>& events) {
    for (const Event& event : events) {
      const bool json = context_.globals.output == OutputFormat::json;
      context_.out << (json ? event.line + '\n' : line_of(event.json));
    }
    context_.out.flush();
  }

 private:
  Context& context_;
  std::ifstream file_;
  Selection selection_;
  std::string line_;
};

Result<ExitCode> show_logs(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const std::uint64_t tail,
                 parse_number("--tail", arguments.get("--tail").value_or("50"), UINT64_MAX));
  const std::string path = context.emulator.event_log(context.globals.emulator_state);
  std::ifstream file{path};
  if (!file) {
    auto nothing = fail(Errc::not_found,
                        fmt::format("no emulator has run on {}", context.globals.emulator_state));
    nothing.error().hint = "Start one: runctl emulator start";
    return nothing;
  }
  Reader reader{
      context,
      std::move(file),
      {.action = arguments.get("--action").value_or(""), .id = arguments.get("--id").value_or("")}};
  auto events = reader.next();
  if (tail > 0 && events.size() > tail) {
    events.erase(events.begin(), events.end() - static_cast<std::ptrdiff_t>(tail));
  }
  reader.show(events);
  while (arguments.has("--follow")) {
    const auto wake = context.clock.ticks() + std::chrono::milliseconds{200};
    // To end by Ctrl-C is how following ends.
    if (!context.clock.sleep_until(wake, context.stop)) break;
    reader.show(reader.next());
    if (!context.out) break;
  }
  return ExitCode::ok;
}

}  // namespace

const CommandSpec emulator_logs{.path = "emulator logs",
                                .summary = "what was asked of it, and what became of it",
                                .positionals = {},
                                .options = options,
                                .run = show_logs};

}  // namespace runctl::cli
