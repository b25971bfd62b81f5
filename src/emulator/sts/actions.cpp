#include "emulator/sts/actions.hpp"

#include <fmt/format.h>

namespace runctl::emulator::sts {

Result<aws::sts::GetCallerIdentityResponse> get_caller_identity(
    ec2::Turn& turn, const aws::sts::GetCallerIdentityRequest&) {
  const std::string& account = turn.place.account;
  return aws::sts::GetCallerIdentityResponse{
      .user_id = "AIDAEMULATOR",
      .account = account,
      .arn = fmt::format("arn:aws:iam::{}:user/emulator", account)};
}

}  // namespace runctl::emulator::sts
