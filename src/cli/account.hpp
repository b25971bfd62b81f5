// Whose account a command uses: the emulator's or AWS's, its region and its credentials.
#pragma once

#include <string>

#include "aws/client.hpp"
#include "aws/credentials.hpp"
#include "aws/credentials/plan.hpp"
#include "aws/endpoint.hpp"
#include "base/result.hpp"
#include "cli/context.hpp"

namespace runctl::cli {

// With the emulator: --region, AWS_REGION, else us-east-1. Its credentials and endpoint are its
// own.
[[nodiscard]] aws::Resolved region_on_emulator(const Context& context);

// What reaches the emulator. Whatever AWS's files say, it takes its own key: real credentials are
// never sent to it.
struct EmulatorAccess {
  std::string endpoint = {};
  std::string region = {};
  aws::Credentials credentials;
};

// The embedded emulator, which is started when it does not run; a line on standard error says that
// it is used. Errors: those of the emulator.
[[nodiscard]] Result<EmulatorAccess> use_emulator(Context& context);

// The region that somebody names; else, as AWS's tools, a rented machine takes its own. Errors:
// invalid_argument when there is none.
[[nodiscard]] Result<std::string> region_of(Context& context, const aws::AccountSources& sources);

// Gets the credentials of a plan, again whenever it is called. Borrows the context.
[[nodiscard]] aws::GetCredentials credentials_of(Context& context, aws::CredentialPlan plan);

// With the deadline of --timeout, counted from now.
[[nodiscard]] aws::CallOptions call_options(const Context& context);

}  // namespace runctl::cli
