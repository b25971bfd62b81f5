#include "node/run.hpp"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <utility>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "base/json.hpp"
#include "base/text.hpp"
#include "node/gzip.hpp"
#include "node/run_record.hpp"
#include "node/run_report.hpp"
#include "node/without_comments.hpp"

namespace runctl::node {
namespace {

constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view digits = "0123456789";

// Of a notice's two minutes: writing back what a gp3 volume takes in as long is 1.9 GB at 125 MB/s,
// more than the kernel lets a small machine hold unwritten.
constexpr std::chrono::seconds volumes_reserve{15};

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
  if (spec.packages && !std::ranges::all_of(spec.packages->key, [](char c) {
        return letters.contains(c) || digits.contains(c);
      })) {
    return fail(Errc::invalid_argument,
                fmt::format("the packages of run {} have no usable key", spec.id.str()));
  }
  return {};
}

// Environments lie beside the runs: of users on their own machine in their own folder.
std::string preparation_of(const RunPackages& packages) {
  std::string text = "ENVIRONMENTS=${environments%/runs/*}/environments\n";
  for (const auto& [name, value] : std::initializer_list<std::pair<std::string_view, std::string>>{
           {"PACKAGES_FROM", packages.from},
           {"PACKAGES_KIND", std::string{name_of(packages.kind)}},
           {"PACKAGES_LIST", packages.list},
           {"PACKAGES_PYTHON", packages.python},
           {"PACKAGES_KEY", packages.key}}) {
    text += fmt::format("{}={}\n", name, shell_quote(value));
  }
  return text + std::string{script_text("prepare_packages")};
}

// Where a program of the run begins, and its environment.
std::string surroundings_text(const RunSpec& spec) {
  std::string text;
  if (spec.upload && spec.upload->output_directory.empty()) {
    text += "RUNCTL_OUTPUT_DIR=$(pwd)/output\nexport RUNCTL_OUTPUT_DIR\n";
  }
  text += fmt::format("cd -- {} || exit 126\n", shell_quote(spec.working_directory));
  text += fmt::format("export RUNCTL_RUN_ID={}\n", shell_quote(spec.id.str()));
  if (!spec.checkpoint_directory.empty()) {
    text +=
        fmt::format("export RUNCTL_CHECKPOINT_DIR={}\n", shell_quote(spec.checkpoint_directory));
  }
  for (const auto& [name, value] : spec.environment) {
    text += fmt::format("export {}={}\n", name, shell_quote(value));
  }
  return text;
}

// A shell text that becomes the command. It begins in the run's directory. Also the command's
// record for people: it can be run by hand.
std::string command_text(const RunSpec& spec) {
  std::string text = spec.packages ? "environments=$(pwd)\n" : "";
  text += surroundings_text(spec);
  if (spec.packages) text += preparation_of(*spec.packages);
  text += "exec";
  for (const std::string& argument : spec.argv) text += ' ' + shell_quote(argument);
  return text;
}

// For a command, which has room for 60,000 bytes in all. Nothing for nothing.
Result<std::string> pack(const std::string& text) {
  if (text.empty()) return std::string{};
  RUNCTL_TRY_LET(const std::string packed, gzip(text));
  return base64(packed);
}

// watch_run.sh and what it runs, in the format of start_run.sh. Their other parameters come as
// environment.
std::string watcher_text(const RunId& run, const InterruptionWatch& watch) {
  std::string volumes;
  for (const VolumeId& volume : watch.volumes)
    volumes += (volumes.empty() ? "" : " ") + volume.str();
  const Script watcher{
      .name = "watch_run",
      .parameters = {{"VOLUMES", volumes},
                     {"POLL_SECONDS", std::to_string(watch.poll.count())},
                     {"RESERVE_SECONDS", std::to_string(volumes_reserve.count())}}};
  const Script stop{.name = "stop_run", .parameters = {{"RUN_ID", run.str()}}};
  return fmt::format("#### stop.sh\n{}#### watch.sh\n{}#### unmount.sh\n{}",
                     without_comments(assemble(stop)), without_comments(assemble(watcher)),
                     without_comments(assemble({.name = "unmount"})));
}

std::string hook_text(const RunSpec& spec) {
  if (!spec.watch || spec.watch->hook.empty()) return {};
  return surroundings_text(spec) + "exec /bin/sh -c " + shell_quote(spec.watch->hook) + "\n";
}

// Room in an answer for what else it says of a run.
constexpr std::size_t rest_of_answer = 5'600;

// Nothing for what is no compressed text of that size.
std::optional<std::string> read_log(const std::string& text, std::size_t limit) {
  if (text.empty()) return "";
  const auto bytes = base64_decode(text);
  if (!bytes) return std::nullopt;
  auto log = gunzip(*bytes, limit);
  if (!log) return std::nullopt;
  return *std::move(log);
}

Script status_script(const Machine& machine, const RunId& id) {
  return {.name = "run_status",
          .parameters = {{"RUN_ID", id.str()},
                         {"ROOM", std::to_string(machine.shell.output_limit() - rest_of_answer)}}};
}

}  // namespace

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

std::string_view name_of(RunPackages::Kind kind) {
  switch (kind) {
    case RunPackages::Kind::requirements:
      return "requirements";
    case RunPackages::Kind::script:
      return "script";
    case RunPackages::Kind::pyproject:
      return "pyproject";
    case RunPackages::Kind::lock:
      return "lock";
    case RunPackages::Kind::conda:
      return "conda";
  }
  return "";
}

Result<RunReport> start_run(const Machine& machine, const RunSpec& spec) {
  RUNCTL_TRY(check(spec));
  RUNCTL_TRY_LET(
      auto upload,
      pack(spec.upload ? uploader_text(*spec.upload, spec.checkpoint_directory) : std::string{}));
  RUNCTL_TRY_LET(auto watch, pack(spec.watch ? watcher_text(spec.id, *spec.watch) : std::string{}));
  RUNCTL_TRY_LET(auto hook, pack(hook_text(spec)));
  RUNCTL_TRY_LET(auto wrapper, pack(without_comments(script_text("run_wrapper"))));
  const Script script{
      .name = "start_run",
      .parameters = {{"RUN_ID", spec.id.str()},
                     {"COMMAND", command_text(spec)},
                     {"RECORD", to_text(short_record(spec))},
                     {"DETAILS", to_text(full_record(spec))},
                     {"CHECKPOINT_DIRECTORY", spec.checkpoint_directory},
                     {"EXPECTED_FENCE",
                      spec.expected_fence ? std::to_string(*spec.expected_fence) : std::string{}},
                     {"WRAPPER", std::move(wrapper)},
                     {"WATCH", std::move(watch)},
                     {"WATCH_HOOK", std::move(hook)},
                     {"UPLOAD", std::move(upload)}}};
  RUNCTL_TRY_LET(const auto record, run_script(machine, script));
  return read_run_report(machine.instance, record);
}

Result<RunProgress> run_status(const Machine& machine, const RunId& id, std::uint64_t log_offset,
                               std::size_t max_bytes) {
  Script script = status_script(machine, id);
  const std::size_t limit = std::clamp<std::size_t>(max_bytes, 1, log_piece_limit);
  script.parameters.push_back({"LOG_OFFSET", std::to_string(log_offset)});
  script.parameters.push_back({"MAX_BYTES", std::to_string(limit)});
  script.parameters.push_back({"DETAILS", "no"});
  RUNCTL_TRY_LET(const auto record, run_script(machine, script));
  RUNCTL_TRY_LET(auto report, read_run_report(machine.instance, record));
  auto log = read_log(string_at(record, "log").value_or("-"), limit);
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

Result<RunDetails> run_details(const Machine& machine, const RunId& id) {
  Script script = status_script(machine, id);
  script.parameters.push_back({"LOG_OFFSET", std::to_string(behind_any_log)});
  script.parameters.push_back({"MAX_BYTES", "1"});
  script.parameters.push_back({"DETAILS", "yes"});
  RUNCTL_TRY_LET(const auto record, run_script(machine, script));
  RUNCTL_TRY_LET(auto report, read_run_report(machine.instance, record));
  const auto at = [&](std::string_view name) {
    return static_cast<std::uint64_t>(
        std::max<std::int64_t>(integer_at(record, name).value_or(0), 0));
  };
  RunDetails details{
      .run = std::move(report), .log_size = at("log_size"), .free_bytes = at("free_bytes")};
  if (const auto* known = object_at(record, "details")) details.record = *known;
  return details;
}

Result<std::string> keep_run(const Machine& machine, const RunId& id) {
  RUNCTL_TRY_LET(const auto record,
                 run_script(machine, {.name = "keep_run", .parameters = {{"RUN_ID", id.str()}}}));
  return string_at(record, "directory").value_or("");
}

Result<std::vector<UnfinishedRun>> unfinished_runs(const Machine& machine) {
  RUNCTL_TRY_LET(const auto record, run_script(machine, {.name = "unfinished_runs"}));
  std::vector<UnfinishedRun> runs;
  const auto* const entries = array_at(record, "runs");
  if (entries == nullptr) return runs;
  runs.reserve(entries->size());
  for (const auto& entry : *entries) {
    RUNCTL_TRY_LET(auto id, RunId::parse(string_at(entry, "run_id").value_or("")));
    runs.push_back({.id = std::move(id),
                    .is_running = string_at(entry, "state") == "running",
                    .is_unsent = boolean_at(entry, "unsent").value_or(true),
                    .is_only_here = boolean_at(entry, "only_here").value_or(true)});
  }
  return runs;
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
      RUNCTL_TRY_LET(auto report, read_run_report(machine.instance, entry));
      runs.push_back(std::move(report));
    }
  }
  return runs;
}

}  // namespace runctl::node
