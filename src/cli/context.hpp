// Everything a command may touch. main() builds the real one, tests their own.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <stop_token>
#include <string>

#include "aws/credentials.hpp"
#include "cli/command.hpp"
#include "io/clock.hpp"
#include "io/environment.hpp"
#include "io/http_transport.hpp"
#include "io/log.hpp"
#include "io/process.hpp"
#include "io/random.hpp"

namespace runctl::cli {

class EmulatorControl;

enum class OutputFormat : std::uint8_t { text, json, id };

// The options that every command has, and what the configuration says where they are silent.
struct Globals {
  OutputFormat output = OutputFormat::text;
  bool yes = false;
  bool dry_run = false;
  bool quiet = false;
  bool use_emulator = false;
  std::optional<std::chrono::seconds> timeout = {};
  // Whose account, which region and endpoint: what the command line says, and what runctl's files
  // say.
  aws::AccountChoice flags = {};
  aws::AccountChoice settings = {};
  std::string emulator_state = {};  // directory
  // How scripts reach machines; with ssh, as whom, and by which name.
  bool use_ssh = false;
  std::string ssh_user = {};
  bool ssh_by_id = false;
  std::string code_bucket = {};  // of S3: what more code than fits into commands goes through
};

struct Context {
  Clock& clock;
  HttpTransport& http;
  Process& process;
  Random& random;
  Log& log;
  const Environment& environment;
  EmulatorControl& emulator;
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool interactive = false;  // standard input and error are a terminal: questions can be asked
  bool colour = false;       // standard error takes escape sequences
  unsigned width = 0;        // columns of the terminal that standard output is; 0 when it is none
  std::stop_token stop = {};
  // Once a stop was requested: waits so long for another Ctrl-C, which ends the process otherwise,
  // and says whether it came. `announce` is called when it is waited for already. Empty where none
  // can be told.
  std::function<bool(std::chrono::milliseconds, const std::function<void()>& announce)>
      second_interrupt = {};
  Globals globals = {};
  bool has_named_emulator = false;  // said once a command that it is not AWS
};

// The user's home directory.
[[nodiscard]] inline std::string home_of(const Context& context) {
  return context.environment.get("HOME").value_or("/root");
}

}  // namespace runctl::cli
