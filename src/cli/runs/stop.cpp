// runctl runs stop
#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/time_text.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/instance/run_text.hpp"
#include "cli/output.hpp"
#include "cli/runs/stop_text.hpp"
#include "journal/operation.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "RUN", .help = "its id, as `runctl runs list` shows it"},
}};
constexpr std::array<OptionSpec, 4> options{{
    {.name = "--instance",
     .value = "INSTANCE",
     .help = "the machine it is on, when that is not known"},
    {.name = "--local", .help = "a run of `runctl local` on this machine"},
    {.name = "--grace",
     .value = "DURATION",
     .help = "how long it may take to end before it is killed (default 30s)"},
    {.name = "--signal",
     .value = "SIGNAL",
     .help = "TERM (the default), INT, HUP, QUIT, USR1, USR2 or KILL"},
}};

Result<training::StopSpec> spec_of(const Arguments& arguments) {
  training::StopSpec spec;
  if (const auto grace = arguments.get("--grace")) {
    RUNCTL_TRY_LET(spec.grace, parse_duration(*grace));
  }
  if (const auto signal = arguments.get("--signal")) {
    std::string_view name = *signal;
    if (name.starts_with("SIG")) name.remove_prefix(3);
    if (std::ranges::find(node::stop_signals, name) == node::stop_signals.end()) {
      return fail(
          Errc::invalid_argument,
          fmt::format("--signal is TERM, INT, HUP, QUIT, USR1, USR2 or KILL, not '{}'", *signal));
    }
    spec.signal = name;
  }
  return spec;
}

Result<ExitCode> stop(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(auto spec, spec_of(arguments));
  RUNCTL_TRY_LET(const auto found, find_run(arguments, context));
  const auto& run = found.details.run;
  // Whether there is something to stop: a run that has ended may have left processes behind.
  auto seen =
      node::stop_run(found.host.machine(context.stop), run.id, {.send = node::SendSignal::no});
  if (!seen) return std::unexpected{found.host.in_its_words(std::move(seen).error())};
  const bool running = seen->run.state == node::RunState::running;
  if (!running && seen->left_count == 0) {
    present_stopped(context, found.host, {.run = seen->run, .had_ended = true});
    return ExitCode::ok;
  }
  const std::vector<std::string> steps{
      running ? fmt::format("send SIG{} to run {} on {} and all that it started: {}", spec.signal,
                            run.id.str(), found.host.words, run.command)
              : fmt::format("end the {} processes that run {} left on {}", seen->left_count,
                            run.id.str(), found.host.words),
      fmt::format("kill what has not ended after {}", duration_in_words(spec.grace))};
  if (context.globals.dry_run) return show_plan(context, steps);
  RUNCTL_TRY(ask_consent(
      context, fmt::format("- {}\n- {}\nStop run {}?", steps[0], steps[1], run.id.str())));
  RUNCTL_TRY_LET(const auto stopped, stop_run(context, found.host, run.id, std::move(spec)));
  present_stopped(context, found.host, stopped);
  return ExitCode::ok;
}

}  // namespace

std::string asker(const Context& context) {
  return fmt::format("{}@{}", context.environment.get("USER").value_or("somebody"),
                     journal::this_process().host);
}

Result<training::Stopped> stop_run(Context& context, const RunHost& host, const node::RunId& run,
                                   training::StopSpec spec) {
  spec.by = asker(context);
  const auto act = [&] {
    return training::stop({.machine = host.machine(context.stop),
                           .clock = context.clock,
                           .tell = [&](std::string_view text) { note(context, text); }},
                          run, spec);
  };
  if (host.is_here()) {
    auto stopped = act();
    if (!stopped) return std::unexpected{host.in_its_words(std::move(stopped).error())};
    return stopped;
  }
  const auto session = host.cloud->session();
  return host.cloud->carry_out(
      session, {.kind = "stop-run", .subjects = {host.instance.str(), run.str()}},
      [&](const volume::Change& change) {
        return volume::on_machine(change, "stop-run",
                                  {{"instance", host.instance.str()}, {"run", run.str()}}, act);
      });
}

void present_stopped(Context& context, const RunHost& host, const training::Stopped& stopped) {
  const auto& run = stopped.run;
  std::string text;
  if (stopped.had_ended) {
    text = fmt::format("Run {} on {} was not running: it {}.\n", run.id.str(), host.words,
                       outcome_text(run));
  } else if (stopped.ended_processes > 0) {
    text = fmt::format("The processes that run {} had left on {} are ended.\n", run.id.str(),
                       host.words);
  } else {
    text = fmt::format("Run {} on {} {}.\n", run.id.str(), host.words, outcome_text(run));
  }
  if (run.upload && !run.upload->is_over()) {
    text += fmt::format("What it has written is still being uploaded to {}: runctl runs show {}\n",
                        run.upload->target, run.id.str());
  }
  auto record = record_of(run);
  record["had_ended"] = stopped.had_ended;
  record["was_killed"] = stopped.was_killed;
  present(context, {.text = std::move(text), .record = std::move(record), .id = run.id.str()});
}

const CommandSpec runs_stop{.path = "runs stop",
                            .summary = "end a run: ask it, wait, then kill it",
                            .positionals = positionals,
                            .options = options,
                            .danger = Danger::destroys,
                            .run = stop};

}  // namespace runctl::cli
