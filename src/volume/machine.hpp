// The machine of a volume, as node/ takes it.
#pragma once

#include <chrono>

#include "base/strong_id.hpp"
#include "node/script.hpp"
#include "volume/session.hpp"

namespace runctl::volume {

// `patience` is the longest that one script may take there. Borrows from the session.
[[nodiscard]] inline node::Machine machine_of(const Session& session, const InstanceId& instance,
                                              std::chrono::seconds patience) {
  return {.shell = session.shell, .instance = instance, .timeout = patience, .stop = session.stop};
}

}  // namespace runctl::volume
