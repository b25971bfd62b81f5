// Answers as bytes on a connection, with what a fault makes of them.
#pragma once

#include <chrono>

#include "base/result.hpp"
#include "emulator/reply.hpp"
#include "emulator/server/connection_bytes.hpp"

namespace runctl::emulator {

struct ReplyContext {
  bool is_head = false;
  unsigned version = 11;  // HTTP's, of the request
  std::chrono::milliseconds stall{30'000};
};

enum class Stays : bool { no, yes };  // the connection, for another request

// Errors: as ConnectionBytes::write; those of the body's pieces. The connection is then of no more
// use.
[[nodiscard]] Result<void> write_reply(ConnectionBytes& bytes, const Reply& reply,
                                       const ReplyContext& context, Stays stays);

}  // namespace runctl::emulator
