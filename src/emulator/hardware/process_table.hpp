// What /proc tells of the processes of this machine.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "io/file.hpp"

namespace runctl::emulator {

// Those that are there now. Each may be gone by the time it is looked at: everything below says so
// by `false` or by nothing.
[[nodiscard]] std::vector<pid_t> all_processes();

// The process namespace of `pid`, as the kernel numbers them; 0 when it is gone or not ours to see.
[[nodiscard]] ino_t process_namespace(pid_t pid);

// Whether `pid` is in the process namespace `wanted`, or in one that was made below it.
[[nodiscard]] bool is_in_namespace(pid_t pid, ino_t wanted);

// Whether `pid` has the device open or mapped into its memory.
[[nodiscard]] bool uses_device(pid_t pid, dev_t number);

// Whether `pid` has its working directory, its root or an open file in `directory` (absolute,
// without links).
[[nodiscard]] bool uses_directory(pid_t pid, const std::filesystem::path& directory);

// The value that the environment of `pid` had for `name` when it was started.
[[nodiscard]] std::optional<std::string> started_with(pid_t pid, std::string_view name);

// Whether it has been stopped (SIGSTOP, a debugger) or has ended and waits to be reaped.
[[nodiscard]] bool is_at_rest(pid_t pid);

// SIGKILL to every process that `which` is true of, and waits for their end; again, a bounded
// number of times, until it finds none, because processes start others. Returns how many were hit.
std::size_t kill_all(const std::function<bool(pid_t)>& which);

}  // namespace runctl::emulator
