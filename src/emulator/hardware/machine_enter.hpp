// Running a command in a machine, from outside of it.
#pragma once

#include <span>

namespace runctl::emulator {

// The `enter` of machine_main(), with the words after it. The command gets this process's
// environment and its standard output and error; its standard input is empty. SIGTERM goes on to
// its session, and SIGKILL a second and a half later or when it has ended; processes that left the
// session live on until the machine halts.
[[nodiscard]] int enter_machine(std::span<char* const> words);

}  // namespace runctl::emulator
