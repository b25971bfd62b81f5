// runctl emulator run|start|stop|status|reset
#include "cli/commands.hpp"

#include <array>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "cli/cloud.hpp"
#include "cli/ebs/options.hpp"
#include "cli/emulator_control.hpp"
#include "cli/output.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<OptionSpec, 5> start_options{{
    {.name = "--port", .value = "N", .help = "listen there; 0 takes a free one (default 4599)"},
    {.name = "--pace",
     .value = "instant|fast|aws",
     .help = "how long state changes take (default fast)"},
    {.name = "--hardware",
     .value = "block|files|none",
     .help = "what stands behind it (default: block when root, else files)"},
    {.name = "--seed", .value = "N", .help = "makes ids, timings and faults repeat"},
    {.name = "--faults",
     .value = "FILE",
     .help = "what goes wrong: a fault a line, as `emulator fault add` takes it"},
}};

Result<std::string> one_of(const Arguments& arguments, std::string_view name, std::string fallback,
                           std::span<const std::string_view> values) {
  std::string value = arguments.get(name).value_or(std::move(fallback));
  for (const std::string_view known : values) {
    if (known == value) return value;
  }
  std::string known;
  for (const std::string_view v : values)
    known += fmt::format("{}{}", known.empty() ? "" : ", ", v);
  return fail(Errc::invalid_argument, fmt::format("{} is one of {}, not '{}'", name, known, value));
}

Result<EmulatorOptions> options_from(const Arguments& arguments, const Context& context) {
  constexpr std::array<std::string_view, 3> paces{"instant", "fast", "aws"};
  constexpr std::array<std::string_view, 4> kinds{"auto", "block", "files", "none"};
  EmulatorOptions options{.state = context.globals.emulator_state};
  if (const auto port = arguments.get("--port")) {
    RUNCTL_TRY_LET(const auto number, parse_number("--port", *port, 65'535));
    options.port = static_cast<unsigned>(number);
  }
  RUNCTL_TRY_LET(options.pace, one_of(arguments, "--pace", "fast", paces));
  RUNCTL_TRY_LET(options.hardware, one_of(arguments, "--hardware", "auto", kinds));
  if (const auto seed = arguments.get("--seed")) {
    RUNCTL_TRY_LET(options.seed, parse_number("--seed", *seed, UINT64_MAX));
  }
  if (const auto faults = arguments.get("--faults")) {
    // The emulator in the background has another working directory.
    std::error_code error;
    options.faults = std::filesystem::absolute(*faults, error).string();
    if (error) options.faults = *faults;
  }
  return options;
}

Presentation describe(const EmulatorStatus& status) {
  std::string text = key_values({{"endpoint", status.endpoint},
                                 {"pid", std::to_string(status.pid)},
                                 {"hardware", status.hardware},
                                 {"note", status.hardware_note},
                                 {"state", status.state}});
  text += fmt::format(
      "\nFor AWS's own tools:\n"
      "  export AWS_ENDPOINT_URL={} AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY={} "
      "AWS_DEFAULT_REGION=us-east-1\n",
      status.endpoint, emulator_access_key, emulator_secret_key);
  return {.text = std::move(text),
          .record = {{"running", true},
                     {"endpoint", status.endpoint},
                     {"pid", status.pid},
                     {"hardware", status.hardware},
                     {"hardware_note", status.hardware_note},
                     {"state", status.state}},
          .id = status.endpoint};
}

Result<ExitCode> run_emulator(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto options, options_from(arguments, context));
  RUNCTL_TRY(context.emulator.run(options, context.stop));
  return ExitCode::ok;
}

Result<ExitCode> start_emulator(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto options, options_from(arguments, context));
  RUNCTL_TRY_LET(const auto running, context.emulator.status(options.state));
  if (running) note(context, "It is running already.");
  RUNCTL_TRY_LET(const auto status, context.emulator.start(options));
  Presentation presentation = describe(status);
  presentation.text = fmt::format("listening on {}\n", status.endpoint) + presentation.text;
  present(context, presentation);
  return ExitCode::ok;
}

Result<ExitCode> stop_emulator(const Arguments&, Context& context) {
  RUNCTL_TRY_LET(const bool stopped, context.emulator.stop(context.globals.emulator_state));
  present(context,
          {.text = stopped ? "Stopped. Volumes and snapshots are kept.\n" : "It was not running.\n",
           .record = {{"stopped", stopped}, {"state", context.globals.emulator_state}}});
  return ExitCode::ok;
}

Result<ExitCode> reset_emulator(const Arguments&, Context& context) {
  const std::string& state = context.globals.emulator_state;
  if (context.globals.dry_run) {
    present(context, {.text = fmt::format("Would forget everything on {}.\n", state),
                      .record = {{"dry_run", true}, {"state", state}}});
    return ExitCode::ok;
  }
  RUNCTL_TRY(ask_consent(
      context,
      fmt::format("Forget all volumes, snapshots, machines and buckets of the emulator on {}?",
                  state)));
  RUNCTL_TRY_LET(const bool stopped, context.emulator.stop(state));
  RUNCTL_TRY_LET(const bool removed, context.emulator.reset(state));
  if (removed) {
    // Its operations are of a cloud that is no more.
    std::error_code ignored;
    for (const std::string_view part : {"", "-journal"}) {
      auto path = emulator_journal_path(context);
      std::filesystem::remove(path += part, ignored);
    }
  }
  std::string text = removed ? "Forgotten: the cloud is empty.\n" : "It was empty already.\n";
  if (stopped) text += "It was running, and is stopped now: runctl emulator start\n";
  present(context, {.text = std::move(text),
                    .record = {{"reset", removed}, {"stopped", stopped}, {"state", state}}});
  return ExitCode::ok;
}

Result<ExitCode> show_status(const Arguments&, Context& context) {
  RUNCTL_TRY_LET(const auto status, context.emulator.status(context.globals.emulator_state));
  if (status) {
    present(context, describe(*status));
    return ExitCode::ok;
  }
  present(context, {.text = "No emulator runs on " + context.globals.emulator_state + ".\n",
                    .record = {{"running", false}, {"state", context.globals.emulator_state}}});
  return ExitCode::not_found;
}

}  // namespace

const CommandSpec emulator_run{.path = "emulator run",
                               .summary = "run the cloud on this machine, in the foreground",
                               .positionals = {},
                               .options = start_options,
                               .danger = Danger::changes,
                               .run = run_emulator};
const CommandSpec emulator_start{.path = "emulator start",
                                 .summary = "start it in the background",
                                 .positionals = {},
                                 .options = start_options,
                                 .danger = Danger::changes,
                                 .run = start_emulator};
const CommandSpec emulator_stop{.path = "emulator stop",
                                .summary = "stop it; volumes and snapshots are kept",
                                .positionals = {},
                                .options = {},
                                .danger = Danger::changes,
                                .run = stop_emulator};
const CommandSpec emulator_reset{
    .path = "emulator reset",
    .summary = "forget all its volumes, snapshots, machines and buckets",
    .positionals = {},
    .options = {},
    .danger = Danger::destroys,
    .run = reset_emulator};
const CommandSpec emulator_status{.path = "emulator status",
                                  .summary = "where it listens, and how to point AWS's tools at it",
                                  .positionals = {},
                                  .options = {},
                                  .run = show_status};

}  // namespace runctl::cli
