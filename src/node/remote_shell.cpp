#include "node/remote_shell.hpp"

#include <utility>

namespace runctl::node {

Result<bool> RemoteShell::is_reachable(const InstanceId& instance, const std::stop_token& stop) {
  constexpr std::chrono::seconds patience{10};
  auto outcome = run(instance, "exit 0", patience, stop);
  if (outcome) return outcome->exit_status == 0;
  const Errc code = outcome.error().code;
  if (code == Errc::unavailable || code == Errc::deadline_exceeded) return false;
  return std::unexpected{std::move(outcome).error()};
}

}  // namespace runctl::node
