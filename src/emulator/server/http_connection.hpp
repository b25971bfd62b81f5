// One client's connection: requests read, handed over and answered, one after the other.
#pragma once

#include <chrono>

#include "emulator/server/connection_bytes.hpp"
#include "emulator/server/http_server.hpp"
#include "io/file.hpp"

namespace runctl::emulator {

// Returns when the connection has ended. `socket` must not block.
void serve_connection(UniqueFd socket, const HttpServerOptions& options,
                      const HttpHandlers& handlers, const Closing& closing);

}  // namespace runctl::emulator
