// STS's structures and operations, as far as they are used.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "aws/operation.hpp"
#include "aws/shape.hpp"
#include "base/time_text.hpp"

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

// What a role's session signs with.
struct SessionCredentials {
  std::string access_key_id = {};
  std::string secret_access_key = {};
  std::string session_token = {};
  std::optional<Timestamp> expiration = {};
  static constexpr auto shape =
      describe("Credentials", field("AccessKeyId", &SessionCredentials::access_key_id),
               field("SecretAccessKey", &SessionCredentials::secret_access_key),
               field("SessionToken", &SessionCredentials::session_token),
               field("Expiration", &SessionCredentials::expiration));
};

struct AssumeRoleRequest {
  std::string role_arn = {};
  std::string role_session_name = {};
  std::optional<std::int64_t> duration_seconds = {};
  std::optional<std::string> external_id = {};
  std::optional<std::string> serial_number = {};
  std::optional<std::string> token_code = {};
  static constexpr auto shape =
      describe("AssumeRoleRequest", field("RoleArn", &AssumeRoleRequest::role_arn),
               field("RoleSessionName", &AssumeRoleRequest::role_session_name),
               field("DurationSeconds", &AssumeRoleRequest::duration_seconds),
               field("ExternalId", &AssumeRoleRequest::external_id),
               field("SerialNumber", &AssumeRoleRequest::serial_number),
               field("TokenCode", &AssumeRoleRequest::token_code));
};

struct AssumeRoleResponse {
  SessionCredentials credentials = {};
  static constexpr auto shape =
      describe("AssumeRoleResponse", field("Credentials", &AssumeRoleResponse::credentials));
};

struct AssumeRole {
  using Request = AssumeRoleRequest;
  using Response = AssumeRoleResponse;
  static constexpr OperationInfo info{sts_service, "AssumeRole", Idempotent::yes};
};

struct AssumeRoleWithWebIdentityRequest {
  std::string role_arn = {};
  std::string role_session_name = {};
  std::string web_identity_token = {};
  static constexpr auto shape =
      describe("AssumeRoleWithWebIdentityRequest",
               field("RoleArn", &AssumeRoleWithWebIdentityRequest::role_arn),
               field("RoleSessionName", &AssumeRoleWithWebIdentityRequest::role_session_name),
               field("WebIdentityToken", &AssumeRoleWithWebIdentityRequest::web_identity_token));
};

struct AssumeRoleWithWebIdentityResponse {
  SessionCredentials credentials = {};
  static constexpr auto shape =
      describe("AssumeRoleWithWebIdentityResponse",
               field("Credentials", &AssumeRoleWithWebIdentityResponse::credentials));
};

struct AssumeRoleWithWebIdentity {
  using Request = AssumeRoleWithWebIdentityRequest;
  using Response = AssumeRoleWithWebIdentityResponse;
  static constexpr OperationInfo info{sts_service, "AssumeRoleWithWebIdentity", Idempotent::yes,
                                      Signed::no};
};

struct GetCallerIdentity {
  using Request = GetCallerIdentityRequest;
  using Response = GetCallerIdentityResponse;
  static constexpr OperationInfo info{sts_service, "GetCallerIdentity", Idempotent::yes};
};

}  // namespace runctl::aws::sts
