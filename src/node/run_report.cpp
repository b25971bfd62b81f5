#include "node/run_report.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/json.hpp"

namespace runctl::node {
namespace {

RunState read_state(std::string_view word) {
  constexpr auto states =
      std::to_array({RunState::running, RunState::succeeded, RunState::failed, RunState::stopped});
  const auto found =
      std::ranges::find_if(states, [&](RunState state) { return name_of(state) == word; });
  return found == states.end() ? RunState::lost : *found;
}

std::optional<std::chrono::sys_seconds> time_at(const boost::json::value& value,
                                                std::string_view name) {
  const auto seconds = integer_at(value, name).value_or(0);
  if (seconds <= 0) return std::nullopt;
  return std::chrono::sys_seconds{std::chrono::seconds{seconds}};
}

std::optional<StopRequest> stop_at(const boost::json::value& value) {
  const auto* object = object_at(value, "stop");
  if (object == nullptr) return std::nullopt;
  // In parentheses: braces would make it an array.
  const boost::json::value stop(*object);
  return StopRequest{.at = time_at(stop, "at"),
                     .signal = string_at(stop, "signal").value_or(""),
                     .by = string_at(stop, "by").value_or(""),
                     .killed = time_at(stop, "killed_at")};
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
    case RunState::stopped:
      return "stopped";
    case RunState::lost:
      return "lost";
  }
  std::unreachable();
}

Result<RunReport> read_run_report(const InstanceId& instance, const boost::json::value& value) {
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
                   .stop = stop_at(value),
                   .directory = string_at(value, "directory").value_or(""),
                   .already = boolean_at(value, "already").value_or(false),
                   .upload = read_upload(value)};
  if (const auto status = integer_at(value, "exit_status")) {
    report.exit_status = static_cast<int>(*status);
    if (*status > 128 && *status <= 128 + 64) report.signal = static_cast<int>(*status) - 128;
  }
  if (const auto* object = value.if_object(); object != nullptr && object->contains("record")) {
    const auto& record = object->at("record");
    report.command = string_at(record, "command").value_or("");
    report.checkpoint_directory = string_at(record, "checkpoint_directory").value_or("");
    report.git_commit = string_at(record, "git_commit").value_or("");
  }
  return report;
}

}  // namespace runctl::node
