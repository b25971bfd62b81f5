#include "cli/run.hpp"

#include <algorithm>
#include <array>
#include <ostream>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/time_text.hpp"
#include "cli/emulator_control.hpp"
#include "cli/help.hpp"
#include "cli/output.hpp"
#include "cli/parse.hpp"
#include "cli/version.hpp"
#include "config/settings.hpp"

namespace runctl::cli {
namespace {

Result<OutputFormat> parse_output(std::string_view text) {
  if (text == "text") return OutputFormat::text;
  if (text == "json") return OutputFormat::json;
  // The longer names stand in scripts that users have.
  constexpr std::array<std::string_view, 4> ids{"id", "instance-id", "volume-id", "snapshot-id"};
  if (std::ranges::find(ids, text) != ids.end()) return OutputFormat::id;
  return fail(Errc::invalid_argument, fmt::format("--output is text, json or id, not '{}'", text));
}

std::string default_state_directory(const Environment& environment) {
  if (const auto state = environment.get("XDG_STATE_HOME")) return *state + "/runctl/emulator";
  return environment.get("HOME").value_or("/var/lib") + "/.local/state/runctl/emulator";
}

// A user's name reaches ssh's command line: what could be an option, or more than a name, does not.
Result<void> read_shell(const config::Settings& settings, const Environment& environment,
                        Globals& globals) {
  const auto choose = [&](std::string_view variable, const std::optional<std::string>& setting) {
    auto value = environment.get(variable);
    return value ? *std::move(value) : setting.value_or("");
  };
  const std::string shell = choose("RUNCTL_SHELL", settings.shell);
  if (!shell.empty() && shell != "ssm" && shell != "ssh") {
    return fail(Errc::invalid_argument, fmt::format("RUNCTL_SHELL is ssm or ssh, not '{}'", shell));
  }
  const std::string host = choose("RUNCTL_SSH_HOST", settings.ssh_host);
  if (!host.empty() && host != "address" && host != "id") {
    return fail(Errc::invalid_argument,
                fmt::format("RUNCTL_SSH_HOST is address or id, not '{}'", host));
  }
  globals.use_ssh = shell == "ssh";
  globals.ssh_by_id = host == "id";
  globals.ssh_user = choose("RUNCTL_SSH_USER", settings.ssh_user);
  constexpr std::string_view in_names =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  if (globals.ssh_user.find_first_not_of(in_names) != std::string::npos ||
      globals.ssh_user.starts_with('-')) {
    return fail(Errc::invalid_argument,
                fmt::format("'{}' is no user's name for ssh", globals.ssh_user));
  }
  return {};
}

// Flag > environment > project file > user file > default.
Result<Globals> globals_from(const Arguments& arguments, const Environment& environment) {
  RUNCTL_TRY_LET(const config::Settings settings,
                 config::read_settings(environment, arguments.get("--config")));
  Globals globals;
  RUNCTL_TRY_LET(
      globals.output,
      parse_output(arguments.has("--json") ? "json" : arguments.get("--output").value_or("text")));
  globals.yes = arguments.has("--yes");
  globals.dry_run = arguments.has("--dry-run");
  globals.quiet = arguments.has("--quiet");
  globals.flags = {.profile = arguments.get("--profile"),
                   .region = arguments.get("--region"),
                   .endpoint_url = arguments.get("--endpoint-url")};
  globals.settings = {.profile = settings.profile, .region = settings.region};
  const bool settings_say_emulator = settings.endpoint == "emulator";
  if (!settings_say_emulator) globals.settings.endpoint_url = settings.endpoint;
  const std::string from_environment = environment.get("RUNCTL_EMULATOR").value_or("0");
  globals.use_emulator = arguments.has("--emulator") || from_environment == "1" ||
                         (settings_say_emulator && !arguments.has("--endpoint-url"));
  if (arguments.has("--emulator") && arguments.has("--endpoint-url")) {
    return fail(Errc::invalid_argument, "--emulator and --endpoint-url exclude each other");
  }
  RUNCTL_TRY(read_shell(settings, environment, globals));
  globals.code_bucket =
      environment.get("RUNCTL_CODE_BUCKET").value_or(settings.code_bucket.value_or(""));
  globals.emulator_state = arguments.get("--state").value_or(
      environment.get("RUNCTL_EMULATOR_STATE").value_or(default_state_directory(environment)));
  if (const auto timeout = arguments.get("--timeout")) {
    RUNCTL_TRY_LET(globals.timeout, parse_duration(*timeout));
  }
  return globals;
}

ExitCode fail_with(Context& context, const Error& error) {
  report(context, error);
  return exit_code_for(error.code);
}

}  // namespace

ExitCode run(Context& context, std::span<const std::string> words) {
  // An error in the words themselves goes where they asked for.
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool json = words[i] == "--output=json" || words[i] == "--json" ||
                      (words[i] == "--output" && i + 1 < words.size() && words[i + 1] == "json");
    if (json) context.globals.output = OutputFormat::json;
  }
  auto invocation = parse(command_table(), words);
  if (!invocation) return fail_with(context, invocation.error());
  if (invocation->wants_version) {
    context.out << "runctl " << version << '\n';
    return ExitCode::ok;
  }
  if (invocation->wants_help && invocation->command != nullptr) {
    show_help(context.out, context.width, command_help(*invocation->command));
    return ExitCode::ok;
  }
  if (invocation->command == nullptr) {
    const bool asked = invocation->wants_help || words.empty();
    show_help(asked ? context.out : context.err, context.width,
              group_help(command_table(), invocation->path));
    return asked ? ExitCode::ok : ExitCode::usage;
  }
  auto globals = globals_from(invocation->arguments, context.environment);
  if (!globals) return fail_with(context, globals.error());
  context.globals = *std::move(globals);
  const auto result = invocation->command->run(invocation->arguments, context);
  if (!result) return fail_with(context, result.error());
  return *result;
}

}  // namespace runctl::cli
