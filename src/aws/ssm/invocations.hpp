// What became of commands on each machine, and ending them. The model gives members no
// locationNames.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aws/operation.hpp"
#include "aws/shape.hpp"

namespace runctl::aws::ssm {

// The model writes these two small.
struct CommandFilter {
  std::string key = {};  // InvokedAfter, InvokedBefore, Status, ExecutionStage, DocumentName
  std::string value = {};
  static constexpr auto shape = describe("CommandFilter", field("key", &CommandFilter::key),
                                         field("value", &CommandFilter::value));
};

struct ListCommandInvocationsRequest {
  std::string command_id = {};
  std::string instance_id = {};
  std::optional<std::int64_t> max_results = {};
  std::string next_token = {};
  std::vector<CommandFilter> filters = {};
  std::optional<bool> details = {};  // with the output of each step
  static constexpr auto shape =
      describe("ListCommandInvocationsRequest",
               field("CommandId", &ListCommandInvocationsRequest::command_id),
               field("InstanceId", &ListCommandInvocationsRequest::instance_id),
               field("MaxResults", &ListCommandInvocationsRequest::max_results),
               field("NextToken", &ListCommandInvocationsRequest::next_token),
               field("Filters", &ListCommandInvocationsRequest::filters),
               field("Details", &ListCommandInvocationsRequest::details));
};

struct CommandPlugin {
  std::string name = {};
  std::string status = {};
  std::string status_details = {};
  std::optional<std::int64_t> response_code = {};
  std::optional<Timestamp> response_start_date_time = {};
  std::optional<Timestamp> response_finish_date_time = {};
  std::optional<std::string> output = {};  // of both streams, the first 2,500 characters
  static constexpr auto shape = describe(
      "CommandPlugin", field("Name", &CommandPlugin::name), field("Status", &CommandPlugin::status),
      field("StatusDetails", &CommandPlugin::status_details),
      field("ResponseCode", &CommandPlugin::response_code),
      field("ResponseStartDateTime", &CommandPlugin::response_start_date_time),
      field("ResponseFinishDateTime", &CommandPlugin::response_finish_date_time),
      field("Output", &CommandPlugin::output));
};

struct CommandInvocation {
  std::string command_id = {};
  std::string instance_id = {};
  std::string instance_name = {};
  std::string comment = {};
  std::string document_name = {};
  std::string document_version = {};
  std::optional<Timestamp> requested_date_time = {};
  std::string status = {};
  std::string status_details = {};
  std::vector<CommandPlugin> command_plugins = {};
  static constexpr auto shape =
      describe("CommandInvocation", field("CommandId", &CommandInvocation::command_id),
               field("InstanceId", &CommandInvocation::instance_id),
               field("InstanceName", &CommandInvocation::instance_name),
               field("Comment", &CommandInvocation::comment),
               field("DocumentName", &CommandInvocation::document_name),
               field("DocumentVersion", &CommandInvocation::document_version),
               field("RequestedDateTime", &CommandInvocation::requested_date_time),
               field("Status", &CommandInvocation::status),
               field("StatusDetails", &CommandInvocation::status_details),
               field("CommandPlugins", &CommandInvocation::command_plugins));
};

struct ListCommandInvocationsResult {
  std::vector<CommandInvocation> command_invocations = {};
  std::string next_token = {};
  static constexpr auto shape =
      describe("ListCommandInvocationsResult",
               field("CommandInvocations", &ListCommandInvocationsResult::command_invocations),
               field("NextToken", &ListCommandInvocationsResult::next_token));
};

struct CancelCommandRequest {
  std::string command_id = {};
  std::vector<std::string> instance_ids = {};  // none: on every machine
  static constexpr auto shape =
      describe("CancelCommandRequest", field("CommandId", &CancelCommandRequest::command_id),
               field("InstanceIds", &CancelCommandRequest::instance_ids));
};

struct CancelCommandResult {
  static constexpr auto shape = describe("CancelCommandResult");
};

struct ListCommandInvocations {
  using Request = ListCommandInvocationsRequest;
  using Response = ListCommandInvocationsResult;
  static constexpr OperationInfo info{ssm_service, "ListCommandInvocations", Idempotent::yes};
};
// A command that has ended stays as it is: asking twice is asking once.
struct CancelCommand {
  using Request = CancelCommandRequest;
  using Response = CancelCommandResult;
  static constexpr OperationInfo info{ssm_service, "CancelCommand", Idempotent::yes};
};

}  // namespace runctl::aws::ssm
