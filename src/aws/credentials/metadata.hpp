// What the surroundings of a process say: a machine's metadata service, a container's credentials.
#pragma once

#include <string>

#include "aws/credentials/fetch.hpp"

namespace runctl::aws {

// One request of a service beside us, asked again when it does not answer or answers with 5xx.
struct Asking {
  int attempts = 1;
  std::chrono::milliseconds timeout{1'000};  // of one attempt
};
[[nodiscard]] Result<HttpResponse> ask_beside(const HttpRequest& request, const Asking& asking,
                                              const CredentialServices& services,
                                              const CallOptions& options);

// Through IMDSv2 only: version 1 can be reached by a request that somebody else forged.
// Errors: `role.otherwise` when there is no service, or no role; denied when the role gives none.
[[nodiscard]] Result<Credentials> instance_credentials(const InstanceRole& role,
                                                       const CredentialServices& services,
                                                       const CallOptions& options);

// The region of the machine that we run on, from the same service. Errors: not_found when there is
// none.
[[nodiscard]] Result<std::string> instance_region(const std::string& endpoint,
                                                  const CredentialServices& services,
                                                  const CallOptions& options);

[[nodiscard]] Result<Credentials> container_credentials(const ContainerRole& role,
                                                        const CredentialServices& services,
                                                        const CallOptions& options);

}  // namespace runctl::aws
