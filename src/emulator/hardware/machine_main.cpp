#include "emulator/hardware/machine_main.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string>
#include <string_view>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "emulator/hardware/machine_enter.hpp"
#include "emulator/hardware/machine_root.hpp"
#include "emulator/hardware/thaw.hpp"
#include "io/file.hpp"

namespace runctl::emulator {
namespace {

constexpr int lifeline = 3;
constexpr int report = 4;

void tell(std::string_view text) {
  // Nobody is left to tell when this fails.
  (void)!::write(report, text.data(), text.size());
  ::close(report);
}

// Process 1 must hold nothing of the host's: not its terminal, not its log.
void use_null_streams() {
  const UniqueFd null{::open("/dev/null", O_RDWR | O_CLOEXEC)};
  for (int stream = 0; stream < 3; ++stream) {
    if (null.is_open()) ::dup2(null.get(), stream);
  }
}

void reap() {
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

// Until the lifeline ends. The kernel then ends every other process of the machine, because this is
// its first.
void stand_by(int children) {
  while (true) {
    std::array<pollfd, 2> polled{pollfd{.fd = lifeline, .events = POLLIN, .revents = 0},
                                 pollfd{.fd = children, .events = POLLIN, .revents = 0}};
    if (::poll(polled.data(), polled.size(), -1) < 0) continue;
    if (polled[1].revents != 0) {
      std::array<signalfd_siginfo, 16> seen{};
      (void)!::read(children, seen.data(), sizeof seen);
      reap();
    }
    if (polled[0].revents != 0) return;
  }
}

int boot(std::span<char* const> words) {
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  ::pthread_sigmask(SIG_SETMASK, &child, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::close_range(report + 1, ~0U, 0);
  ::prctl(PR_SET_NAME, "machine", 0, 0, 0);
  const auto upper = enter_machine_root(
      {.instance = words[0], .state = words[1], .hostname = words[2], .boot_id = words[3]});
  if (!upper) {
    tell(upper.error().message);
    return 1;
  }
  use_null_streams();
  const UniqueFd children{::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK)};
  tell(*upper == Upper::on_disk ? "ready on-disk" : "ready in-memory");
  stand_by(children.get());
  // A process that waits for a frozen filesystem cannot be ended by any signal.
  thaw_disks_of_all_processes();
  return 0;
}

int run_mode(std::span<char*> arguments) {
  const std::string_view mode = arguments.size() > 2 ? arguments[2] : "";
  if (mode == "boot" && arguments.size() == 7) return boot(arguments.subspan(3));
  if (mode == "enter" && (arguments.size() == 7 || arguments.size() == 8)) {
    return enter_machine(arguments.subspan(3));
  }
  constexpr std::string_view why = "this is for the emulator's own use\n";
  (void)!::write(STDERR_FILENO, why.data(), why.size());
  return 2;
}

}  // namespace

void machine_main(std::span<char*> arguments) { ::_exit(run_mode(arguments)); }

}  // namespace runctl::emulator
