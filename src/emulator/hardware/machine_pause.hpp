// A machine's processes, held still.
#pragma once

#include <sys/types.h>
#include <vector>

#include "io/file.hpp"

namespace runctl::emulator {

// Stops every process of a machine but its first for as long as it lives: then those that it has
// stopped go on. What they have asked the kernel for is still carried out. A system call that waits
// may end with EINTR, as signal(7) tells of stop signals.
class MachinePause {
 public:
  // `first` is the machine's process 1, as this process sees it.
  explicit MachinePause(pid_t first);
  MachinePause(const MachinePause&) = delete;
  MachinePause& operator=(const MachinePause&) = delete;
  MachinePause(MachinePause&&) = delete;
  MachinePause& operator=(MachinePause&&) = delete;
  ~MachinePause();

 private:
  std::vector<UniqueFd> stopped_;
};

}  // namespace runctl::emulator
