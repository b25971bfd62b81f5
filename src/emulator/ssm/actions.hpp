// The actions of SSM: commands that really run on the emulated machines.
#pragma once

#include <cstdint>

#include "aws/ssm/invocations.hpp"
#include "aws/ssm/shapes.hpp"
#include "base/result.hpp"
#include "emulator/ec2/state.hpp"

namespace runctl::emulator::ssm {

[[nodiscard]] Result<aws::ssm::SendCommandResult> send_command(
    ec2::Turn& turn, const aws::ssm::SendCommandRequest& request);
[[nodiscard]] Result<aws::ssm::GetCommandInvocationResult> get_command_invocation(
    ec2::Turn& turn, const aws::ssm::GetCommandInvocationRequest& request);
[[nodiscard]] Result<aws::ssm::ListCommandInvocationsResult> list_command_invocations(
    ec2::Turn& turn, const aws::ssm::ListCommandInvocationsRequest& request);
// What runs is told to end, and becomes Cancelled when it has; what waits never runs.
[[nodiscard]] Result<aws::ssm::CancelCommandResult> cancel_command(
    ec2::Turn& turn, const aws::ssm::CancelCommandRequest& request);
[[nodiscard]] Result<aws::ssm::DescribeInstanceInformationResult> describe_instance_information(
    ec2::Turn& turn, const aws::ssm::DescribeInstanceInformationRequest& request);

// Whether the command may be handed to the machine by now.
enum class Readiness : std::uint8_t {
  now,    // it is marked as running
  later,  // the machine's agent does not answer: ask again
  never,  // its time to be delivered has passed, or it was cancelled
};
[[nodiscard]] Readiness begin(ec2::Turn& turn, const ec2::RunCommand& order);

// Writes down what came of it. Source: Systems Manager User Guide, "Understanding command
// statuses".
void conclude(ec2::Turn& turn, const ec2::RunCommand& order, const ec2::Report& report);

}  // namespace runctl::emulator::ssm
