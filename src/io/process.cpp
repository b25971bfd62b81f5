#include "io/process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "io/file.hpp"

namespace runctl {
namespace {

using Ticks = std::chrono::steady_clock;

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno(errno, "create", "a pipe");
  return Pipe{.read = UniqueFd{ends[0]}, .write = UniqueFd{ends[1]}};
}

// posix_spawn's two descriptions, freed with their owner.
struct SpawnPlan {
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};

  SpawnPlan() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    // A session of its own: signals go to the whole group, and no terminal is shared. Signals that
    // this process ignores or blocks are the child's own business again.
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    sigaddset(&signals, SIGPIPE);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    posix_spawnattr_setsigdefault(&attributes, &signals);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  SpawnPlan(SpawnPlan&&) = delete;
  SpawnPlan& operator=(SpawnPlan&&) = delete;
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  // execve(2) takes char* for reasons of history and does not write through it.
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

// A running child with our ends of its three pipes.
struct Child {
  pid_t pid = -1;
  UniqueFd pidfd;
  UniqueFd input;
  UniqueFd out;
  UniqueFd err;
};

int reap(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

Result<Child> spawn(const ProcessSpec& spec) {
  if (spec.argv.empty()) return fail(Errc::invalid_argument, "no program to run");
  RUNCTL_TRY_LET(Pipe out, make_pipe());
  RUNCTL_TRY_LET(Pipe err, make_pipe());
  Pipe input;
  SpawnPlan plan;
  if (spec.input.empty()) {
    posix_spawn_file_actions_addopen(&plan.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  } else {
    RUNCTL_TRY_LET(input, make_pipe());
    ::fcntl(input.write.get(), F_SETFL, O_NONBLOCK);
    posix_spawn_file_actions_adddup2(&plan.actions, input.read.get(), STDIN_FILENO);
  }
  posix_spawn_file_actions_adddup2(&plan.actions, out.write.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&plan.actions, err.write.get(), STDERR_FILENO);
  // A descriptor that some library opened without O_CLOEXEC would keep a lock or a pipe of ours
  // alive.
  posix_spawn_file_actions_addclosefrom_np(&plan.actions, STDERR_FILENO + 1);

  Child child;
  const int error =
      posix_spawnp(&child.pid, spec.argv.front().c_str(), &plan.actions, &plan.attributes,
                   pointers(spec.argv).data(), pointers(spec.environment).data());
  if (error != 0) return fail_errno(error, "run", spec.argv.front());
  child.pidfd = UniqueFd{static_cast<int>(::syscall(SYS_pidfd_open, child.pid, 0))};
  if (!child.pidfd.is_open()) {
    // Without it there would be no way to see the end.
    const int reason = errno;
    ::kill(-child.pid, SIGKILL);
    reap(child.pid);
    return fail_errno(reason, "watch", spec.argv.front());
  }
  child.input = std::move(input.write);
  child.out = std::move(out.read);
  child.err = std::move(err.read);
  ::fcntl(child.out.get(), F_SETFL, O_NONBLOCK);
  ::fcntl(child.err.get(), F_SETFL, O_NONBLOCK);
  return child;
}

// Reads what is there; closes `fd` at its end. Whether anything beyond `limit` was dropped.
// More than a pipe holds, but bounded: a process that was left behind may write without end.
bool drain(UniqueFd& fd, std::string& into, std::size_t limit) {
  bool cut = false;
  std::array<char, 65536> piece{};
  for (int pieces = 0; fd.is_open() && pieces < 32; ++pieces) {
    const ssize_t got = ::read(fd.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return cut;
    if (got <= 0) {
      fd.reset();
      return cut;
    }
    const std::size_t room = limit - std::min(limit, into.size());
    const std::size_t kept = std::min(room, static_cast<std::size_t>(got));
    into.append(piece.data(), kept);
    cut = cut || kept < static_cast<std::size_t>(got);
  }
  return cut;
}

// While it lives, writing to a pipe that nobody reads is an error in this thread and no signal.
class NoSigpipe {
 public:
  NoSigpipe() {
    sigemptyset(&sigpipe_);
    sigaddset(&sigpipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
  }
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;
  NoSigpipe(NoSigpipe&&) = delete;
  NoSigpipe& operator=(NoSigpipe&&) = delete;
  ~NoSigpipe() {
    if (sigismember(&before_, SIGPIPE) == 1) return;
    const timespec at_once{};
    while (sigtimedwait(&sigpipe_, nullptr, &at_once) < 0 && errno == EINTR) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t sigpipe_{};
  sigset_t before_{};
};

void feed(UniqueFd& fd, std::string_view& rest) {
  const ssize_t written = ::write(fd.get(), rest.data(), rest.size());
  if (written > 0) rest.remove_prefix(static_cast<std::size_t>(written));
  const bool broken = written < 0 && errno != EAGAIN && errno != EINTR;
  if (broken || rest.empty()) fd.reset();
}

// Decides when a child has had enough time, and by which signal it is told.
class Patience {
 public:
  Patience(Ticks::time_point deadline, std::stop_token stop)
      : deadline_{deadline}, stop_{std::move(stop)} {}

  void remind(pid_t pid) {
    const auto now = Ticks::now();
    if (!over_) {
      if (stop_.stop_requested()) over_ = Errc::cancelled;
      if (now >= deadline_) over_ = Errc::deadline_exceeded;
      if (!over_) return;
      ::kill(-pid, SIGTERM);
      kill_at_ = now + std::chrono::seconds{2};
    } else if (now >= kill_at_) {
      ::kill(-pid, SIGKILL);
    }
  }

  [[nodiscard]] std::optional<Errc> over() const { return over_; }

  // Milliseconds until `remind` has something to do; a stop is seen within 100 ms.
  [[nodiscard]] int nap() const {
    const auto until = over_ ? kill_at_ : deadline_;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Ticks::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 100));
  }

 private:
  Ticks::time_point deadline_;
  std::stop_token stop_;
  std::optional<Errc> over_;
  Ticks::time_point kill_at_;
};

// Moves bytes until the child has ended.
void serve(Child& child, const ProcessSpec& spec, Patience& patience, ProcessOutcome& outcome) {
  std::string_view input = spec.input;
  while (true) {
    std::array<pollfd, 4> polled{pollfd{.fd = child.pidfd.get(), .events = POLLIN, .revents = 0},
                                 pollfd{.fd = child.out.get(), .events = POLLIN, .revents = 0},
                                 pollfd{.fd = child.err.get(), .events = POLLIN, .revents = 0},
                                 pollfd{.fd = child.input.get(), .events = POLLOUT, .revents = 0}};
    ::poll(polled.data(), polled.size(), patience.nap());
    if (polled[3].revents != 0) feed(child.input, input);
    bool cut = drain(child.out, outcome.out, spec.output_limit);
    cut = drain(child.err, outcome.err, spec.output_limit) || cut;
    outcome.output_cut = outcome.output_cut || cut;
    if ((polled[0].revents & POLLIN) != 0) {
      // What it wrote before its end may have come in after the drain above.
      cut = drain(child.out, outcome.out, spec.output_limit);
      cut = drain(child.err, outcome.err, spec.output_limit) || cut;
      outcome.output_cut = outcome.output_cut || cut;
      return;
    }
    patience.remind(child.pid);
  }
}

}  // namespace

Result<ProcessOutcome> RealProcess::run(const ProcessSpec& spec,
                                        std::chrono::steady_clock::time_point deadline,
                                        const std::stop_token& stop) {
  RUNCTL_TRY_LET(Child child, spawn(spec));
  ProcessOutcome outcome;
  Patience patience{deadline, stop};
  {
    const NoSigpipe guard;
    serve(child, spec, patience, outcome);
  }
  // Before it is waited for: until then its number, which is the group's as well, can be nobody
  // else's.
  if (patience.over()) ::kill(-child.pid, SIGKILL);
  const int status = reap(child.pid);
  outcome.timed_out = patience.over() == Errc::deadline_exceeded;
  if (outcome.timed_out && spec.on_deadline == OnDeadline::fail) {
    return fail(Errc::deadline_exceeded,
                fmt::format("'{}' did not end in time and was stopped", spec.argv.front()));
  }
  if (patience.over() == Errc::cancelled) {
    return fail(Errc::cancelled, fmt::format("'{}' was stopped", spec.argv.front()));
  }
  if (WIFSIGNALED(status)) {
    outcome.signal = WTERMSIG(status);
  } else {
    outcome.exit_status = WEXITSTATUS(status);
  }
  return outcome;
}

}  // namespace runctl
