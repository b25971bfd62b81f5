// What became of commands, and ending them.
#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "emulator/ec2/filters.hpp"
#include "emulator/refusal.hpp"
#include "emulator/ssm/actions.hpp"
#include "emulator/ssm/agent.hpp"
#include "emulator/ssm/document.hpp"

namespace runctl::emulator::ssm {
namespace {

namespace wire = aws::ssm;

constexpr std::size_t id_length = 36;
// Source: CommandPluginOutput in the model.
constexpr std::size_t most_listed_output = 2'500;

std::string elapsed(const Invocation& invocation) {
  if (!invocation.started || !invocation.ended) return "";
  const double seconds =
      static_cast<double>((*invocation.ended - *invocation.started).count()) / 1'000;
  return fmt::format("PT{:g}S", seconds);
}

Result<void> check_command_id(std::string_view id) {
  if (id.size() == id_length) return {};
  return refuse("InvalidCommandId", fmt::format("'{}' is not a command id", id));
}

wire::CommandPlugin plugin_of(const Invocation& invocation) {
  std::string output = invocation.out;
  if (!invocation.err.empty()) output += "\n----------ERROR-------\n" + invocation.err;
  if (output.size() > most_listed_output) output.resize(most_listed_output);
  return {.name = std::string{shell_plugin},
          .status = invocation.status,
          .status_details = invocation.details,
          .response_code = invocation.response_code,
          .response_start_date_time = invocation.started,
          .response_finish_date_time = invocation.ended,
          .output = std::move(output)};
}

wire::CommandInvocation view_of(const Command& command, const Invocation& invocation,
                                bool with_details) {
  wire::CommandInvocation view{.command_id = command.id,
                               .instance_id = invocation.instance,
                               .comment = command.comment,
                               .document_name = std::string{shell_document},
                               .document_version = "$DEFAULT",
                               .requested_date_time = command.requested,
                               .status = invocation.status,
                               .status_details = invocation.details};
  if (with_details) view.command_plugins.push_back(plugin_of(invocation));
  return view;
}

Result<Timestamp> time_in(const wire::CommandFilter& filter) {
  if (auto time = parse_iso8601(filter.value)) return *std::move(time);
  return refuse("ValidationException",
                fmt::format("The value of the filter {} is no time in ISO 8601: '{}'", filter.key,
                            filter.value));
}

// Whether the filter lets it through. Source: CommandFilter in the SSM API reference.
Result<bool> passes(const wire::CommandFilter& filter, const wire::CommandInvocation& view) {
  if (filter.key == "Status") return view.status == filter.value;
  if (filter.key == "DocumentName") return view.document_name == filter.value;
  if (filter.key == "InvokedAfter" || filter.key == "InvokedBefore") {
    RUNCTL_TRY_LET(const Timestamp time, time_in(filter));
    return filter.key == "InvokedAfter" ? *view.requested_date_time > time
                                        : *view.requested_date_time < time;
  }
  if (filter.key == "ExecutionStage") {
    const bool runs = view.status == "Pending" || view.status == "InProgress" ||
                      view.status == "Cancelling" || view.status == "Delayed";
    return filter.value == (runs ? "Executing" : "Complete");
  }
  return refuse("InvalidFilterKey", fmt::format("There is no filter {}", filter.key));
}

Result<bool> passes(const wire::ListCommandInvocationsRequest& request,
                    const wire::CommandInvocation& view) {
  if (!request.command_id.empty() && view.command_id != request.command_id) return false;
  if (!request.instance_id.empty() && view.instance_id != request.instance_id) return false;
  for (const wire::CommandFilter& filter : request.filters) {
    RUNCTL_TRY_LET(const bool ok, passes(filter, view));
    if (!ok) return false;
  }
  return true;
}

// The newest command first, in it by instance.
std::string order_of(const wire::CommandInvocation& view) {
  const auto age = INT64_MAX - view.requested_date_time->time_since_epoch().count();
  return fmt::format("{:020}/{}/{}", age, view.command_id, view.instance_id);
}

// The invocation that a request means, where the command has it.
Invocation* find_invocation(Command& command, const InstanceId& instance) {
  const auto at = std::ranges::find(command.invocations, instance.str(), &Invocation::instance);
  return at == command.invocations.end() ? nullptr : &*at;
}

void end(Invocation& invocation, Timestamp now, std::string_view status, std::string_view details) {
  invocation.ended = now;
  invocation.status = status;
  invocation.details = details;
}

}  // namespace

Result<wire::GetCommandInvocationResult> get_command_invocation(
    ec2::Turn& turn, const wire::GetCommandInvocationRequest& request) {
  if (!request.plugin_name.empty() && request.plugin_name != shell_plugin) {
    return refuse("InvalidPluginName",
                  fmt::format("The command has no plugin {}", request.plugin_name));
  }
  RUNCTL_TRY(check_command_id(request.command_id));
  const Command* const command = turn.state.commands.find(request.command_id);
  const auto missing = [] { return refuse("InvocationDoesNotExist", ""); };
  if (command == nullptr) return missing();
  const auto at =
      std::ranges::find(command->invocations, request.instance_id, &Invocation::instance);
  if (at == command->invocations.end()) return missing();
  const auto text = [](const std::optional<Timestamp>& time) { return time ? iso8601(*time) : ""; };
  return wire::GetCommandInvocationResult{.command_id = command->id,
                                          .instance_id = at->instance,
                                          .comment = command->comment,
                                          .document_name = std::string{shell_document},
                                          .document_version = "$DEFAULT",
                                          .plugin_name = std::string{shell_plugin},
                                          .response_code = at->response_code,
                                          .execution_start_date_time = text(at->started),
                                          .execution_elapsed_time = elapsed(*at),
                                          .execution_end_date_time = text(at->ended),
                                          .status = at->status,
                                          .status_details = at->details,
                                          .standard_output_content = at->out,
                                          .standard_output_url = "",
                                          .standard_error_content = at->err,
                                          .standard_error_url = ""};
}

Result<wire::ListCommandInvocationsResult> list_command_invocations(
    ec2::Turn& turn, const wire::ListCommandInvocationsRequest& request) {
  if (!request.command_id.empty()) RUNCTL_TRY(check_command_id(request.command_id));
  if (!request.instance_id.empty() && !InstanceId::parse(request.instance_id)) {
    return refuse("InvalidInstanceId",
                  fmt::format("'{}' is not an instance id", request.instance_id));
  }
  wire::ListCommandInvocationsResult result;
  for (const auto& [id, command] : turn.state.commands.all()) {
    for (const Invocation& invocation : command.invocations) {
      auto view = view_of(command, invocation, request.details.value_or(false));
      RUNCTL_TRY_LET(const bool ok, passes(request, view));
      if (ok) result.command_invocations.push_back(std::move(view));
    }
  }
  std::ranges::sort(result.command_invocations, {}, order_of);
  // Source: CommandMaxResults in the model.
  auto next = ec2::cut_to_page(result.command_invocations,
                               {.max_results = request.max_results,
                                .next_token = request.next_token,
                                .least = 1,
                                .most = 50},
                               order_of);
  if (!next && next.error().remote->code == "InvalidParameterValue") {
    next.error().remote->code = "ValidationException";
  }
  RUNCTL_TRY_LET(result.next_token, std::move(next));
  return result;
}

Result<wire::CancelCommandResult> cancel_command(ec2::Turn& turn,
                                                 const wire::CancelCommandRequest& request) {
  RUNCTL_TRY(check_command_id(request.command_id));
  if (turn.state.commands.find(request.command_id) == nullptr) {
    return refuse("InvalidCommandId",
                  fmt::format("There is no command {} in this account", request.command_id));
  }
  Command& command = turn.state.commands.edit(request.command_id);
  std::set<std::string> wanted;
  for (const std::string& text : request.instance_ids) {
    const auto id = InstanceId::parse(text);
    if (!id || find_invocation(command, *id) == nullptr) {
      return refuse("InvalidInstanceId",
                    fmt::format("The command was not sent to instance '{}'", text));
    }
    if (!wanted.insert(text).second) {
      return refuse("DuplicateInstanceId", fmt::format("The instance {} is named twice", text));
    }
  }
  for (Invocation& invocation : command.invocations) {
    const bool meant = wanted.empty() || wanted.contains(invocation.instance);
    if (!meant || has_ended(invocation)) continue;
    if (invocation.started) {
      invocation.status = invocation.details = "Cancelling";
    } else {
      end(invocation, turn.now, "Cancelled", "Cancelled");
    }
    turn.orders.emplace_back(ec2::StopCommand{command.id, *InstanceId::parse(invocation.instance)});
  }
  return wire::CancelCommandResult{};
}

Readiness begin(ec2::Turn& turn, const ec2::RunCommand& order) {
  const Command* const seen = turn.state.commands.find(order.command);
  if (seen == nullptr || turn.now > seen->expires) return Readiness::never;
  const auto at = std::ranges::find(seen->invocations, order.instance.str(), &Invocation::instance);
  if (at == seen->invocations.end() || has_ended(*at)) return Readiness::never;
  const ec2::Instance* const instance = turn.state.instances.find(order.instance);
  if (instance != nullptr && agent_of(turn, order.instance).offline) return Readiness::later;
  Invocation& invocation =
      *find_invocation(turn.state.commands.edit(order.command), order.instance);
  invocation.status = "InProgress";
  invocation.details = "InProgress";
  invocation.started = turn.now;
  return Readiness::now;
}

void conclude(ec2::Turn& turn, const ec2::RunCommand& order, const ec2::Report& report) {
  if (turn.state.commands.find(order.command) == nullptr) return;
  Invocation* const invocation =
      find_invocation(turn.state.commands.edit(order.command), order.instance);
  if (invocation == nullptr || has_ended(*invocation)) return;
  const bool cancelled = invocation->status == "Cancelling";
  invocation->out = report.outcome.out;
  invocation->err = report.outcome.err;
  if (cancelled) {
    end(*invocation, turn.now, "Cancelled", "Cancelled");
  } else if (report.error) {
    const bool late = report.error->code == Errc::deadline_exceeded;
    end(*invocation, turn.now, late ? "TimedOut" : "Failed",
        late ? "Delivery Timed Out" : "Failed");
    invocation->err = late ? "" : report.error->message;
  } else if (report.outcome.timed_out) {
    end(*invocation, turn.now, "TimedOut", "Execution Timed Out");
  } else {
    const std::string_view status = report.outcome.exit_status == 0 ? "Success" : "Failed";
    end(*invocation, turn.now, status, status);
    invocation->response_code = report.outcome.exit_status.value_or(-1);
  }
}

}  // namespace runctl::emulator::ssm
