// Running another program to its end.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace runctl {

// Whether running out of time is an error, or an outcome whose output so far is of interest.
enum class OnDeadline : bool { fail, report };

struct ProcessSpec {
  std::vector<std::string> argv = {};  // argv[0] is looked up in PATH unless it has a slash
  // The child's whole environment, "NAME=value"; nothing of this process is passed on unless it is
  // here.
  std::vector<std::string> environment = {};
  std::string input = {};  // standard input; empty is /dev/null
  // Of standard output and of standard error each, what is kept; the rest is read and dropped.
  std::size_t output_limit = std::size_t{16} << 20U;
  OnDeadline on_deadline = OnDeadline::fail;
};

struct ProcessOutcome {
  std::optional<int> exit_status = {};  // nothing when a signal ended it
  int signal = 0;                       // the signal that ended it, or 0
  bool output_cut = false;              // output_limit was reached
  bool timed_out = false;               // the deadline ended it (OnDeadline::report only)
  std::string out = {};
  std::string err = {};
};

class Process {
 public:
  Process() = default;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  Process(Process&&) = delete;
  Process& operator=(Process&&) = delete;
  virtual ~Process() = default;

  // Runs it in a session of its own and waits until it has ended. A process that it leaves behind
  // with our pipes open does not hold us: its own end is what counts. At the deadline or on `stop`
  // SIGTERM goes to its process group, SIGKILL two seconds later or when it has ended itself.
  // Errors: not_found (no such program), deadline_exceeded (OnDeadline::fail), cancelled, internal.
  // Thread safety: may be called from several threads at once.
  [[nodiscard]] virtual Result<ProcessOutcome> run(const ProcessSpec& spec,
                                                   std::chrono::steady_clock::time_point deadline,
                                                   const std::stop_token& stop) = 0;
};

class RealProcess final : public Process {
 public:
  [[nodiscard]] Result<ProcessOutcome> run(const ProcessSpec& spec,
                                           std::chrono::steady_clock::time_point deadline,
                                           const std::stop_token& stop) override;
};

}  // namespace runctl
