#include "cli/quickstart/tour.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ostream>
#include <sstream>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "base/json.hpp"
#include "base/text.hpp"
#include "cli/cloud.hpp"
#include "cli/quickstart/layout.hpp"
#include "cli/run.hpp"

namespace runctl::cli {
namespace {

// What is said, and commands, are as wide as the narrowest terminal that people use; answers are as
// wide as the terminal.
constexpr unsigned text_width = 78;
constexpr std::chrono::seconds typed_patience{120};

// Runs each command on its own and tells where its output ends, and how: "\n\1STATUS\n".
std::string script_of(std::span<const std::string> commands) {
  std::string script = "exec 2>&1 </dev/null\n";
  for (const std::string& command : commands) {
    script += fmt::format("(eval {})\nprintf '\\n\\001%s\\n' $?\n", shell_quote(command));
  }
  return script;
}

Result<std::vector<Typed>> parse_typed(std::string_view out, std::size_t expected) {
  std::vector<Typed> typed;
  std::size_t at = 0;
  while (typed.size() < expected) {
    const auto mark = out.find("\n\1", at);
    const auto end = mark == out.npos ? out.npos : out.find('\n', mark + 1);
    if (end == out.npos) return fail(Errc::corrupt, "the answer of the machine was cut off");
    int status = -1;
    std::from_chars(out.data() + mark + 2, out.data() + end, status);
    typed.push_back({.exit_status = status, .said = std::string{out.substr(at, mark - at)}});
    at = end + 1;
  }
  return typed;
}

// Of many epochs the first and the last few; how many are left out is said.
constexpr std::size_t epochs_kept = 3;  // at each end

std::vector<std::string> shown_lines(std::string_view text) {
  std::vector<std::string> lines;
  std::vector<std::string> epochs;
  const auto flush = [&] {
    const bool many = epochs.size() > 2 * epochs_kept + 1;
    for (std::size_t i = 0; i < epochs.size(); ++i) {
      const bool kept = !many || i < epochs_kept || i >= epochs.size() - epochs_kept;
      if (kept) lines.push_back(std::move(epochs[i]));
      if (many && i == epochs_kept)
        lines.push_back(fmt::format("[{} epochs more]", epochs.size() - 2 * epochs_kept));
    }
    epochs.clear();
  };
  for (const std::string_view line : split(text, '\n')) {
    if (line.starts_with("epoch=")) {
      epochs.emplace_back(line);
      continue;
    }
    flush();
    // The note on the emulator stands before each answer; said once is enough.
    if (!line.empty() && !line.starts_with("(emulator at")) lines.emplace_back(line);
  }
  flush();
  return lines;
}

std::unexpected<Error> unexpected_end(std::string_view what, int expected, int got,
                                      std::string_view said) {
  auto failure = fail(Errc::internal,
                      fmt::format("the tour expected '{}' to end with {}, and it ended with {}",
                                  what, expected, got));
  for (const std::string_view line : split(trim(said), '\n'))
    failure.error().details.emplace_back(line);
  return failure;
}

}  // namespace

void Tour::step(std::string title) {
  ++current_;
  title_ = std::move(title);
  context_.out << fmt::format("\n[{}/{}] {}\n", current_, steps_, title_) << std::flush;
}

void Tour::say(std::string_view text) {
  context_.out << '\n';
  for (const std::string_view line : split(text, '\n'))
    context_.out << wrapped(line, text_width,
                            line.starts_with("- ") || line.starts_with("  ") ? "  " : "")
                 << '\n';
  context_.out << std::flush;
}

void Tour::show_command(const std::vector<std::string>& words) {
  context_.out << "$ " << command_lines(words, text_width - 2) << '\n' << std::flush;
}

void Tour::show_answer(std::string_view text) {
  for (const std::string& line : shown_lines(text)) {
    const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
    context_.out << wrapped("  " + line, context_.width, std::string(indent + 4, ' ')) << '\n';
  }
  context_.out << std::flush;
}

Context Tour::on_cloud(std::ostream& screen) const {
  Context inner{.clock = context_.clock,
                .http = context_.http,
                .process = context_.process,
                .random = context_.random,
                .log = context_.log,
                .environment = context_.environment,
                .emulator = context_.emulator,
                .in = context_.in,
                .out = screen,
                .err = screen,
                .stop = context_.stop};
  inner.globals.use_emulator = true;
  inner.globals.emulator_state = state_;
  return inner;
}

Tour::Ran Tour::execute(std::vector<std::string> words) const {
  const auto end = std::ranges::find(words, "--");
  const std::array<std::string, 3> own{"--emulator", "--state", state_};
  words.insert(end, own.begin(), own.end());
  std::ostringstream screen;
  Context inner = on_cloud(screen);
  const ExitCode code = cli::run(inner, words);
  return {.code = code, .said = screen.str()};
}

Result<std::string> Tour::run(std::vector<std::string> words, ExitCode expected) {
  std::vector<std::string> shown{"runctl"};
  shown.insert(shown.end(), words.begin(), words.end());
  show_command(shown);
  Ran ran = execute(std::move(words));
  show_answer(ran.said);
  if (ran.code == expected) return std::move(ran.said);
  if (ran.code == ExitCode::cancelled) return fail(Errc::cancelled, "it was stopped");
  return unexpected_end(join(shown, " "), static_cast<int>(expected), static_cast<int>(ran.code),
                        ran.said);
}

Result<std::string> Tour::run_for_id(std::vector<std::string> words) {
  words.insert(words.end(), {"--output", "id"});
  RUNCTL_TRY_LET(const auto said, run(std::move(words)));
  const std::string_view text = trim(said);
  return std::string{text.substr(text.rfind('\n') + 1)};  // npos + 1 is 0: a single line
}

Result<boost::json::value> Tour::ask(std::vector<std::string> words) {
  words.insert(words.end(), {"--output", "json", "--quiet"});
  const std::string what = join(words, " ");
  const Ran ran = execute(std::move(words));
  if (ran.code == ExitCode::cancelled) return fail(Errc::cancelled, "it was stopped");
  if (ran.code != ExitCode::ok)
    return unexpected_end(what, 0, static_cast<int>(ran.code), ran.said);
  return parse_json(ran.said);
}

void Tour::show_typed(const TourMachine& machine, std::string_view command, const Typed& typed) {
  context_.out << fmt::format("{}# {}\n", machine.name, command);
  show_answer(typed.said);
}

Result<std::vector<Typed>> Tour::type(const TourMachine& machine,
                                      std::span<const std::string> commands) {
  std::ostringstream screen;
  Context inner = on_cloud(screen);
  RUNCTL_TRY_LET(const auto cloud, connect(inner));
  RUNCTL_TRY_LET(const auto outcome, cloud->shell().run(machine.id, script_of(commands),
                                                        typed_patience, context_.stop));
  RUNCTL_TRY_LET(auto typed, parse_typed(outcome.out, commands.size()));
  for (std::size_t i = 0; i < commands.size(); ++i) show_typed(machine, commands[i], typed[i]);
  return typed;
}

Result<std::string> Tour::type(const TourMachine& machine, const std::string& command) {
  RUNCTL_TRY_LET(auto typed, type(machine, std::span{&command, 1}));
  if (typed.front().exit_status == 0) return std::move(typed.front().said);
  return unexpected_end(command, 0, typed.front().exit_status, typed.front().said);
}

Result<void> Tour::type_at_once(std::span<const TourMachine> machines,
                                const std::vector<std::string>& commands) {
  std::ostringstream screen;
  Context inner = on_cloud(screen);
  RUNCTL_TRY_LET(const auto cloud, connect(inner));
  std::vector<Result<node::ShellOutcome>> outcomes(machines.size(), node::ShellOutcome{});
  {
    std::vector<std::jthread> threads;
    threads.reserve(machines.size());
    for (std::size_t i = 0; i < machines.size(); ++i) {
      threads.emplace_back([&, i] {
        outcomes[i] = cloud->shell().run(machines[i].id, script_of(std::span{&commands[i], 1}),
                                         typed_patience, context_.stop);
      });
    }
  }
  for (std::size_t i = 0; i < machines.size(); ++i) {
    RUNCTL_TRY_LET(const auto outcome, std::move(outcomes[i]));
    RUNCTL_TRY_LET(const auto typed, parse_typed(outcome.out, 1));
    show_typed(machines[i], commands[i], typed.front());
    if (typed.front().exit_status != 0)
      return unexpected_end(commands[i], 0, typed.front().exit_status, typed.front().said);
  }
  return {};
}

std::unexpected<Error> Tour::failed(Error error) const {
  if (current_ == 0) return std::unexpected{std::move(error)};
  const std::string where = fmt::format("step {} of {}, '{}'", current_, steps_, title_);
  error.message = error.code == Errc::cancelled
                      ? "the tour was stopped at " + where
                      : fmt::format("the tour failed at {}: {}", where, error.message);
  return std::unexpected{std::move(error)};
}

}  // namespace runctl::cli
