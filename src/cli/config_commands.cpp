// runctl config show|validate
#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "aws/credentials/plan.hpp"
#include "aws/endpoint.hpp"
#include "aws/profile_file.hpp"
#include "base/text.hpp"
#include "cli/account.hpp"
#include "cli/cloud.hpp"
#include "cli/commands.hpp"
#include "cli/emulator_control.hpp"
#include "cli/output.hpp"
#include "config/settings.hpp"

namespace runctl::cli {
namespace {

struct Effective {
  std::string_view name;
  std::string value;
  std::string origin;
};

// "runctl's configuration" is one of two files: this says which, and the line.
std::string exact(std::string origin, const config::Settings& settings, std::string_view key) {
  const auto found = settings.where.find(key);
  if (origin != "runctl's configuration" || found == settings.where.end()) return origin;
  return found->second;
}

Effective from(std::string_view name, const Result<aws::Resolved>& resolved,
               const config::Settings& settings, std::string_view key) {
  if (!resolved) return {.name = name, .value = "", .origin = resolved.error().message};
  return {.name = name, .value = resolved->value, .origin = exact(resolved->origin, settings, key)};
}

Effective emulator_row(const Arguments& arguments, const Context& context,
                       const config::Settings& settings) {
  std::string origin = "default";
  if (settings.endpoint == "emulator") origin = settings.where.find("aws.endpoint")->second;
  if (context.environment.get("RUNCTL_EMULATOR") == "1") {
    origin = "environment variable RUNCTL_EMULATOR";
  }
  if (arguments.has("--emulator")) origin = "--emulator";
  return {.name = "emulator",
          .value = context.globals.use_emulator ? "on" : "off",
          .origin = std::move(origin)};
}

// What they are is nobody's business; where they come from often is the question. Nobody is asked
// for them here.
Effective credentials_row(const aws::AccountSources& sources) {
  const auto plan = aws::plan_credentials(sources);
  if (!plan) return {.name = "credentials", .value = "", .origin = plan.error().message};
  const bool at_hand = std::holds_alternative<aws::Credentials>(plan->way);
  return {.name = "credentials",
          .value = at_hand ? "found" : "to be asked for",
          .origin = plan->origin};
}

// Whose account, which region and which endpoint.
Result<std::vector<Effective>> account_rows(const Context& context,
                                            const config::Settings& settings) {
  RUNCTL_TRY_LET(const auto files, aws::read_profile_files(context.environment));
  const aws::AccountSources sources{.environment = context.environment,
                                    .files = files,
                                    .flags = context.globals.flags,
                                    .settings = context.globals.settings};
  const auto profile = aws::choose_profile(sources);
  std::vector<Effective> rows{{.name = "profile",
                               .value = profile.name,
                               .origin = profile.origin.empty()
                                             ? "default"
                                             : exact(profile.origin, settings, "aws.profile")}};
  const auto region = aws::resolve_region(sources);
  rows.push_back(from("region", region, settings, "aws.region"));
  if (region) {
    rows.push_back(from("endpoint", aws::resolve_endpoint(sources, aws::ec2_service, region->value),
                        settings, "aws.endpoint"));
  }
  rows.push_back(credentials_row(sources));
  return rows;
}

// The emulator has its own, whatever AWS's files say.
Result<std::vector<Effective>> emulator_rows(const Context& context) {
  RUNCTL_TRY_LET(const auto running, context.emulator.status(context.globals.emulator_state));
  auto region = region_on_emulator(context);
  return std::vector<Effective>{
      {.name = "region", .value = std::move(region.value), .origin = std::move(region.origin)},
      {.name = "endpoint",
       .value = running ? running->endpoint : "",
       .origin = running ? "the running emulator" : "it is started when it is needed"},
      {.name = "credentials", .value = "found", .origin = "the emulator's own"}};
}

Effective shell_row(const Context& context, const config::Settings& settings) {
  std::string origin = "default";
  if (settings.shell) origin = settings.where.find("aws.shell")->second;
  if (context.environment.get("RUNCTL_SHELL")) origin = "environment variable RUNCTL_SHELL";
  return {.name = "shell",
          .value = context.globals.use_ssh ? "ssh" : "ssm",
          .origin = std::move(origin)};
}

Result<std::vector<Effective>> effective(const Arguments& arguments, const Context& context,
                                         const config::Settings& settings) {
  std::vector<Effective> rows{emulator_row(arguments, context, settings)};
  RUNCTL_TRY_LET(const auto account, context.globals.use_emulator
                                         ? emulator_rows(context)
                                         : account_rows(context, settings));
  rows.insert(rows.end(), account.begin(), account.end());
  rows.push_back(shell_row(context, settings));
  if (!context.globals.code_bucket.empty()) {
    const bool named = context.environment.get("RUNCTL_CODE_BUCKET").has_value();
    rows.push_back({.name = "code bucket",
                    .value = context.globals.code_bucket,
                    .origin = named ? "environment variable RUNCTL_CODE_BUCKET"
                                    : settings.where.find("s3.bucket")->second});
  }
  rows.push_back({.name = "emulator state",
                  .value = context.globals.emulator_state,
                  .origin = arguments.has("--state") ? "--state"
                            : context.environment.get("RUNCTL_EMULATOR_STATE")
                                ? "environment variable RUNCTL_EMULATOR_STATE"
                                : "default"});
  rows.push_back({.name = "journal",
                  .value = journal_path(context).string(),
                  .origin = context.globals.use_emulator ? "beside the emulator's state"
                            : context.environment.get("XDG_STATE_HOME")
                                ? "environment variable XDG_STATE_HOME"
                                : "default"});
  return rows;
}

Result<ExitCode> show(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto settings,
                 config::read_settings(context.environment, arguments.get("--config")));
  RUNCTL_TRY_LET(const auto rows, effective(arguments, context, settings));
  Table table{{"SETTING", "VALUE", "FROM"}};
  boost::json::object record;
  for (const Effective& row : rows) {
    table.add({std::string{row.name}, row.value.empty() ? "-" : row.value, row.origin});
    std::string key{row.name};
    std::ranges::replace(key, ' ', '_');
    boost::json::object shown{{"from", row.origin}};
    shown["value"] = nullptr;
    if (!row.value.empty()) shown["value"] = row.value;
    record[key] = std::move(shown);
  }
  boost::json::array files;
  for (const std::string& file : settings.files) files.emplace_back(file);
  record["files"] = files;
  std::string text = table.text();
  text += settings.files.empty() ? "\nNo configuration file was found. To make one: runctl init\n"
                                 : fmt::format("\nRead: {}\n", join(settings.files, ", "));
  present(context, {.text = std::move(text), .record = std::move(record)});
  return ExitCode::ok;
}

// A file that is wrong has ended the command before it gets here.
Result<ExitCode> validate(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto settings,
                 config::read_settings(context.environment, arguments.get("--config")));
  boost::json::array files;
  std::string text;
  for (const std::string& file : settings.files) {
    text += fmt::format("{}: good\n", file);
    files.emplace_back(file);
  }
  if (settings.files.empty()) text = "No configuration file was found.\n";
  present(context,
          {.text = std::move(text), .record = {{"valid", true}, {"files", std::move(files)}}});
  return ExitCode::ok;
}

}  // namespace

const CommandSpec config_show{.path = "config show",
                              .summary = "the settings in force, and where each comes from",
                              .positionals = {},
                              .options = {},
                              .run = show};
const CommandSpec config_validate{.path = "config validate",
                                  .summary = "check the configuration files",
                                  .positionals = {},
                                  .options = {},
                                  .run = validate};

}  // namespace runctl::cli
