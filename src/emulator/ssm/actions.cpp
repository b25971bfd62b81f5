#include "emulator/ssm/actions.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "emulator/ec2/filters.hpp"
#include "emulator/refusal.hpp"
#include "emulator/ssm/agent.hpp"
#include "emulator/ssm/document.hpp"
#include "io/random.hpp"

namespace runctl::emulator::ssm {
namespace {

namespace wire = aws::ssm;

// A document may have 64 KB, and its parameters become part of it.
// Source: AWS General Reference, "AWS Systems Manager endpoints and quotas";
// MaxDocumentSizeExceeded.
constexpr std::size_t most_parameter_bytes = std::size_t{64} << 10U;
// Source: AWS-RunShellScript, executionTimeout: default 3600, at most 172800 seconds.
constexpr std::int64_t default_timeout = 3'600;
constexpr std::int64_t most_timeout = 172'800;
// Source: SendCommandRequest in the model: InstanceIds up to 50; TimeoutSeconds 30 to 2592000.
constexpr std::size_t most_instances = 50;
constexpr std::int64_t default_delivery = 3'600;
// SSM forgets commands after 30 days; here the oldest go once there are so many.
constexpr std::size_t most_commands = 1'000;

std::unexpected<Error> invalid_instance(std::string_view id) {
  return refuse("InvalidInstanceId",
                fmt::format("Instances [[{}]] not in a valid state for account", id));
}

Result<std::string> only_value(const wire::SendCommandRequest& request, const std::string& name) {
  const auto at = request.parameters.find(name);
  if (at == request.parameters.end()) return std::string{};
  if (at->second.size() == 1) return at->second.front();
  return refuse("InvalidParameters", fmt::format("Parameter {} takes one value", name));
}

Result<void> check_document(const wire::SendCommandRequest& request) {
  if (request.document_name != shell_document) {
    return refuse("InvalidDocument",
                  fmt::format("Document with name {} does not exist.", request.document_name));
  }
  constexpr std::array<std::string_view, 4> versions{"", "1", "$DEFAULT", "$LATEST"};
  if (std::ranges::find(versions, request.document_version) == versions.end()) {
    return refuse("InvalidDocumentVersion",
                  fmt::format("Document version {} does not exist.", request.document_version));
  }
  std::size_t bytes = 0;
  constexpr std::array<std::string_view, 3> known{"commands", "workingDirectory",
                                                  "executionTimeout"};
  for (const auto& [name, values] : request.parameters) {
    if (std::ranges::find(known, name) == known.end()) {
      return refuse("InvalidParameters",
                    fmt::format("Parameter {} is not defined in the document", name));
    }
    for (const std::string& value : values) bytes += value.size();
  }
  if (bytes > most_parameter_bytes) {
    return refuse(
        "MaxDocumentSizeExceeded",
        fmt::format("The parameters have {} bytes, more than {}", bytes, most_parameter_bytes));
  }
  return {};
}

Result<MachineCommand> script_of(const wire::SendCommandRequest& request) {
  RUNCTL_TRY(check_document(request));
  const auto commands = request.parameters.find("commands");
  if (commands == request.parameters.end() || commands->second.empty()) {
    return refuse("InvalidParameters", "Parameter commands is required");
  }
  RUNCTL_TRY_LET(std::string directory, only_value(request, "workingDirectory"));
  RUNCTL_TRY_LET(const std::string timeout, only_value(request, "executionTimeout"));
  std::int64_t seconds = default_timeout;
  if (!timeout.empty()) {
    const char* const end = timeout.data() + timeout.size();
    const auto [rest, error] = std::from_chars(timeout.data(), end, seconds);
    if (error != std::errc{} || rest != end || seconds < 1 || seconds > most_timeout) {
      return refuse("InvalidParameters",
                    fmt::format("Parameter executionTimeout takes 1 to {} seconds, not '{}'",
                                most_timeout, timeout));
    }
  }
  return MachineCommand{.script = join(commands->second, "\n"),
                        .working_directory = std::move(directory),
                        .timeout = std::chrono::seconds{seconds}};
}

Result<std::vector<InstanceId>> targets_of(const ec2::Turn& turn,
                                           const wire::SendCommandRequest& request) {
  if (request.instance_ids.empty() || request.instance_ids.size() > most_instances) {
    return refuse("InvalidInstanceId",
                  fmt::format("1 to {} instances can be named", most_instances));
  }
  std::vector<InstanceId> targets;
  std::set<std::string> seen;
  for (const std::string& text : request.instance_ids) {
    const auto id = InstanceId::parse(text);
    if (!id || !is_online(turn, *id)) return invalid_instance(text);
    if (!seen.insert(text).second) {
      return refuse("DuplicateInstanceId", fmt::format("The instance {} is named twice", text));
    }
    targets.push_back(*id);
  }
  return targets;
}

// The oldest that have ended make room.
void forget_old(ec2::State& state) {
  if (state.commands.all().size() < most_commands) return;
  const Command* oldest = nullptr;
  for (const auto& [id, command] : state.commands.all()) {
    const bool ended = std::ranges::all_of(command.invocations,
                                           [](const Invocation& i) { return i.ended.has_value(); });
    if (ended && (oldest == nullptr || command.requested < oldest->requested)) oldest = &command;
  }
  if (oldest != nullptr) state.commands.erase(std::string{oldest->id});
}

}  // namespace

Result<wire::SendCommandResult> send_command(ec2::Turn& turn,
                                             const wire::SendCommandRequest& request) {
  const std::int64_t delivery = request.timeout_seconds.value_or(default_delivery);
  if (delivery < 30 || delivery > 2'592'000) {
    return refuse("ValidationException", "TimeoutSeconds takes a value from 30 to 2592000");
  }
  RUNCTL_TRY_LET(const auto script, script_of(request));
  RUNCTL_TRY_LET(const auto targets, targets_of(turn, request));
  forget_old(turn.state);
  Command command{.id = random_uuid(turn.random),
                  .comment = request.comment,
                  .requested = turn.now,
                  .expires = turn.now + std::chrono::seconds{delivery},
                  .invocations = {}};
  for (const InstanceId& target : targets) {
    command.invocations.push_back({.instance = target.str()});
    turn.orders.emplace_back(
        ec2::RunCommand{command.id, target, script, agent_of(turn, target).delivery});
  }
  wire::SendCommandResult result;
  result.command = wire::Command{
      .command_id = command.id,
      .document_name = request.document_name,
      .document_version = request.document_version.empty() ? "$DEFAULT" : request.document_version,
      .comment = request.comment,
      .expires_after = command.expires,
      .parameters = request.parameters,
      .instance_ids = request.instance_ids,
      .requested_date_time = turn.now,
      .status = "Pending",
      .status_details = "Pending",
      .target_count = static_cast<std::int64_t>(targets.size()),
      .completed_count = 0,
      .error_count = 0,
      .timeout_seconds = delivery};
  const std::string id = command.id;
  turn.state.commands.put(id, std::move(command));
  return result;
}

Result<wire::DescribeInstanceInformationResult> describe_instance_information(
    ec2::Turn& turn, const wire::DescribeInstanceInformationRequest& request) {
  std::optional<std::set<std::string>> wanted;
  for (const auto& filter : request.filters) {
    if (filter.key != "InstanceIds") {
      return refuse("InvalidFilterKey", fmt::format("The emulator has no filter {}", filter.key));
    }
    std::set<std::string> ids{filter.values.begin(), filter.values.end()};
    for (const std::string& id : ids) {
      if (!InstanceId::parse(id)) {
        return refuse("InvalidInstanceInformationFilterValue",
                      fmt::format("'{}' is not an instance id", id));
      }
    }
    if (!wanted) wanted.emplace();
    wanted->merge(ids);
  }
  wire::DescribeInstanceInformationResult result;
  for (const auto& [id, instance] : turn.state.instances.all()) {
    if (!is_registered(instance) || (wanted && !wanted->contains(id.str()))) continue;
    result.instance_information_list.push_back(
        {.instance_id = id.str(),
         .ping_status = is_online(turn, id) ? "Online" : "ConnectionLost",
         .last_ping_date_time = turn.now,
         .agent_version = "3.3.0.0",
         .platform_type = "Linux",
         .platform_name = "Debian GNU/Linux",
         .resource_type = "EC2Instance",
         .computer_name = id.str()});
  }
  const auto key_of = [](const auto& i) -> const std::string& { return i.instance_id; };
  // Source: DescribeInstanceInformationRequest.MaxResults in the model: 5 to 50.
  auto next = ec2::cut_to_page(
      result.instance_information_list,
      {.max_results = request.max_results, .next_token = request.next_token, .most = 50}, key_of);
  if (!next && next.error().remote->code == "InvalidParameterValue") {
    next.error().remote->code = "ValidationException";
  }
  RUNCTL_TRY_LET(result.next_token, std::move(next));
  return result;
}

}  // namespace runctl::emulator::ssm
