#include "node/ssm_shell.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "aws/ssm/invocations.hpp"
#include "aws/ssm/shapes.hpp"

namespace runctl::node {
namespace {

namespace ssm = aws::ssm;

// SSM delivers within seconds or not at all; its own least value.
constexpr std::chrono::seconds delivery_timeout{30};
// What an answer may take beyond the script's own time: delivery, and SSM's bookkeeping.
constexpr std::chrono::seconds grace = delivery_timeout + std::chrono::seconds{30};

// How long it is looked whether a command that was cancelled has ended, and what may be asked for
// it.
constexpr std::chrono::seconds cancel_time{10};
// Source: Systems Manager User Guide, "Understanding command outputs": the first 24,000 characters.
constexpr std::size_t output_limit = 24'000;

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
    ShellOutcome outcome{.exit_status = static_cast<int>(seen.response_code.value_or(-1)),
                         .out = seen.standard_output_content.value_or(""),
                         .err = seen.standard_error_content.value_or("")};
    outcome.cut = outcome.out.size() >= output_limit;
    return outcome;
  }
  Error error{.code = Errc::deadline_exceeded, .effect = Effect::unknown};
  if (seen.status_details == "Delivery Timed Out" || seen.status_details == "DeliveryTimedOut" ||
      seen.status_details == "Undeliverable") {
    error.effect = Effect::not_applied;
    return agent_is_silent(instance, std::move(error));
  }
  if (seen.status == "Cancelled") {
    error.code = Errc::cancelled;
    // Cancelled before the agent had fetched it.
    if (seen.execution_start_date_time.value_or("").empty()) error.effect = Effect::not_applied;
  }
  error.message =
      fmt::format("a command on instance {} ended as '{}'", instance, seen.status_details);
  return std::unexpected{std::move(error)};
}

bool may_answer_later(const Error& error) {
  return error.code == Errc::unavailable || error.code == Errc::throttled ||
         (error.remote && error.remote->code == "InvocationDoesNotExist");
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
  auto sent = aws_.change<ssm::SendCommand>(
      {.instance_ids = {instance.str()},
       .document_name = "AWS-RunShellScript",
       .timeout_seconds = delivery_timeout.count(),
       .comment = "runctl",
       .parameters = {{"commands", {script}},
                      {"executionTimeout", {std::to_string(timeout.count())}}}},
      {.deadline = deadline, .stop = stop});
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
  const Sent command{.instance = instance, .id = sent->command->command_id};
  auto outcome = follow(command, {.deadline = deadline, .stop = stop});
  if (outcome || !gave_up(outcome.error())) return outcome;
  return cancel(command, std::move(outcome).error());
}

Result<ShellOutcome> SsmShell::follow(const Sent& command, const aws::CallOptions& options) {
  using std::chrono::milliseconds;
  constexpr milliseconds longest{2'000};
  const auto began = clock_.ticks();
  milliseconds delay{10};
  while (clock_.ticks() < options.deadline) {
    RUNCTL_TRY(clock_.sleep_until(clock_.ticks() + delay, options.stop));
    // Most of our scripts end within 100 ms. The end of a longer one is seen late by an eighth of
    // its time at most; one that takes long is asked for every two seconds.
    const auto elapsed = std::chrono::duration_cast<milliseconds>(clock_.ticks() - began);
    delay = std::clamp(elapsed / 8, std::min(delay * 2, milliseconds{40}), longest);
    auto seen = aws_.call<ssm::GetCommandInvocation>(
        {.command_id = command.id, .instance_id = command.instance.str()}, options);
    if (!seen && may_answer_later(seen.error())) continue;
    if (!seen) {
      seen.error().effect = Effect::unknown;
      return std::unexpected{std::move(seen).error()};
    }
    RUNCTL_TRY_LET(auto outcome, judge(command.instance, *seen));
    if (outcome) return *std::move(outcome);
  }
  return fail(Errc::deadline_exceeded,
              fmt::format("a command on instance {} did not end in time", command.instance));
}

bool SsmShell::gave_up(const Error& error) {
  // Not what SSM said of a command that has ended.
  const bool ours = error.code == Errc::deadline_exceeded || error.code == Errc::cancelled;
  return ours && !error.message.contains("ended as");
}

Result<ShellOutcome> SsmShell::cancel(const Sent& command, Error why) {
  // What was requested to stop is the command, not its end.
  const aws::CallOptions options{.deadline = clock_.ticks() + cancel_time};
  why.effect = Effect::unknown;
  const auto asked = aws_.change<ssm::CancelCommand>(
      {.command_id = command.id, .instance_ids = {command.instance.str()}}, options);
  if (!asked) {
    why.message += fmt::format("; it could not be cancelled ({}) and ends at its own time-out",
                               asked.error().message);
    return std::unexpected{std::move(why)};
  }
  auto outcome = follow(command, options);
  // It was faster than we.
  if (outcome) return outcome;
  const auto& ended = outcome.error();
  if (ended.code == Errc::cancelled) {
    why.effect = ended.effect;
    why.message += ended.effect == Effect::not_applied ? "; it was cancelled before it began"
                                                       : "; it was ended there";
  } else {
    why.message += "; it was asked to end, and whether it has is not known";
  }
  return std::unexpected{std::move(why)};
}

Result<bool> SsmShell::is_reachable(const InstanceId& instance, const std::stop_token& stop) {
  RUNCTL_TRY_LET(
      const auto answer,
      aws_.call<ssm::DescribeInstanceInformation>(
          {.filters = {{.key = "InstanceIds", .values = {instance.str()}}}}, {.stop = stop}));
  return std::ranges::any_of(answer.instance_information_list, [&](const auto& information) {
    return information.instance_id == instance.str() && information.ping_status == "Online";
  });
}

}  // namespace runctl::node
