// RemoteShell over the system's ssh: the user's own configuration, keys, agent and jump hosts
// count.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "io/clock.hpp"
#include "io/process.hpp"
#include "node/remote_shell.hpp"

namespace runctl::node {

struct SshAccess {
  // What ssh is to connect to: an address, or a Host of the user's configuration; "user@host" is
  // fine. The user is root, or may become it by `sudo -n`.
  std::function<Result<std::string>(const InstanceId&)> host_of;
  // ssh's whole environment, "NAME=value": HOME, PATH, SSH_AUTH_SOCK and the like.
  std::vector<std::string> environment = {};
  std::vector<std::string> options = {};  // of ssh, before ours: {"-F", "config"}
};

// A script goes over standard input, never on a command line, and is ended on the machine when its
// time is over. ssh asks nothing (BatchMode), so that a host whose key is not known is refused.
// Borrows the process and the clock. Thread safety: as the process's.
class SshShell final : public RemoteShell {
 public:
  SshShell(Process& process, const Clock& clock, SshAccess access)
      : process_{process}, clock_{clock}, access_{std::move(access)} {}

  // Errors: as RemoteShell. unavailable (ssh's own words): effect not_applied as long as the script
  // had not begun, else unknown; denied (no key that is accepted, an unknown host key, no right to
  // become root); deadline_exceeded (the script was ended, but what it did is not known); not_found
  // (no ssh here); those of host_of. When `stop` is requested the connection ends at once, and the
  // script at the end of its time.
  [[nodiscard]] Result<ShellOutcome> run(const InstanceId& instance, const std::string& script,
                                         std::chrono::seconds timeout,
                                         const std::stop_token& stop) override;

  // It goes over standard input: what a shell can well hold in a variable.
  [[nodiscard]] std::size_t text_limit() const override { return std::size_t{4} << 20U; }
  // A quarter of what ProcessSpec keeps of it.
  [[nodiscard]] std::size_t output_limit() const override { return std::size_t{4} << 20U; }

 private:
  Process& process_;
  const Clock& clock_;
  SshAccess access_;
};

}  // namespace runctl::node
