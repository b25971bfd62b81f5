// The only place that builds real dependencies and passes them down.
#include <array>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <iostream>
#include <mutex>
#include <poll.h>
#include <signal.h>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <pthread.h>

#include "cli/run.hpp"
#include "emulator/hardware/machine_main.hpp"
#include "io/curl_transport.hpp"
#include "io/environment.hpp"
#include "io/file.hpp"
#include "io/log.hpp"
#include "io/process.hpp"
#include "io/random.hpp"
#include "io/real_clock.hpp"
#include "io/terminal.hpp"
#include "main/embedded_emulator.hpp"

namespace {

using runctl::LogLevel;

// -v and -vv, else RUNCTL_LOG, else RUST_LOG, which the documents that users have speak of.
LogLevel log_level(std::span<const std::string> words, const runctl::Environment& environment) {
  int verbosity = 0;
  for (const std::string& word : words) {
    if (word == "--") break;
    if (word == "--verbose" || word == "-v") ++verbosity;
    if (word == "-vv") verbosity += 2;
  }
  if (verbosity > 0) return verbosity == 1 ? LogLevel::info : LogLevel::debug;
  const auto wanted = environment.get("RUNCTL_LOG");
  const std::string level = wanted ? *wanted : environment.get("RUST_LOG").value_or("warn");
  if (level.starts_with("debug") || level.starts_with("trace")) return LogLevel::debug;
  if (level.starts_with("info")) return LogLevel::info;
  if (level.starts_with("error")) return LogLevel::error;
  if (level.starts_with("off")) return LogLevel::off;
  return LogLevel::warning;
}

bool wants_json_log(std::span<const std::string> words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--log-format=json") return true;
    if (words[i] == "--log-format" && i + 1 < words.size() && words[i + 1] == "json") return true;
  }
  return false;
}

// The first SIGINT or SIGTERM requests a stop, which every wait and every exchange obeys; a second
// one ends the process at once, unless somebody waits for it.
class SignalWatch {
 public:
  SignalWatch() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    signal(SIGPIPE, SIG_IGN);
    arrived_ = runctl::UniqueFd{signalfd(-1, &signals, SFD_CLOEXEC)};
    ended_ = runctl::UniqueFd{eventfd(0, EFD_CLOEXEC)};
    thread_ = std::thread{[this] { watch(); }};
  }
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;
  SignalWatch(SignalWatch&&) = delete;
  SignalWatch& operator=(SignalWatch&&) = delete;
  ~SignalWatch() {
    eventfd_write(ended_.get(), 1);
    thread_.join();
  }
  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }

  // Whether another one came in that time, which ends the process otherwise. It is waited for from
  // before `announce` says so.
  [[nodiscard]] bool wait_for_second(std::chrono::milliseconds patience,
                                     const std::function<void()>& announce) {
    {
      const std::lock_guard lock{mutex_};
      awaited_ = true;
    }
    announce();
    std::unique_lock lock{mutex_};
    const bool came = second_.wait_for(lock, patience, [this] { return came_; });
    awaited_ = false;
    return came;
  }

 private:
  // The process goes on only when somebody waited for it.
  void take_second() {
    const std::lock_guard lock{mutex_};
    if (!awaited_) _exit(130);
    came_ = true;
    second_.notify_all();
  }

  void watch() {
    while (true) {
      std::array<pollfd, 2> polled{pollfd{.fd = arrived_.get(), .events = POLLIN, .revents = 0},
                                   pollfd{.fd = ended_.get(), .events = POLLIN, .revents = 0}};
      if (poll(polled.data(), polled.size(), -1) < 0) continue;
      if (polled[1].revents != 0) return;
      signalfd_siginfo info{};
      if (read(arrived_.get(), &info, sizeof info) == sizeof info && !stop_.request_stop())
        take_second();
    }
  }

  runctl::UniqueFd arrived_;
  runctl::UniqueFd ended_;
  std::stop_source stop_;
  std::mutex mutex_;
  std::condition_variable second_;
  bool awaited_ = false;
  bool came_ = false;
  std::thread thread_;
};

// Whether the answer reached standard output; says so when it did not: an id that a script waits
// for may have been in it. A reader that had enough (`| head -n 1`) is no failure.
bool output_arrived() {
  std::cout.flush();
  if (std::cout) return true;
  pollfd out{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  if (poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0) return true;
  std::cerr << "Error: The answer could not be written to standard output; is its disk full?\n"
               "       What was asked for has been done: look before you repeat it.\n";
  return false;
}

int run(std::vector<std::string> words) {
  using namespace runctl;
  const Environment environment = current_environment();
  SignalWatch signals;
  RealClock clock;
  CurlTransport http{{.ca_bundle = environment.get("AWS_CA_BUNDLE").value_or("")}};
  RealProcess process;
  SystemRandom random;
  StderrLog log{log_level(words, environment),
                wants_json_log(words) ? LogFormat::json : LogFormat::text};
  EmbeddedEmulator emulator{clock, http, random, log, environment, signals.token()};
  const bool terminal = isatty(STDERR_FILENO) == 1;
  cli::Context context{.clock = clock,
                       .http = http,
                       .process = process,
                       .random = random,
                       .log = log,
                       .environment = environment,
                       .emulator = emulator,
                       .in = std::cin,
                       .out = std::cout,
                       .err = std::cerr,
                       .interactive = terminal && isatty(STDIN_FILENO) == 1,
                       .colour = terminal && !environment.get("NO_COLOR"),
                       .width = terminal_width(STDOUT_FILENO),
                       .stop = signals.token(),
                       .second_interrupt = [&signals](std::chrono::milliseconds patience,
                                                      const std::function<void()>& announce) {
                         return signals.wait_for_second(patience, announce);
                       }};
  const cli::ExitCode code = cli::run(context, words);
  return static_cast<int>(output_arrived() || code != cli::ExitCode::ok ? code
                                                                        : cli::ExitCode::failure);
}

}  // namespace

int main(int argc, char** argv) {
  const std::span<char*> arguments{argv, static_cast<std::size_t>(argc)};
  // The emulator re-executes this program as process 1 of its machines.
  if (argc > 1 && std::string_view{argv[1]} == "__machine") {
    runctl::emulator::machine_main(arguments);
  }
  try {
    return run({arguments.begin() + 1, arguments.end()});
  } catch (const std::exception& exception) {
    std::cerr << "Error: internal: " << exception.what() << '\n';
    return 1;
  }
}
