// The actions of STS.
#pragma once

#include <string>

#include "aws/sts/shapes.hpp"
#include "base/result.hpp"
#include "emulator/ec2/state.hpp"

namespace runctl::emulator::sts {

// Who signed: the emulator has no users, so each access key id is one.
[[nodiscard]] Result<aws::sts::GetCallerIdentityResponse> get_caller_identity(
    ec2::Turn& turn, const aws::sts::GetCallerIdentityRequest& request);

}  // namespace runctl::emulator::sts
