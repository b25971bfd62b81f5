// SSM's structures and operations, as far as they are used. The model gives their members no
// locationNames.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "aws/operation.hpp"
#include "aws/shape.hpp"

namespace runctl::aws::ssm {

struct SendCommandRequest {
  std::vector<std::string> instance_ids = {};
  std::string document_name = {};
  std::string document_version = {};
  std::optional<std::int64_t> timeout_seconds = {};  // to start, not to run: that is a parameter
  std::string comment = {};
  std::map<std::string, std::vector<std::string>> parameters = {};
  static constexpr auto shape =
      describe("SendCommandRequest", field("InstanceIds", &SendCommandRequest::instance_ids),
               field("DocumentName", &SendCommandRequest::document_name),
               field("DocumentVersion", &SendCommandRequest::document_version),
               field("TimeoutSeconds", &SendCommandRequest::timeout_seconds),
               field("Comment", &SendCommandRequest::comment),
               field("Parameters", &SendCommandRequest::parameters));
};

struct Command {
  std::string command_id = {};
  std::string document_name = {};
  std::string document_version = {};
  std::string comment = {};
  std::optional<Timestamp> expires_after = {};
  std::map<std::string, std::vector<std::string>> parameters = {};
  std::vector<std::string> instance_ids = {};
  std::optional<Timestamp> requested_date_time = {};
  std::string status = {};
  std::string status_details = {};
  std::optional<std::int64_t> target_count = {};
  std::optional<std::int64_t> completed_count = {};
  std::optional<std::int64_t> error_count = {};
  std::optional<std::int64_t> timeout_seconds = {};
  static constexpr auto shape = describe(
      "Command", field("CommandId", &Command::command_id),
      field("DocumentName", &Command::document_name),
      field("DocumentVersion", &Command::document_version), field("Comment", &Command::comment),
      field("ExpiresAfter", &Command::expires_after), field("Parameters", &Command::parameters),
      field("InstanceIds", &Command::instance_ids),
      field("RequestedDateTime", &Command::requested_date_time), field("Status", &Command::status),
      field("StatusDetails", &Command::status_details),
      field("TargetCount", &Command::target_count),
      field("CompletedCount", &Command::completed_count),
      field("ErrorCount", &Command::error_count),
      field("TimeoutSeconds", &Command::timeout_seconds));
};

struct SendCommandResult {
  std::optional<Command> command = {};
  static constexpr auto shape =
      describe("SendCommandResult", field("Command", &SendCommandResult::command));
};

struct GetCommandInvocationRequest {
  std::string command_id = {};
  std::string instance_id = {};
  std::string plugin_name = {};
  static constexpr auto shape = describe(
      "GetCommandInvocationRequest", field("CommandId", &GetCommandInvocationRequest::command_id),
      field("InstanceId", &GetCommandInvocationRequest::instance_id),
      field("PluginName", &GetCommandInvocationRequest::plugin_name));
};

struct GetCommandInvocationResult {
  std::string command_id = {};
  std::string instance_id = {};
  std::string comment = {};
  std::string document_name = {};
  std::string document_version = {};
  std::string plugin_name = {};
  std::optional<std::int64_t> response_code = {};
  std::optional<std::string> execution_start_date_time =
      {};                                                  // ISO 8601 text, empty before the start
  std::optional<std::string> execution_elapsed_time = {};  // ISO 8601 duration: "PT0.5S"
  std::optional<std::string> execution_end_date_time = {};
  std::string status = {};
  std::string status_details = {};
  std::optional<std::string> standard_output_content = {};
  std::optional<std::string> standard_output_url = {};
  std::optional<std::string> standard_error_content = {};
  std::optional<std::string> standard_error_url = {};
  static constexpr auto shape = describe(
      "GetCommandInvocationResult", field("CommandId", &GetCommandInvocationResult::command_id),
      field("InstanceId", &GetCommandInvocationResult::instance_id),
      field("Comment", &GetCommandInvocationResult::comment),
      field("DocumentName", &GetCommandInvocationResult::document_name),
      field("DocumentVersion", &GetCommandInvocationResult::document_version),
      field("PluginName", &GetCommandInvocationResult::plugin_name),
      field("ResponseCode", &GetCommandInvocationResult::response_code),
      field("ExecutionStartDateTime", &GetCommandInvocationResult::execution_start_date_time),
      field("ExecutionElapsedTime", &GetCommandInvocationResult::execution_elapsed_time),
      field("ExecutionEndDateTime", &GetCommandInvocationResult::execution_end_date_time),
      field("Status", &GetCommandInvocationResult::status),
      field("StatusDetails", &GetCommandInvocationResult::status_details),
      field("StandardOutputContent", &GetCommandInvocationResult::standard_output_content),
      field("StandardOutputUrl", &GetCommandInvocationResult::standard_output_url),
      field("StandardErrorContent", &GetCommandInvocationResult::standard_error_content),
      field("StandardErrorUrl", &GetCommandInvocationResult::standard_error_url));
};

struct InstanceInformationStringFilter {
  std::string key = {};
  std::vector<std::string> values = {};
  static constexpr auto shape = describe("InstanceInformationStringFilter",
                                         field("Key", &InstanceInformationStringFilter::key),
                                         field("Values", &InstanceInformationStringFilter::values));
};

struct DescribeInstanceInformationRequest {
  std::vector<InstanceInformationStringFilter> filters = {};
  std::optional<std::int64_t> max_results = {};
  std::string next_token = {};
  static constexpr auto shape =
      describe("DescribeInstanceInformationRequest",
               field("Filters", &DescribeInstanceInformationRequest::filters),
               field("MaxResults", &DescribeInstanceInformationRequest::max_results),
               field("NextToken", &DescribeInstanceInformationRequest::next_token));
};

struct InstanceInformation {
  std::string instance_id = {};
  std::string ping_status = {};
  std::optional<Timestamp> last_ping_date_time = {};
  std::string agent_version = {};
  std::string platform_type = {};
  std::string platform_name = {};
  std::string resource_type = {};
  std::string computer_name = {};
  static constexpr auto shape =
      describe("InstanceInformation", field("InstanceId", &InstanceInformation::instance_id),
               field("PingStatus", &InstanceInformation::ping_status),
               field("LastPingDateTime", &InstanceInformation::last_ping_date_time),
               field("AgentVersion", &InstanceInformation::agent_version),
               field("PlatformType", &InstanceInformation::platform_type),
               field("PlatformName", &InstanceInformation::platform_name),
               field("ResourceType", &InstanceInformation::resource_type),
               field("ComputerName", &InstanceInformation::computer_name));
};

struct DescribeInstanceInformationResult {
  std::vector<InstanceInformation> instance_information_list = {};
  std::string next_token = {};
  static constexpr auto shape =
      describe("DescribeInstanceInformationResult",
               field("InstanceInformationList",
                     &DescribeInstanceInformationResult::instance_information_list),
               field("NextToken", &DescribeInstanceInformationResult::next_token));
};

// A command's answer is fetched apart: sending twice runs it twice.
struct SendCommand {
  using Request = SendCommandRequest;
  using Response = SendCommandResult;
  static constexpr OperationInfo info{ssm_service, "SendCommand", Idempotent::no};
};
struct GetCommandInvocation {
  using Request = GetCommandInvocationRequest;
  using Response = GetCommandInvocationResult;
  static constexpr OperationInfo info{ssm_service, "GetCommandInvocation", Idempotent::yes};
};
struct DescribeInstanceInformation {
  using Request = DescribeInstanceInformationRequest;
  using Response = DescribeInstanceInformationResult;
  static constexpr OperationInfo info{ssm_service, "DescribeInstanceInformation", Idempotent::yes};
};

}  // namespace runctl::aws::ssm
