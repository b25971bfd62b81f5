// RemoteShell over SSM Run Command: no open port and no key on the machine.
#pragma once

#include <string>

#include "aws/client.hpp"
#include "io/clock.hpp"
#include "node/remote_shell.hpp"

namespace runctl::node {

// SSM's document parameters are limited; a script above this is refused before it is sent.
// Source: AWS Systems Manager endpoints and quotas: documents are at most 64 KB.
inline constexpr std::size_t ssm_script_limit = 64'000;

// Borrows the client and the clock. Thread safety: as the client's.
class SsmShell final : public RemoteShell {
 public:
  SsmShell(aws::Client& aws, Clock& clock) : aws_{aws}, clock_{clock} {}

  // Sends the script once: SendCommand has no client token, and a script that ran twice could do
  // harm. At the deadline and on `stop` the command is cancelled, and it is looked whether it has
  // ended; if it had just ended by itself, its outcome is returned all the same. Errors: as
  // RemoteShell; invalid_argument for a script above ssm_script_limit.
  [[nodiscard]] Result<ShellOutcome> run(const InstanceId& instance, const std::string& script,
                                         std::chrono::seconds timeout,
                                         const std::stop_token& stop) override;

  // Whether the machine's agent has reported in and is online, which EC2's own state says nothing
  // of. Errors: those of aws::Client::call.
  [[nodiscard]] Result<bool> is_reachable(const InstanceId& instance,
                                          const std::stop_token& stop) override;

 private:
  struct Sent {
    const InstanceId& instance;
    std::string id;
  };
  Result<ShellOutcome> follow(const Sent& command, const aws::CallOptions& options);
  Result<ShellOutcome> cancel(const Sent& command, Error why);
  [[nodiscard]] static bool gave_up(const Error& error);

  aws::Client& aws_;
  Clock& clock_;
};

}  // namespace runctl::node
