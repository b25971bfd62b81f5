#include "emulator/hardware/machine_pause.hpp"

#include <chrono>
#include <signal.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

#include "emulator/hardware/process_table.hpp"

namespace runctl::emulator {
namespace {

// Enough for those that are started while we look; a process that starts others for ever is held
// still with the last round all the same.
constexpr int rounds = 20;

bool send(const UniqueFd& process, int signal) {
  return ::syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0) == 0;
}

}  // namespace

MachinePause::MachinePause(pid_t first) {
  const ino_t machine = process_namespace(first);
  if (machine == 0) return;
  for (int round = 0; round < rounds; ++round) {
    bool found = false;
    for (const pid_t pid : all_processes()) {
      // The descriptor names one process: a later one of the same number is not hit.
      UniqueFd process{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
      if (pid == first || !process.is_open() || !is_in_namespace(pid, machine)) continue;
      if (is_at_rest(pid) || !send(process, SIGSTOP)) continue;
      found = true;
      stopped_.push_back(std::move(process));
    }
    if (!found) return;
    // One that waits for its disk stops when it has it, and is met again until then.
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
}

MachinePause::~MachinePause() {
  for (const UniqueFd& process : stopped_) (void)send(process, SIGCONT);
}

}  // namespace runctl::emulator
