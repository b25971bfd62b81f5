// The only place that builds real dependencies and passes them down.
#include <signal.h>
#include <unistd.h>

#include <exception>
#include <iostream>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "cli/run.hpp"
#include "emulator/hardware/machine_main.hpp"
#include "io/curl_transport.hpp"
#include "io/environment.hpp"
#include "io/log.hpp"
#include "io/random.hpp"
#include "io/real_clock.hpp"
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

// The first SIGINT or SIGTERM requests a stop, which every wait and every exchange obeys; a second one ends
// the process at once.
class SignalWatch {
 public:
  SignalWatch() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    signal(SIGPIPE, SIG_IGN);
    thread_ = std::jthread{[this](const std::stop_token& ended) {
      const timespec nap{.tv_sec = 0, .tv_nsec = 50'000'000};
      while (!ended.stop_requested()) {
        if (sigtimedwait(&signals_, nullptr, &nap) < 0) continue;
        if (!stop_.request_stop()) _exit(130);
      }
    }};
  }
  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }

 private:
  sigset_t signals_{};
  std::stop_source stop_;
  std::jthread thread_;
};

int run(std::vector<std::string> words) {
  using namespace runctl;
  const Environment environment = current_environment();
  SignalWatch signals;
  RealClock clock;
  CurlTransport http;
  SystemRandom random;
  StderrLog log{log_level(words, environment), wants_json_log(words) ? LogFormat::json : LogFormat::text};
  EmbeddedEmulator emulator{clock, random, log, environment, signals.token()};
  const bool terminal = isatty(STDERR_FILENO) == 1;
  cli::Context context{.clock = clock,
                       .http = http,
                       .random = random,
                       .log = log,
                       .environment = environment,
                       .emulator = emulator,
                       .in = std::cin,
                       .out = std::cout,
                       .err = std::cerr,
                       .interactive = terminal && isatty(STDIN_FILENO) == 1,
                       .colour = terminal && !environment.get("NO_COLOR"),
                       .stop = signals.token()};
  return static_cast<int>(cli::run(context, words));
}

}  // namespace

int main(int argc, char** argv) {
  const std::span<char*> arguments{argv, static_cast<std::size_t>(argc)};
  // The emulator re-executes this program as process 1 of its machines.
  if (argc > 1 && std::string_view{argv[1]} == "__machine") return runctl::emulator::machine_main(arguments);
  try {
    return run({arguments.begin() + 1, arguments.end()});
  } catch (const std::exception& exception) {
    std::cerr << "Error: internal: " << exception.what() << '\n';
    return 1;
  }
}
