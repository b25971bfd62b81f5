// Commands that were sent to machines.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time_text.hpp"

namespace runctl::emulator::ssm {

// What became of a command on one instance. `status` and `details` are SSM's words.
// Source: Systems Manager User Guide, "Understanding command statuses".
struct Invocation {
  std::string instance = {};
  std::string status = "Pending";
  std::string details = "Pending";
  std::int64_t response_code = -1;
  std::optional<Timestamp> started = {};
  std::optional<Timestamp> ended = {};
  std::string out = {};
  std::string err = {};

  auto operator<=>(const Invocation&) const = default;
};

[[nodiscard]] inline bool has_ended(const Invocation& invocation) {
  return invocation.ended.has_value();
}

struct Command {
  std::string id = {};
  std::string comment = {};
  Timestamp requested = {};
  Timestamp expires = {};  // not started by then: not delivered
  std::vector<Invocation> invocations = {};

  auto operator<=>(const Command&) const = default;
};

}  // namespace runctl::emulator::ssm
