#include "emulator/hardware/machine_enter.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <string>
#include <string_view>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <dirent.h>
#include <fmt/format.h>

#include "io/detached_process.hpp"
#include "io/file.hpp"

namespace runctl::emulator {
namespace {

constexpr int cannot_enter = 255;

struct Order {
  pid_t pid = 0;
  std::uint64_t start = 0;
  const char* script = nullptr;
  const char* directory = "/";
};

template <class Number>
Result<Number> number_of(std::string_view text) {
  Number number{};
  if (std::from_chars(text.begin(), text.end(), number).ptr != text.end() || text.empty()) {
    return fail(Errc::invalid_argument, fmt::format("not a number: '{}'", text));
  }
  return number;
}

Result<void> join_machine(const Order& order) {
  const UniqueFd machine{static_cast<int>(::syscall(SYS_pidfd_open, order.pid, 0))};
  if (!machine.is_open() || process_start(order.pid) != order.start) {
    return fail(Errc::not_found, fmt::format("process {} of the machine has ended", order.pid));
  }
  const std::string path = fmt::format("/proc/{}/root", order.pid);
  const UniqueFd root{::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (!root.is_open()) return fail_errno(errno, "enter", path);
  if (::setns(machine.get(), CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC) != 0) {
    return fail_errno(errno, "join the namespaces of", path);
  }
  // The namespace's root is not the machine's where the latter could only be reached by chroot(2).
  if (::fchdir(root.get()) != 0 || ::chroot(".") != 0) return fail_errno(errno, "enter", path);
  return {};
}

// What would reach past the machine to the host's one kernel.
void drop_rights() {
  for (const int right : {CAP_SYS_MODULE, CAP_SYS_TIME}) ::prctl(PR_CAPBSET_DROP, right, 0, 0, 0);
}

[[noreturn]] void become_command(const Order& order) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  ::setsid();
  ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  ::close(STDIN_FILENO);
  (void)::open("/dev/null", O_RDONLY);  // takes the lowest free number, which is 0
  ::umask(022);
  drop_rights();
  sigset_t none;
  sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
  if (::chdir(order.directory) == 0) {
    std::string shell = "/bin/sh";
    std::string script = order.script;
    const std::array<char*, 3> words{shell.data(), script.data(), nullptr};
    ::execve("/bin/sh", words.data(), environ);
  }
  const std::string why = fmt::format("cannot run in {}: errno {}\n", order.directory, errno);
  (void)!::write(STDERR_FILENO, why.data(), why.size());
  ::_exit(126);
}

// SIGTERM or SIGKILL to every process of the session: to all that the command has started, in
// whatever process group, but not to what has made itself a session of its own. `processes` is a
// /proc that shows them by the numbers that we know them by.
void signal_session(int processes, pid_t session, int signal) {
  const UniqueFd copy{::openat(processes, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  DIR* const folder = ::fdopendir(::dup(copy.get()));
  if (folder == nullptr) return;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): this process has one thread
  while (const dirent* const entry = ::readdir(folder)) {
    const auto pid = number_of<pid_t>(entry->d_name);
    if (!pid) continue;
    // The descriptor names one process: a later one of the same number is not hit.
    const UniqueFd process{static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0))};
    if (!process.is_open() || ::getsid(*pid) != session) continue;
    (void)::syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0);
  }
  ::closedir(folder);
}

sigset_t watched_signals() {
  sigset_t watched;
  sigemptyset(&watched);
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) sigaddset(&watched, signal);
  return watched;
}

// Without reaping it: until then its number, which is the session's as well, can be nobody else's.
bool has_ended(pid_t child) {
  siginfo_t ended{};
  return ::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOHANG | WNOWAIT) != 0 ||
         ended.si_pid == child;
}

// Its wait status, and the whole session's end when we were told to stop.
int wait_for(pid_t child, int processes) {
  const sigset_t watched = watched_signals();
  bool told = false;
  while (!has_ended(child)) {
    // Less than what whoever told us to stop waits before SIGKILL, which we could not pass on.
    const timespec grace{.tv_sec = 1, .tv_nsec = 500'000'000};
    const int signal =
        told ? ::sigtimedwait(&watched, nullptr, &grace) : ::sigwaitinfo(&watched, nullptr);
    if (told && signal < 0 && errno == EAGAIN) signal_session(processes, child, SIGKILL);
    if (signal <= 0 || signal == SIGCHLD) continue;
    told = true;
    signal_session(processes, child, SIGTERM);
    ::kill(child, SIGTERM);  // it may not have its session yet
  }
  if (told) signal_session(processes, child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

int end_as(int status) {
  if (!WIFSIGNALED(status)) return WEXITSTATUS(status);
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  ::setrlimit(RLIMIT_CORE, &none);
  const int signal = WTERMSIG(status);
  ::signal(signal, SIG_DFL);
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, signal);
  ::pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
  ::raise(signal);
  return 128 + signal;
}

Result<int> enter(std::span<char* const> words) {
  const sigset_t watched = watched_signals();
  ::pthread_sigmask(SIG_SETMASK, &watched, nullptr);
  Order order{.script = words[2]};
  RUNCTL_TRY_LET(order.pid, number_of<pid_t>(words[0]));
  RUNCTL_TRY_LET(order.start, number_of<std::uint64_t>(words[1]));
  if (words.size() > 4) order.directory = words[4];
  // Of this side: in the machine the same processes have other numbers.
  const UniqueFd processes{::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!processes.is_open()) return fail_errno(errno, "open", "/proc");
  RUNCTL_TRY(join_machine(order));
  const pid_t child = ::fork();
  if (child < 0) return fail_errno(errno, "start", order.script);
  if (child == 0) become_command(order);
  return end_as(wait_for(child, processes.get()));
}

}  // namespace

int enter_machine(std::span<char* const> words) {
  // The directory is found while this process still sees the path.
  const std::filesystem::path file = words[3];
  const UniqueFd directory{::open(file.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  const auto status = enter(words);
  if (status) return *status;
  const UniqueFd errors{::openat(directory.get(), file.filename().c_str(),
                                 O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  const std::string& why = status.error().message;
  (void)!::write(errors.get(), why.data(), why.size());
  return cannot_enter;
}

}  // namespace runctl::emulator
