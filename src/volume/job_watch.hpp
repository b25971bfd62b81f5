// Following a long piece of work on a machine.
#pragma once

#include <string>

#include "node/job.hpp"
#include "volume/session.hpp"

namespace runctl::volume {

// Until the session's deadline; progress in words: "reading vol-…: 3.2 of 8 GiB, 410 MiB/s, 12 s
// left". Borrows the session.
[[nodiscard]] node::JobWatch watch_of(const Session& session, std::string what);

}  // namespace runctl::volume
