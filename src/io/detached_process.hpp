// Processes that outlive the one that started them, and how to tell them from later ones of the
// same number.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace runctl {

struct DetachedSpec {
  std::filesystem::path program = {};
  std::vector<std::string> argv = {};
  std::vector<std::string> environment = {};  // the whole of it, "NAME=value"
  std::filesystem::path output = {};          // standard output and error are appended there
};

// Starts it in a session of its own, with nothing of ours but the environment given. Returns its
// process id. Errors: not_found, denied, internal.
[[nodiscard]] Result<int> spawn_detached(const DetachedSpec& spec);

// When the process was started, in clock ticks since the machine's start; nothing when there is
// none of that number, or only the remains of one. Together with the number it names one process.
// Source: proc(5), /proc/PID/stat, fields 3 and 22.
[[nodiscard]] std::optional<std::uint64_t> process_start(int pid);

// SIGTERM to that very process, and waits for its end. False when there was none.
// Errors: deadline_exceeded when it still runs after `patience`; denied, internal.
[[nodiscard]] Result<bool> end_process(int pid, std::uint64_t start,
                                       std::chrono::milliseconds patience);

}  // namespace runctl
