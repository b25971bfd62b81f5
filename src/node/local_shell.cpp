#include "node/local_shell.hpp"

#include <cstddef>

#include <fmt/format.h>

namespace runctl::node {
namespace {

// Source: execve(2), MAX_ARG_STRLEN: 32 pages, the final NUL among it.
constexpr std::size_t argument_limit = std::size_t{128} * 1024 - 1;

}  // namespace

Result<ShellOutcome> LocalShell::run(const InstanceId& instance, const std::string& script,
                                     std::chrono::seconds timeout, const std::stop_token& stop) {
  if (script.size() > argument_limit) {
    return fail(
        Errc::invalid_argument,
        fmt::format("a script of {} bytes for instance {} is too long", script.size(), instance));
  }
  const ProcessSpec spec{.argv = {"/bin/sh", "-c", script}, .environment = environment_};
  auto outcome = process_.run(spec, clock_.ticks() + timeout, stop);
  if (!outcome) {
    auto& error = outcome.error();
    if (error.code == Errc::deadline_exceeded || error.code == Errc::cancelled)
      error.effect = Effect::unknown;
    return std::unexpected{std::move(error)};
  }
  // As a shell reports a signal.
  return ShellOutcome{.exit_status = outcome->exit_status.value_or(128 + outcome->signal),
                      .out = std::move(outcome->out),
                      .err = std::move(outcome->err)};
}

}  // namespace runctl::node
