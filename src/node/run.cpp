#include "node/run.hpp"

#include <algorithm>
#include <array>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "base/json.hpp"
#include "base/text.hpp"

namespace runctl::node {
namespace {

namespace json = boost::json;

constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view digits = "0123456789";

bool is_variable_name(std::string_view name) {
  return !name.empty() && !digits.contains(name.front()) && std::ranges::all_of(name, [](char c) {
    return letters.contains(c) || digits.contains(c) || c == '_';
  });
}

Result<void> check(const RunSpec& spec) {
  if (spec.argv.empty() || spec.argv.front().empty() || spec.argv.front().starts_with('-')) {
    return fail(Errc::invalid_argument,
                fmt::format("run {} has no program to start", spec.id.str()));
  }
  if (!spec.working_directory.starts_with('/') ||
      !(spec.checkpoint_directory.empty() || spec.checkpoint_directory.starts_with('/')) ||
      spec.checkpoint_directory.contains('\n')) {
    return fail(Errc::invalid_argument,
                fmt::format("the directories of run {} are not absolute", spec.id.str()));
  }
  for (const auto& [name, value] : spec.environment) {
    if (!is_variable_name(name)) {
      return fail(Errc::invalid_argument,
                  fmt::format("run {} is given '{}', which is no variable's name", spec.id.str(),
                              to_utf8(name)));
    }
  }
  return {};
}

// A shell text that becomes the command. Also the command's record for people: it can be run by
// hand.
std::string command_text(const RunSpec& spec) {
  std::string text = fmt::format("cd -- {} || exit 126\n", shell_quote(spec.working_directory));
  text += fmt::format("export RUNCTL_RUN_ID={}\n", shell_quote(spec.id.str()));
  if (!spec.checkpoint_directory.empty()) {
    text +=
        fmt::format("export RUNCTL_CHECKPOINT_DIR={}\n", shell_quote(spec.checkpoint_directory));
  }
  for (const auto& [name, value] : spec.environment) {
    text += fmt::format("export {}={}\n", name, shell_quote(value));
  }
  text += "exec";
  for (const std::string& argument : spec.argv) text += ' ' + shell_quote(argument);
  return text;
}

// As a person would write it: quoted only where it must be, and not endless.
std::string command_in_short(const std::vector<std::string>& argv) {
  constexpr std::size_t limit = 300;
  std::string text;
  for (const std::string& argument : argv) {
    const bool plain = !argument.empty() && std::ranges::all_of(argument, [](char c) {
      return letters.contains(c) || digits.contains(c) ||
             std::string_view{"_-./=:,@%+"}.contains(c);
    });
    text += fmt::format("{}{}", text.empty() ? "" : " ", plain ? argument : shell_quote(argument));
    if (text.size() > limit) break;
  }
  return text.size() > limit ? to_utf8(text.substr(0, limit)) + "…" : to_utf8(text);
}

RunState read_state(std::string_view word) {
  constexpr auto states = std::to_array({RunState::running, RunState::succeeded, RunState::failed});
  const auto found =
      std::ranges::find_if(states, [&](RunState state) { return name_of(state) == word; });
  return found == states.end() ? RunState::lost : *found;
}

std::optional<std::chrono::sys_seconds> time_at(const json::value& value, std::string_view name) {
  const auto seconds = integer_at(value, name).value_or(0);
  if (seconds <= 0) return std::nullopt;
  return std::chrono::sys_seconds{std::chrono::seconds{seconds}};
}

Result<RunReport> read_report(const InstanceId& instance, const json::value& value) {
  auto id = RunId::parse(string_at(value, "run_id").value_or(""));
  if (!id) {
    return fail(Errc::corrupt, fmt::format("instance {} reported a run without an id", instance));
  }
  RunReport report{.id = *std::move(id),
                   .state = read_state(string_at(value, "state").value_or("")),
                   .pid = integer_at(value, "pid").value_or(0),
                   .fence = integer_at(value, "fence").value_or(0),
                   .started = time_at(value, "started_at"),
                   .ended = time_at(value, "ended_at"),
                   .directory = string_at(value, "directory").value_or(""),
                   .already = boolean_at(value, "already").value_or(false)};
  if (const auto status = integer_at(value, "exit_status")) {
    report.exit_status = static_cast<int>(*status);
    if (*status > 128 && *status <= 128 + 64) report.signal = static_cast<int>(*status) - 128;
  }
  if (const auto* object = value.if_object(); object != nullptr && object->contains("record")) {
    report.command = string_at(object->at("record"), "command").value_or("");
    report.checkpoint_directory =
        string_at(object->at("record"), "checkpoint_directory").value_or("");
  }
  return report;
}

}  // namespace

std::string_view name_of(RunState state) {
  switch (state) {
    case RunState::running:
      return "running";
    case RunState::succeeded:
      return "succeeded";
    case RunState::failed:
      return "failed";
    case RunState::lost:
      return "lost";
  }
  std::unreachable();
}

Result<RunId> RunId::parse(std::string_view text) {
  const bool good =
      !text.empty() && text.size() <= 64 &&
      (letters.contains(text.front()) || digits.contains(text.front())) &&
      std::ranges::all_of(text, [](char c) {
        return letters.contains(c) || digits.contains(c) || std::string_view{"._-"}.contains(c);
      });
  if (!good) return fail(Errc::invalid_argument, fmt::format("not a run id: '{}'", to_utf8(text)));
  return RunId{std::string{text}};
}

Result<RunReport> start_run(const Machine& machine, const RunSpec& spec) {
  RUNCTL_TRY(check(spec));
  const json::object described{{"command", command_in_short(spec.argv)},
                               {"checkpoint_directory", to_utf8(spec.checkpoint_directory)}};
  const Script script{.name = "start_run",
                      .parameters = {{"RUN_ID", spec.id.str()},
                                     {"COMMAND", command_text(spec)},
                                     {"RECORD", to_text(described)},
                                     {"CHECKPOINT_DIRECTORY", spec.checkpoint_directory},
                                     {"WRAPPER", std::string{script_text("run_wrapper")}}}};
  RUNCTL_TRY_LET(const auto record, run_script(machine, script));
  return read_report(machine.instance, record);
}

Result<RunProgress> run_status(const Machine& machine, const RunId& id, std::uint64_t log_offset,
                               std::size_t max_bytes) {
  const Script script{
      .name = "run_status",
      .parameters = {
          {"RUN_ID", id.str()},
          {"LOG_OFFSET", std::to_string(log_offset)},
          {"MAX_BYTES", std::to_string(std::clamp<std::size_t>(max_bytes, 1, log_piece_limit))}}};
  RUNCTL_TRY_LET(const auto record, run_script(machine, script));
  RUNCTL_TRY_LET(auto report, read_report(machine.instance, record));
  auto log = base64_decode(string_at(record, "log").value_or("-"));
  const auto next = integer_at(record, "next_offset");
  const auto size = integer_at(record, "log_size");
  if (!log || !next || !size || *next < 0 || *size < 0) {
    return fail(Errc::corrupt, fmt::format("instance {} gave run {} a log that cannot be read",
                                           machine.instance, id.str()));
  }
  return RunProgress{.run = std::move(report),
                     .log = *std::move(log),
                     .next_offset = static_cast<std::uint64_t>(*next),
                     .log_size = static_cast<std::uint64_t>(*size)};
}

Result<std::vector<RunReport>> list_runs(const Machine& machine, std::size_t count) {
  constexpr std::size_t most = 20;  // of records that fit SSM's 24,000 characters
  RUNCTL_TRY_LET(
      const auto record,
      run_script(machine, {.name = "list_runs",
                           .parameters = {{"COUNT", std::to_string(std::min(count, most))}}}));
  std::vector<RunReport> runs;
  if (const auto* entries = array_at(record, "runs")) {
    for (const auto& entry : *entries) {
      RUNCTL_TRY_LET(auto report, read_report(machine.instance, entry));
      runs.push_back(std::move(report));
    }
  }
  return runs;
}

}  // namespace runctl::node
