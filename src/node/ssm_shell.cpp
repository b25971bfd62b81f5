#include "node/ssm_shell.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "aws/ssm/shapes.hpp"

namespace runctl::node {
namespace {

namespace ssm = aws::ssm;

// SSM delivers within seconds or not at all; its own least value.
constexpr std::chrono::seconds delivery_timeout{30};
// What an answer may take beyond the script's own time: delivery, and SSM's bookkeeping.
constexpr std::chrono::seconds grace = delivery_timeout + std::chrono::seconds{30};

std::unexpected<Error> agent_is_silent(const InstanceId& instance, Error cause) {
  cause.code = Errc::unavailable;
  cause.message = fmt::format("the SSM agent of instance {} does not answer", instance);
  cause.hint = fmt::format(
      "It takes a minute after a start (runctl aws wait {}). If it stays so, the instance needs an "
      "IAM instance "
      "profile with AmazonSSMManagedInstanceCore, and a way to the network.",
      instance);
  return std::unexpected{std::move(cause)};
}

// What SSM says of an invocation that has ended; nothing while it goes on.
// Source: Systems Manager User Guide, "Understanding command statuses".
Result<std::optional<ShellOutcome>> judge(const InstanceId& instance,
                                          const ssm::GetCommandInvocationResult& seen) {
  if (seen.status == "Pending" || seen.status == "InProgress" || seen.status == "Delayed" ||
      seen.status == "Cancelling") {
    return std::nullopt;
  }
  if (seen.status == "Success" || seen.status == "Failed") {
    return ShellOutcome{.exit_status = static_cast<int>(seen.response_code.value_or(-1)),
                        .out = seen.standard_output_content.value_or(""),
                        .err = seen.standard_error_content.value_or("")};
  }
  Error error{.code = Errc::deadline_exceeded, .effect = Effect::unknown};
  if (seen.status_details == "Delivery Timed Out" || seen.status_details == "DeliveryTimedOut" ||
      seen.status_details == "Undeliverable") {
    error.effect = Effect::not_applied;
    return agent_is_silent(instance, std::move(error));
  }
  if (seen.status == "Cancelled") error.code = Errc::cancelled;
  error.message =
      fmt::format("a command on instance {} ended as '{}'", instance, seen.status_details);
  return std::unexpected{std::move(error)};
}

}  // namespace

Result<ShellOutcome> SsmShell::run(const InstanceId& instance, const std::string& script,
                                   std::chrono::seconds timeout, const std::stop_token& stop) {
  if (script.size() > ssm_script_limit) {
    return fail(Errc::invalid_argument,
                fmt::format("a script of {} bytes is too long for SSM, which takes {}",
                            script.size(), ssm_script_limit));
  }
  const auto deadline = clock_.ticks() + timeout + grace;
  const aws::CallOptions options{.deadline = deadline, .stop = stop};
  auto sent = aws_.change<ssm::SendCommand>(
      {.instance_ids = {instance.str()},
       .document_name = "AWS-RunShellScript",
       .timeout_seconds = delivery_timeout.count(),
       .comment = "runctl",
       .parameters = {{"commands", {script}},
                      {"executionTimeout", {std::to_string(timeout.count())}}}},
      options);
  if (!sent) {
    const auto& remote = sent.error().remote;
    if (remote && remote->code == "InvalidInstanceId") {
      return agent_is_silent(instance, std::move(sent).error());
    }
    return std::unexpected{std::move(sent).error()};
  }
  if (!sent->command || sent->command->command_id.empty()) {
    return fail(Errc::corrupt, "SSM's answer to SendCommand has no command id");
  }

  const ssm::GetCommandInvocationRequest question{.command_id = sent->command->command_id,
                                                  .instance_id = instance.str()};
  // Most of our scripts end within 100 ms; a long one is asked for every two seconds.
  std::chrono::milliseconds delay{10};
  while (clock_.ticks() < deadline) {
    RUNCTL_TRY(clock_.sleep_until(clock_.ticks() + delay, stop));
    delay = std::min<std::chrono::milliseconds>(delay * 2, std::chrono::seconds{2});
    auto seen = aws_.call<ssm::GetCommandInvocation>(question, options);
    const bool too_early =
        !seen && seen.error().remote && seen.error().remote->code == "InvocationDoesNotExist";
    if (too_early) continue;
    if (!seen) {
      seen.error().effect = Effect::unknown;
      return std::unexpected{std::move(seen).error()};
    }
    RUNCTL_TRY_LET(auto outcome, judge(instance, *seen));
    if (outcome) return *std::move(outcome);
  }
  auto late = fail(Errc::deadline_exceeded,
                   fmt::format("a command on instance {} did not end in time", instance));
  late.error().effect = Effect::unknown;
  return late;
}

Result<bool> is_agent_online(aws::Client& aws, const InstanceId& instance,
                             const aws::CallOptions& options) {
  RUNCTL_TRY_LET(const auto answer,
                 aws.call<ssm::DescribeInstanceInformation>(
                     {.filters = {{.key = "InstanceIds", .values = {instance.str()}}}}, options));
  return std::ranges::any_of(answer.instance_information_list, [&](const auto& information) {
    return information.instance_id == instance.str() && information.ping_status == "Online";
  });
}

}  // namespace runctl::node
