#include "io/detached_process.hpp"

#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/text.hpp"
#include "io/file.hpp"

namespace runctl {
namespace {

// What posix_spawn(3) is to do besides starting the program.
struct Plan {
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};

  Plan() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    // Signals that this process ignores or blocks are the child's own business again.
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    for (const int signal : {SIGPIPE, SIGINT, SIGTERM}) sigaddset(&signals, signal);
    posix_spawnattr_setsigdefault(&attributes, &signals);
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;
  Plan(Plan&&) = delete;
  Plan& operator=(Plan&&) = delete;
  ~Plan() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
};

// By number: the header of glibc 2.36 declares both without C linkage.
int pidfd_open(int pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }
int pidfd_send_signal(int process, int signal) {
  return static_cast<int>(::syscall(SYS_pidfd_send_signal, process, signal, nullptr, 0));
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  // execve(2) takes char* for reasons of history and does not write through it.
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

}  // namespace

Result<int> spawn_detached(const DetachedSpec& spec) {
  const UniqueFd output{
      ::open(spec.output.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)};
  if (!output.is_open()) return fail_errno(errno, "open", spec.output);
  Plan plan;
  posix_spawn_file_actions_addopen(&plan.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&plan.actions, output.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&plan.actions, output.get(), STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&plan.actions, STDERR_FILENO + 1);
  pid_t pid = -1;
  const auto argv = pointers(spec.argv);
  const auto environment = pointers(spec.environment);
  const int error = posix_spawn(&pid, spec.program.c_str(), &plan.actions, &plan.attributes,
                                argv.data(), environment.data());
  if (error != 0) return fail_errno(error, "start", spec.program);
  return pid;
}

std::optional<std::uint64_t> process_start(int pid) {
  // A child of ours that has ended is no more than a number until it is waited for.
  ::waitpid(pid, nullptr, WNOHANG);
  const auto stat = read_file(fmt::format("/proc/{}/stat", pid));
  if (!stat) return std::nullopt;
  // The name, in parentheses, may hold blanks and parentheses itself.
  const auto name_end = stat->rfind(')');
  if (name_end == std::string::npos || name_end + 2 >= stat->size()) return std::nullopt;
  const auto fields = split(std::string_view{*stat}.substr(name_end + 2), ' ');
  if (fields.size() < 20 || fields[0] == "Z" || fields[0] == "X") return std::nullopt;
  std::uint64_t start = 0;
  const std::string_view text = fields[19];
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), start);
  return error == std::errc{} ? std::optional{start} : std::nullopt;
}

Result<bool> end_process(int pid, std::uint64_t start, std::chrono::milliseconds patience) {
  const UniqueFd process{pidfd_open(pid)};
  if (!process.is_open()) {
    if (errno == ESRCH) return false;
    return fail_errno(errno, "reach process", fmt::format("{}", pid));
  }
  // From here on the descriptor, not the number, names the process.
  if (process_start(pid) != start) return false;
  if (pidfd_send_signal(process.get(), SIGTERM) != 0) {
    if (errno == ESRCH) return false;
    return fail_errno(errno, "end process", fmt::format("{}", pid));
  }
  pollfd ended{.fd = process.get(), .events = POLLIN, .revents = 0};
  int ready = 0;
  do {
    ready = ::poll(&ended, 1, static_cast<int>(patience.count()));
  } while (ready < 0 && errno == EINTR);
  if (ready == 1) return true;
  return fail(Errc::deadline_exceeded,
              fmt::format("process {} did not end within {} ms", pid, patience.count()));
}

}  // namespace runctl
