#include "node/ssh_shell.hpp"

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "base/text.hpp"
#include "node/script.hpp"

namespace runctl::node {
namespace {

constexpr std::chrono::seconds connect_timeout{10};
// Beyond the script's own time: to connect, to be killed there, to say good-bye.
constexpr std::chrono::seconds grace = connect_timeout + std::chrono::seconds{15};
// A script that does not end upon SIGTERM gets SIGKILL.
constexpr std::chrono::seconds kill_after{5};
// Source: timeout(1): 124 when it had to end the command, 137 when it had to kill it.
constexpr int timed_out = 124;
constexpr int was_killed = 137;
// Source: ssh(1), EXIT STATUS. The script's own status comes in a line of its own.
constexpr int ssh_failed = 255;

// The lines that show that the script was begun, and how it ended: what a login shell says stands
// before them.
constexpr std::string_view begin_line = "runctl-begin\n";
constexpr std::string_view end_line = "\nrunctl-end ";

// For any login shell: words in single quotes mean the same to all of them.
std::string remote_command(std::chrono::seconds timeout) {
  const auto as_root = fmt::format(
      R"sh(echo runctl-begin; timeout -k {} {} /bin/sh -c 'eval "$(cat)"'; printf '\nrunctl-end %d\n' $?)sh",
      kill_after.count(), timeout.count());
  const std::string become_root =
      R"sh(if [ "$(id -u)" = 0 ]; then exec /bin/sh -c "$1"; else exec sudo -n /bin/sh -c "$1"; fi)sh";
  return fmt::format("exec /bin/sh -c {} sh {}", shell_quote(become_root), shell_quote(as_root));
}

std::string last_words(std::string_view text) {
  text = trim(text);
  const auto start = text.rfind('\n');
  return to_utf8(trim(start == std::string_view::npos ? text : text.substr(start + 1)));
}

struct Transcript {
  bool begun = false;
  std::optional<int> status = {};
  std::string out = {};
};

Transcript read_transcript(std::string_view said) {
  Transcript transcript;
  const auto begin = said.find(begin_line);
  if (begin == std::string_view::npos) return transcript;
  transcript.begun = true;
  said.remove_prefix(begin + begin_line.size());
  // A script may say anything, and the line itself: the last one is ours.
  const auto end = said.rfind(end_line);
  if (end == std::string_view::npos) return transcript;
  const auto digits = said.substr(end + end_line.size());
  int status = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), status);
  if (read.ec == std::errc{}) transcript.status = status;
  transcript.out = said.substr(0, end);
  return transcript;
}

std::unexpected<Error> failed(Errc code, Effect effect, std::string message, std::string hint) {
  Error error{.code = code, .message = std::move(message), .hint = std::move(hint)};
  error.effect = effect;
  return std::unexpected{std::move(error)};
}

// Why there is no status of the script.
std::unexpected<Error> explain(const InstanceId& instance, const std::string& host,
                               const ProcessOutcome& ssh, bool begun) {
  const std::string words = last_words(ssh.err);
  if (begun) {
    return failed(Errc::unavailable, Effect::unknown,
                  fmt::format("the connection to instance {} ({}) broke while a script ran: {}",
                              instance, host, words),
                  "");
  }
  const bool is_ssh = ssh.exit_status == ssh_failed || !ssh.exit_status;
  if (!is_ssh) {
    return failed(Errc::denied, Effect::not_applied,
                  fmt::format("cannot become root on instance {} ({}): {}", instance, host, words),
                  "The user that ssh logs in as must be root, or be allowed `sudo -n /bin/sh`.");
  }
  const bool refused =
      ssh.err.contains("Permission denied") || ssh.err.contains("Host key verification failed");
  return failed(refused ? Errc::denied : Errc::unavailable, Effect::not_applied,
                fmt::format("ssh to instance {} ({}) failed: {}", instance, host, words),
                fmt::format("Try by hand: ssh {}", host));
}

}  // namespace

Result<ShellOutcome> SshShell::run(const InstanceId& instance, const std::string& script,
                                   std::chrono::seconds timeout, const std::stop_token& stop) {
  RUNCTL_TRY_LET(const std::string host, access_.host_of(instance));
  if (host.empty() || host.starts_with('-')) {
    return fail(Errc::invalid_argument,
                fmt::format("'{}' is no host that ssh could connect to", to_utf8(host)));
  }
  ProcessSpec spec{.argv = {"ssh"}, .environment = access_.environment, .input = script};
  spec.argv.insert(spec.argv.end(), access_.options.begin(), access_.options.end());
  for (const char* option : {"-T", "-o", "BatchMode=yes", "-o"}) spec.argv.emplace_back(option);
  spec.argv.push_back(fmt::format("ConnectTimeout={}", connect_timeout.count()));
  spec.argv.insert(spec.argv.end(), {"--", host, remote_command(timeout)});
  auto ssh = process_.run(spec, clock_.ticks() + timeout + grace, stop);
  if (!ssh) {
    auto& error = ssh.error();
    if (error.code == Errc::deadline_exceeded || error.code == Errc::cancelled)
      error.effect = Effect::unknown;
    return std::unexpected{std::move(error)};
  }
  auto transcript = read_transcript(ssh->out);
  if (!transcript.status) return explain(instance, host, *ssh, transcript.begun);
  if (transcript.status == timed_out || transcript.status == was_killed) {
    return failed(
        Errc::deadline_exceeded, Effect::unknown,
        fmt::format("a command on instance {} ({}) did not end in time and was ended there",
                    instance, host),
        "");
  }
  return ShellOutcome{.exit_status = *transcript.status,
                      .out = std::move(transcript.out),
                      .err = std::move(ssh->err)};
}

}  // namespace runctl::node
