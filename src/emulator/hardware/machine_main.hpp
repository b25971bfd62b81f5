// What this program is when the emulator executes it again: process 1 of a machine, or a command's
// way into one.
#pragma once

#include <span>

namespace runctl::emulator {

// `arguments` are those of main(), with "__machine" second. Ends the process without exit handlers:
// a sanitizer's would look for threads in a process table that is not this process's any more. Must
// be called before any thread is started: namespaces can only be joined and left by a process that
// is alone.
//
//   __machine boot INSTANCE_DIRECTORY STATE_DIRECTORY HOSTNAME BOOT_ID
//     Descriptor 3 is read until its end, which is the machine's; on 4 goes "ready on-disk", "ready
//     in-memory", or what went wrong.
//   __machine enter PID START SCRIPT ERROR_FILE [DIRECTORY]
//     Runs SCRIPT (a path inside) in the machine of process PID (started at START) and ends as it
//     does. Its own failures go to ERROR_FILE (a path outside), with exit status 255.
[[noreturn]] void machine_main(std::span<char*> arguments);

}  // namespace runctl::emulator
