// STS's structures and operations, as far as they are used.
#pragma once

#include <string>

#include "aws/operation.hpp"
#include "aws/shape.hpp"

namespace runctl::aws::sts {

struct GetCallerIdentityRequest {
  static constexpr auto shape = describe("GetCallerIdentityRequest");
};

struct GetCallerIdentityResponse {
  std::string user_id = {};
  std::string account = {};
  std::string arn = {};
  static constexpr auto shape =
      describe("GetCallerIdentityResponse", field("UserId", &GetCallerIdentityResponse::user_id),
               field("Account", &GetCallerIdentityResponse::account),
               field("Arn", &GetCallerIdentityResponse::arn));
};

struct GetCallerIdentity {
  using Request = GetCallerIdentityRequest;
  using Response = GetCallerIdentityResponse;
  static constexpr OperationInfo info{sts_service, "GetCallerIdentity", Idempotent::yes};
};

}  // namespace runctl::aws::sts
