#include "emulator/hardware/machine_process.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <string_view>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "io/detached_process.hpp"

namespace runctl::emulator {
namespace {

constexpr std::chrono::milliseconds boot_patience{30'000};

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

// Both ends above the numbers that the child gives to its own.
Result<Pipe> make_pipe() {
  constexpr int first_free = 10;
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno(errno, "create", "a pipe");
  const UniqueFd read{ends[0]};
  const UniqueFd write{ends[1]};
  Pipe pipe{.read = UniqueFd{::fcntl(read.get(), F_DUPFD_CLOEXEC, first_free)},
            .write = UniqueFd{::fcntl(write.get(), F_DUPFD_CLOEXEC, first_free)}};
  if (!pipe.read.is_open() || !pipe.write.is_open()) return fail_errno(errno, "create", "a pipe");
  return pipe;
}

// In the child, between clone3 and exec, only system calls are allowed: other threads may have held
// locks.
[[noreturn]] void become_machine(const char* program, char* const* words, int lifeline,
                                 int report) {
  ::dup2(lifeline, 3);
  ::dup2(report, 4);
  ::execv(program, words);
  constexpr std::string_view why = "cannot run this program again";
  (void)!::write(4, why.data(), why.size());
  ::_exit(127);
}

// Until its end, or "" when it takes too long.
std::string read_report(int fd) {
  std::string text;
  std::array<char, 512> piece{};
  while (true) {
    pollfd polled{.fd = fd, .events = POLLIN, .revents = 0};
    if (::poll(&polled, 1, static_cast<int>(boot_patience.count())) == 0) return "";
    const ssize_t got = ::read(fd, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
}

bool has_ended(int pidfd, std::chrono::milliseconds patience) {
  pollfd polled{.fd = pidfd, .events = POLLIN, .revents = 0};
  return ::poll(&polled, 1, static_cast<int>(patience.count())) > 0;
}

}  // namespace

Result<MachineProcess> MachineProcess::start(const std::filesystem::path& program,
                                             const RootPlan& plan) {
  RUNCTL_TRY_LET(Pipe lifeline, make_pipe());
  RUNCTL_TRY_LET(Pipe report, make_pipe());
  std::array<std::string, 7> texts{
      "runctl",      "__machine", "boot", plan.instance.string(), plan.state.string(),
      plan.hostname, plan.boot_id};
  std::vector<char*> words;
  words.reserve(texts.size() + 1);
  for (std::string& text : texts) words.push_back(text.data());
  words.push_back(nullptr);

  int pidfd = -1;
  clone_args how{};
  how.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_PIDFD;
  how.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
  how.exit_signal = SIGCHLD;
  const long pid = ::syscall(SYS_clone3, &how, sizeof how);
  if (pid < 0) return fail_errno(errno, "create namespaces for", plan.hostname);
  if (pid == 0) {
    become_machine(program.c_str(), words.data(), lifeline.read.get(), report.write.get());
  }
  MachineProcess machine;
  machine.pid_ = static_cast<pid_t>(pid);
  machine.pidfd_ = UniqueFd{pidfd};
  machine.lifeline_ = std::move(lifeline.write);
  report.write.reset();
  const std::string told = read_report(report.read.get());
  if (!told.starts_with("ready")) {
    return fail(Errc::internal, fmt::format("{} did not boot: {}", plan.hostname,
                                            told.empty() ? "it said nothing" : told));
  }
  machine.upper_ = told.ends_with("in-memory") ? Upper::in_memory : Upper::on_disk;
  machine.start_time_ = process_start(machine.pid_).value_or(0);
  return machine;
}

MachineProcess::MachineProcess(MachineProcess&& other) noexcept
    : pid_{std::exchange(other.pid_, -1)},
      start_time_{other.start_time_},
      upper_{other.upper_},
      pidfd_{std::move(other.pidfd_)},
      lifeline_{std::move(other.lifeline_)} {}

MachineProcess::~MachineProcess() {
  if (pid_ <= 0) return;
  (void)end(std::chrono::seconds{5});
  reap();
}

bool MachineProcess::is_running() const {
  return lifeline_.is_open() && !has_ended(pidfd_.get(), std::chrono::milliseconds{0});
}

Result<void> MachineProcess::end(std::chrono::milliseconds patience) {
  lifeline_.reset();
  if (pid_ <= 0 || has_ended(pidfd_.get(), patience / 2)) return {};
  (void)::syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
  if (has_ended(pidfd_.get(), patience / 2)) return {};
  return fail(Errc::deadline_exceeded,
              fmt::format("process {} of a machine cannot be ended", pid_));
}

void MachineProcess::reap() {
  if (pid_ <= 0) return;
  int status = 0;
  while (has_ended(pidfd_.get(), std::chrono::milliseconds{0}) && ::waitpid(pid_, &status, 0) < 0 &&
         errno == EINTR) {
  }
  pid_ = -1;
}

}  // namespace runctl::emulator
