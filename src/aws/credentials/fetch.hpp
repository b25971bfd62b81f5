// Getting credentials in the way that was planned.
#pragma once

#include <functional>
#include <string>

#include "aws/client.hpp"
#include "aws/credentials.hpp"
#include "aws/credentials/plan.hpp"
#include "base/result.hpp"
#include "io/clock.hpp"
#include "io/environment.hpp"
#include "io/http_transport.hpp"
#include "io/log.hpp"
#include "io/process.hpp"
#include "io/random.hpp"

namespace runctl::aws {

struct CredentialServices {
  HttpTransport& http;
  Process& process;
  Clock& clock;
  Random& random;
  Log& log;
  const Environment& environment;
  // Asks whoever sits at the terminal for one line. Empty when nobody does.
  std::function<std::string(const std::string& question)> ask = {};
};

// Asks, runs or reads what the plan says. Credentials of roles are shared with the AWS CLI through
// its cache (session_cache.hpp), so that an MFA code is asked for once. Errors: denied, with the
// way out, when they are refused, have ended or are not what the source is to give; the plan's
// own error when a machine has no role; unavailable, deadline_exceeded, cancelled. Thread safety:
// as that of `services`.
[[nodiscard]] Result<Credentials> fetch_credentials(const CredentialPlan& plan,
                                                    const CredentialServices& services,
                                                    const CallOptions& options = {});

}  // namespace runctl::aws
