// runctl init
#include <filesystem>
#include <istream>
#include <ostream>
#include <system_error>

#include <fmt/format.h>

#include "aws/endpoint.hpp"
#include "aws/profile_file.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/ebs/options.hpp"
#include "cli/output.hpp"
#include "config/settings.hpp"
#include "io/file.hpp"

namespace runctl::cli {
namespace {

constexpr std::string_view file_name = ".runctl.toml";

// A TOML basic string. Names of regions and profiles need no more escapes than these.
std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

// The answer, or what the bracket says when there is none.
std::string ask_or(Context& context, std::string_view question, const std::string& fallback) {
  std::string answer = ask(context, fmt::format("{} [{}]: ", question, fallback));
  return answer.empty() ? fallback : answer;
}

struct Answers {
  bool emulator = true;
  std::string region = "us-east-1";
  std::string profile = "default";
};

Answers ask_all(Context& context, Answers answers) {
  const std::string where = lower(ask_or(context, "Where should runctl work: emulator or aws?",
                                         answers.emulator ? "emulator" : "aws"));
  answers.emulator = where != "aws";
  answers.region = ask_or(context, "Region", answers.region);
  if (!answers.emulator)
    answers.profile = ask_or(context, "Profile of ~/.aws/config", answers.profile);
  return answers;
}

std::string text_for(const Answers& answers) {
  std::string text = "# runctl's settings for this project. See: runctl config show\n[aws]\n";
  text += fmt::format("region = {}\n", toml_string(answers.region));
  if (answers.emulator) {
    text += "endpoint = \"emulator\"  # a cloud on this machine; take the line out to use AWS\n";
  } else if (answers.profile != "default") {
    text += fmt::format("profile = {}\n", toml_string(answers.profile));
  }
  return text;
}

Result<ExitCode> init(const Arguments&, Context& context) {
  std::error_code error;
  const auto path = std::filesystem::current_path(error) / file_name;
  if (std::filesystem::exists(path, error)) {
    RUNCTL_TRY_LET(const auto before, read_file(path));
    RUNCTL_TRY(config::parse_settings(before, path.string(), config::Origin::project));
    present(context, {.text = fmt::format("{} is there already, and good; nothing was changed.\n",
                                          path.string()),
                      .record = {{"file", path.string()}, {"already", true}}});
    return ExitCode::ok;
  }
  Answers answers{.emulator = !context.globals.flags.endpoint_url,
                  .region = context.globals.flags.region.value_or(
                      context.environment.get("AWS_REGION").value_or("us-east-1")),
                  .profile = context.globals.flags.profile.value_or("default")};
  if (context.globals.flags.profile) answers.emulator = false;
  if (context.interactive && !context.globals.yes) {
    answers = ask_all(context, std::move(answers));
  } else if (!context.globals.yes && !context.globals.dry_run) {
    auto refused = fail(Errc::conflict, fmt::format("{} would be written", path.string()));
    refused.error().hint = "There is no terminal to ask on: pass --yes to take the defaults.";
    return refused;
  }
  const std::string text = text_for(answers);
  // What was typed is read as every later command will read it.
  RUNCTL_TRY(config::parse_settings(text, path.string(), config::Origin::project));
  const aws::ProfileFiles no_files;
  RUNCTL_TRY(aws::resolve_region({.environment = context.environment,
                                  .files = no_files,
                                  .flags = {.region = answers.region}}));
  if (context.globals.dry_run) {
    return show_plan(context, {fmt::format("write {}", path.string())});
  }
  RUNCTL_TRY(write_file_atomically(path, text));
  present(context, {.text = fmt::format("Wrote {}:\n\n{}\nNext: runctl quickstart, or runctl aws "
                                        "ebs create --size 1 --name data\n",
                                        path.string(), text),
                    .record = {{"file", path.string()}, {"already", false}}});
  return ExitCode::ok;
}

}  // namespace

const CommandSpec init_project{.path = "init",
                               .summary = "write .runctl.toml for this directory",
                               .positionals = {},
                               .options = {},
                               .danger = Danger::changes,
                               .run = init};

}  // namespace runctl::cli
