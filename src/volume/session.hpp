// What every operation on volumes works with.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string_view>

#include "aws/client.hpp"
#include "io/clock.hpp"
#include "io/random.hpp"
#include "node/remote_shell.hpp"

namespace runctl::volume {

// Borrows everything; lives as long as one command.
struct Session {
  aws::Client& aws;
  node::RemoteShell& shell;
  Clock& clock;
  Random& random;
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  std::stop_token stop = {};
  // Told, in a few words, what is being waited for; never null.
  std::function<void(std::string_view)> progress = [](std::string_view) {};

  [[nodiscard]] aws::CallOptions options() const { return {.deadline = deadline, .stop = stop}; }
};

}  // namespace runctl::volume
