// runctl runs show
#include <array>
#include <utility>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "base/time_text.hpp"
#include "base/units.hpp"
#include "cli/commands.hpp"
#include "cli/instance/run_text.hpp"
#include "cli/output.hpp"
#include "cli/runs/host.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "RUN", .help = "its id, as `runctl runs list` shows it"},
}};
constexpr std::array<OptionSpec, 2> options{{
    {.name = "--instance",
     .value = "INSTANCE",
     .help = "the machine it is on, when that is not known"},
    {.name = "--local", .help = "a run of `runctl local` on this machine"},
}};

std::string when(const std::optional<std::chrono::sys_seconds>& moment) {
  return moment ? iso8601(Timestamp{*moment}) : "";
}

std::string took(const node::RunReport& run, const Context& context) {
  if (!run.started) return "";
  const auto end = run.ended ? Timestamp{*run.ended} : context.clock.now();
  if (!run.ended && run.state != node::RunState::running) return "";
  return duration_in_words(std::max(end - *run.started, std::chrono::milliseconds{0}));
}

std::string environment_text(const boost::json::object& record) {
  std::string text;
  if (const auto* values = record.if_contains("environment");
      values != nullptr && values->is_object()) {
    for (const auto& [name, value] : values->get_object()) {
      if (value.is_string()) {
        text += fmt::format("  {}={}\n", std::string_view{name}, value.get_string().c_str());
      }
    }
  }
  return text.empty() ? "" : "environment:\n" + text;
}

std::string text_of(const FoundRun& found, const Context& context) {
  const auto& run = found.details.run;
  const auto word = [&](const char* name) {
    const auto* value = found.details.record.if_contains(name);
    return value != nullptr && value->is_string() ? std::string{value->get_string()}
                                                  : std::string{};
  };
  std::string stop;
  if (run.stop) {
    stop = fmt::format("by {} at {} (SIG{}){}", run.stop->by, when(run.stop->at), run.stop->signal,
                       run.stop->killed ? ", then killed" : "");
  }
  return key_values({{"run", run.id.str()},
                     {"state", fmt::format("it {}", outcome_text(run))},
                     {"on", found.host.words},
                     {"command", run.command},
                     {"started", when(run.started)},
                     {"ended", when(run.ended)},
                     {"took", took(run, context)},
                     {"asked to end", stop},
                     {"working directory", word("working_directory")},
                     {"checkpoints", run.checkpoint_directory},
                     {"fencing number", run.fence > 0 ? std::to_string(run.fence) : ""},
                     {"results", run.upload ? upload_text(*run.upload) : ""},
                     {"git commit", run.git_commit},
                     {"log", fmt::format("{}/log, {} ({} free there)", run.directory,
                                         bytes_in_words(found.details.log_size),
                                         bytes_in_words(found.details.free_bytes))}}) +
         environment_text(found.details.record);
}

Result<ExitCode> show(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto found, find_run(arguments, context));
  const auto& run = found.details.run;
  auto record = record_of(run);
  if (!found.host.is_here()) record["instance_id"] = found.host.instance.str();
  record["log_path"] = run.directory + "/log";
  record["log_size"] = found.details.log_size;
  record["free_bytes"] = found.details.free_bytes;
  if (!found.details.record.empty()) record["details"] = found.details.record;
  present(context,
          {.text = text_of(found, context), .record = std::move(record), .id = run.id.str()});
  return ExitCode::ok;
}

}  // namespace

const CommandSpec runs_show{.path = "runs show",
                            .summary = "everything that is known of one run",
                            .positionals = positionals,
                            .options = options,
                            .run = show};

}  // namespace runctl::cli
