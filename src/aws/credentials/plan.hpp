// How credentials are to be had: decided from the environment and AWS's shared files alone, before
// anything is asked or run.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "aws/credentials.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace runctl::aws {

struct CredentialPlan;

// A command that prints them.
struct CredentialProcess {
  std::string command;
};

// Where STS is asked.
struct StsPlace {
  std::string region;
  std::string endpoint;
};

struct RoleToAssume {
  StsPlace sts;
  std::string role_arn;
  std::optional<std::string> session_name = {};
  std::optional<std::string> external_id = {};
  std::optional<std::string> mfa_serial = {};
  std::optional<int> duration_seconds = {};
  std::shared_ptr<const CredentialPlan> source;  // who assumes it
};

struct WebIdentityRole {
  StsPlace sts;
  std::string token_file;
  std::string role_arn;
  std::optional<std::string> session_name = {};
};

// IAM Identity Center.
struct SsoRole {
  std::string account_id = {};
  std::string role_name = {};
  std::string start_url = {};
  std::string region = {};
  std::optional<std::string> session = {};  // [sso-session x]: its token can be renewed
  std::string portal_endpoint = {};         // gives credentials for a token
  std::string oidc_endpoint = {};           // gives a new token for an old one
};

// ECS tasks and EKS Pod Identity.
struct ContainerRole {
  std::string url;
  std::string token_file = {};  // read at each request: it is rotated
  std::optional<Secret> token = {};
};

// The role of the machine that we run on, from its metadata service.
struct InstanceRole {
  std::string endpoint;
  Error otherwise = {};  // the error when there is none: it says what else was looked at
};

struct CredentialPlan {
  std::variant<Credentials, CredentialProcess, RoleToAssume, WebIdentityRole, SsoRole,
               ContainerRole, InstanceRole>
      way;
  std::string origin = {};  // in words, as in Credentials
};

// In this order: --profile, else the environment's keys; then of the profile that --profile,
// AWS_PROFILE, the settings or nobody names: the role to assume, web identity (the environment's
// first), IAM Identity Center, keys of the credentials file, credential_process, keys of the config
// file; then the container's role, then the machine's.
//
// Errors: denied when there is nothing (the hint lists what was looked at), when keys are half set,
// or when the profile gets them in a way that is not supported (`login_session`);
// invalid_argument for a named profile that no file has, and for one that contradicts itself.
// Source: botocore 1.43 credentials.py, create_credential_resolver and ProfileProviderBuilder.
[[nodiscard]] Result<CredentialPlan> plan_credentials(const AccountSources& sources);

// Where a machine's metadata service is: AWS_EC2_METADATA_SERVICE_ENDPOINT[_MODE], the profile's
// ec2_metadata_service_endpoint[_mode], else 169.254.169.254. Nothing when
// AWS_EC2_METADATA_DISABLED is "true". No slash at the end.
[[nodiscard]] std::optional<std::string> metadata_endpoint(const AccountSources& sources);

}  // namespace runctl::aws
