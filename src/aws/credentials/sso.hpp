// IAM Identity Center: the token that `aws sso login` has left, and a role's credentials for it.
#pragma once

#include "aws/credentials/fetch.hpp"

namespace runctl::aws {

// A token of an [sso-session] that is about to end is renewed, and written back for AWS's tools.
// Errors: denied when there is no token or it has ended ("aws sso login" is the way out), or when
// the account or the role is not open to its owner.
// Source: botocore 1.43 credentials.py SSOCredentialFetcher, tokens.py SSOTokenProvider.
[[nodiscard]] Result<Credentials> sso_credentials(const SsoRole& role,
                                                  const CredentialServices& services,
                                                  const CallOptions& options);

}  // namespace runctl::aws
