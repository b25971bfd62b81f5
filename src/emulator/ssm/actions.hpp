// The actions of SSM: commands that really run on the emulated machines.
#pragma once

#include "aws/ssm/shapes.hpp"
#include "base/result.hpp"
#include "emulator/ec2/state.hpp"

namespace runctl::emulator::ssm {

[[nodiscard]] Result<aws::ssm::SendCommandResult> send_command(
    ec2::Turn& turn, const aws::ssm::SendCommandRequest& request);
[[nodiscard]] Result<aws::ssm::GetCommandInvocationResult> get_command_invocation(
    ec2::Turn& turn, const aws::ssm::GetCommandInvocationRequest& request);
[[nodiscard]] Result<aws::ssm::DescribeInstanceInformationResult> describe_instance_information(
    ec2::Turn& turn, const aws::ssm::DescribeInstanceInformationRequest& request);

// The machine is about to run the command. False when the time to deliver it has passed: it must
// not run.
[[nodiscard]] bool begin(ec2::Turn& turn, const ec2::RunCommand& order);

}  // namespace runctl::emulator::ssm
