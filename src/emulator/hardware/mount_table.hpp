// What is mounted, as /proc/PID/mountinfo tells it.
#pragma once

#include <filesystem>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "base/result.hpp"

namespace runctl::emulator {

struct MountEntry {
  dev_t device = 0;
  std::filesystem::path point;
};

// Lines that are not of the form are skipped. Source: proc(5), /proc/PID/mountinfo.
[[nodiscard]] std::vector<MountEntry> parse_mountinfo(std::string_view text);

// Of the process whose folder below /proc is `process`: "self" or a number. Errors: as read_file.
[[nodiscard]] Result<std::vector<MountEntry>> mounts_of(std::string_view process);

}  // namespace runctl::emulator
