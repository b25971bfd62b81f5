// RemoteShell over this very machine: for tests, and for work on the machine that runctl runs on.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "io/clock.hpp"
#include "io/process.hpp"
#include "node/remote_shell.hpp"

namespace runctl::node {

// Whatever instance is asked for, it is this one; as the user that we are. Borrows the process and
// the clock. Thread safety: as the process's.
class LocalShell final : public RemoteShell {
 public:
  // `environment` is the scripts' whole environment, "NAME=value".
  LocalShell(Process& process, const Clock& clock, std::vector<std::string> environment)
      : process_{process}, clock_{clock}, environment_{std::move(environment)} {}

  // Errors: as RemoteShell; invalid_argument for a script that is longer than an argument may be.
  [[nodiscard]] Result<ShellOutcome> run(const InstanceId& instance, const std::string& script,
                                         std::chrono::seconds timeout,
                                         const std::stop_token& stop) override;

  // A quarter of what ProcessSpec keeps of it.
  [[nodiscard]] std::size_t output_limit() const override { return std::size_t{4} << 20U; }

 private:
  Process& process_;
  const Clock& clock_;
  std::vector<std::string> environment_;
};

}  // namespace runctl::node
