// Running a script on a machine that we rent.
#pragma once

#include <chrono>
#include <cstddef>
#include <stop_token>
#include <string>

#include "base/result.hpp"
#include "base/strong_id.hpp"

namespace runctl::node {

// SSM limits a command to 64 KB, and what is sent is escaped as JSON once more.
inline constexpr std::size_t script_limit = 60'000;

struct ShellOutcome {
  int exit_status = 0;
  std::string out = {};
  std::string err = {};
  // The transport keeps only the start of `out`, and there may have been more. Records are small
  // enough not to be cut.
  bool cut = false;
};

class RemoteShell {
 public:
  RemoteShell() = default;
  RemoteShell(const RemoteShell&) = delete;
  RemoteShell& operator=(const RemoteShell&) = delete;
  RemoteShell(RemoteShell&&) = delete;
  RemoteShell& operator=(RemoteShell&&) = delete;
  virtual ~RemoteShell() = default;

  // Runs `script` with /bin/sh as root and waits for its end. A script that fails is a success of
  // the transport: its exit status is the caller's business. Errors: unavailable (the machine's
  // agent does not answer; effect says whether the script may have run), deadline_exceeded (effect
  // unknown), cancelled, denied. Thread safety: may be called from several threads at once.
  [[nodiscard]] virtual Result<ShellOutcome> run(const InstanceId& instance,
                                                 const std::string& script,
                                                 std::chrono::seconds timeout,
                                                 const std::stop_token& stop) = 0;

  // How many bytes a script may have.
  [[nodiscard]] virtual std::size_t text_limit() const { return script_limit; }

  // Whether scripts can be run there now: by default, whether one that does nothing ends within ten
  // seconds. Errors: denied, cancelled; those of the transport where it cannot be told.
  [[nodiscard]] virtual Result<bool> is_reachable(const InstanceId& instance,
                                                  const std::stop_token& stop);

  // Bytes of a script's standard output that surely come back. By default SSM's: the first 24,000
  // characters (Systems Manager User Guide, "Understanding command outputs").
  [[nodiscard]] virtual std::size_t output_limit() const { return 24'000; }
};

}  // namespace runctl::node
