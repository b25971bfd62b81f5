// Undoing fsfreeze(8).
#pragma once

namespace runctl::emulator {

// Thaws every filesystem on a loop device that any process sees mounted, in whatever mount
// namespace: to be called in a machine, whose loop devices are all its own.
void thaw_disks_of_all_processes();

}  // namespace runctl::emulator
