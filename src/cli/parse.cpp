#include "cli/parse.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <memory>
#include <optional>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include "base/text.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<OptionSpec, 17> globals{{
    {.name = "--emulator", .help = "use the embedded emulator, starting it when it does not run"},
    {.name = "--profile",
     .value = "NAME",
     .help = "the profile of ~/.aws to take credentials from"},
    {.name = "--region", .value = "REGION", .help = "the AWS region"},
    {.name = "--endpoint-url", .value = "URL", .help = "send requests there instead of to AWS"},
    {.name = "--config", .value = "FILE", .help = "read this file instead of .runctl.toml"},
    {.name = "--output", .value = "text|json|id", .help = "how results are printed"},
    {.name = "--yes", .help = "consent to what would be asked", .alias = "--force", .letter = 'y'},
    {.name = "--dry-run", .help = "show what would be done, and do nothing"},
    {.name = "--timeout", .value = "DURATION", .help = "give up after this time: 90s, 15m, 2h"},
    {.name = "--verbose",
     .help = "say more on standard error; twice for debugging",
     .times = OptionSpec::Times::many,
     .letter = 'v'},
    {.name = "--quiet", .help = "no progress and no notes", .letter = 'q'},
    {.name = "--no-color", .help = "no colours"},
    {.name = "--log-format", .value = "text|json", .help = "how log lines on standard error look"},
    {.name = "--state", .value = "DIR", .help = "the emulator's state directory"},
    {.name = "--help", .help = "this text", .letter = 'h'},
    {.name = "--version", .help = "the version", .letter = 'V'},
    {.name = "--json", .help = "the same as --output json"},
}};

std::unexpected<Error> usage(std::string message, std::string hint) {
  auto error = fail(Errc::invalid_argument, std::move(message));
  error.error().hint = std::move(hint);
  return error;
}

const OptionSpec* find_option(std::span<const OptionSpec> options, std::string_view word) {
  const std::string_view name = word.substr(0, word.find('='));
  for (const OptionSpec& option : options) {
    const bool letter = name.size() >= 2 && name[0] == '-' && name[1] == option.letter &&
                        option.letter != '\0' && name[1] != '-';
    if (option.name == name || (!option.alias.empty() && option.alias == name) || letter)
      return &option;
  }
  return nullptr;
}

bool is_below(std::string_view path, std::string_view group) {
  return group.empty() ||
         (path.starts_with(group) && path.size() > group.size() && path[group.size()] == ' ');
}

// The words that may follow `group`.
std::vector<std::string_view> next_words(std::span<const CommandSpec> commands,
                                         std::string_view group) {
  std::vector<std::string_view> words;
  for (const CommandSpec& command : commands) {
    if (!is_below(command.path, group)) continue;
    std::string_view rest = command.path.substr(group.empty() ? 0 : group.size() + 1);
    rest = rest.substr(0, rest.find(' '));
    if (std::ranges::find(words, rest) == words.end()) words.push_back(rest);
  }
  return words;
}

// Takes the words of the command's name out of `words`; what remains is for the options' parser.
Result<void> find_command(std::span<const CommandSpec> commands, std::vector<std::string>& words,
                          Invocation& found) {
  for (std::size_t i = 0; i < words.size() && found.command == nullptr;) {
    const std::string& word = words[i];
    if (word == "--") break;
    if (word.starts_with('-') && word.size() > 1) {
      const OptionSpec* option = find_option(globals, word);
      const bool takes_next = option != nullptr && !option->value.empty() && !word.contains('=');
      i += takes_next ? 2 : 1;
      continue;
    }
    const auto known = next_words(commands, found.path);
    if (std::ranges::find(known, std::string_view{word}) == known.end()) {
      const std::string_view near = nearest(word, known);
      const std::string prefix = found.path.empty() ? "runctl" : "runctl " + found.path;
      return usage(fmt::format("there is no command '{} {}'", prefix, word),
                   near.empty() ? fmt::format("See {} --help.", prefix)
                                : fmt::format("Did you mean '{} {}'?", prefix, near));
    }
    found.path += (found.path.empty() ? "" : " ") + word;
    words.erase(words.begin() + static_cast<std::ptrdiff_t>(i));
    for (const CommandSpec& command : commands) {
      if (command.path == found.path) found.command = &command;
    }
  }
  return {};
}

// What CLI11 fills in; the addresses must not change while it holds them.
struct Slots {
  struct Slot {
    std::string name;
    std::vector<std::string> values = {};
    std::string value =
        {};  // of a positional that takes one word: a second one is then superfluous
    CLI::Option* option = nullptr;
  };
  std::deque<Slot> options;
  std::deque<Slot> positionals;
};

void declare_options(CLI::App& app, std::span<const OptionSpec> specs, Slots& slots) {
  for (const OptionSpec& spec : specs) {
    auto& slot = slots.options.emplace_back();
    slot.name = spec.name;
    std::string names{spec.name};
    if (!spec.alias.empty()) names += fmt::format(",{}", spec.alias);
    if (spec.letter != '\0') names += fmt::format(",-{}", spec.letter);
    if (spec.value.empty()) {
      slot.option = app.add_flag(names);
    } else {
      slot.option = app.add_option(names, slot.values);
      const int least = spec.value.starts_with('[') ? 0 : 1;
      slot.option->allow_extra_args(false)->expected(least, 1)->multi_option_policy(
          CLI::MultiOptionPolicy::TakeAll);
    }
  }
}

void declare_positionals(CLI::App& app, std::span<const PositionalSpec> specs, Slots& slots) {
  for (const PositionalSpec& spec : specs) {
    auto& slot = slots.positionals.emplace_back();
    slot.name = spec.name;
    if (spec.need == PositionalSpec::Need::rest) {
      slot.option = app.add_option(std::string{spec.name}, slot.values)->expected(0, 100'000);
    } else {
      slot.option = app.add_option(std::string{spec.name}, slot.value);
    }
  }
}

std::unexpected<Error> superfluous(const Invocation& invocation, const std::string& word) {
  const std::string help = fmt::format("See runctl {} --help.", invocation.path);
  if (!word.starts_with('-')) return usage(fmt::format("'{}' is one word too many", word), help);
  std::vector<std::string_view> names;
  for (const OptionSpec& option : invocation.command->options) names.push_back(option.name);
  for (const OptionSpec& option : globals) names.push_back(option.name);
  const std::string_view near = nearest(word.substr(0, word.find('=')), names);
  return usage(fmt::format("runctl {} has no option '{}'", invocation.path, word),
               near.empty() ? help : fmt::format("Did you mean {}?", near));
}

void collect(Slots& slots, Arguments& arguments) {
  for (auto& slot : slots.options) {
    if (slot.option->count() == 0) continue;
    if (slot.values.empty()) slot.values.resize(slot.option->count());
    arguments.options.emplace(slot.name, std::move(slot.values));
  }
  for (auto& slot : slots.positionals) {
    if (!slot.value.empty()) slot.values = {std::move(slot.value)};
    if (slot.values.empty()) continue;
    auto& words = arguments.positionals[slot.name];
    words.insert(words.begin(), slot.values.begin(), slot.values.end());
  }
}

// Takes what stands behind `--` off `words` and gives it to the command's last positional, to the
// letter.
Result<void> take_rest(Invocation& invocation, std::vector<std::string>& words) {
  const auto mark = std::ranges::find(words, "--");
  if (mark == words.end()) return {};
  std::vector<std::string> rest{mark + 1, words.end()};
  words.erase(mark, words.end());
  const auto positionals = invocation.command->positionals;
  if (positionals.empty() || positionals.back().need != PositionalSpec::Need::rest) {
    return usage(fmt::format("runctl {} takes nothing behind --", invocation.path),
                 fmt::format("See runctl {} --help.", invocation.path));
  }
  if (!rest.empty())
    invocation.arguments.positionals.emplace(positionals.back().name, std::move(rest));
  return {};
}

Result<void> parse_arguments(Invocation& invocation, std::vector<std::string> words) {
  const CommandSpec& command = *invocation.command;
  RUNCTL_TRY(take_rest(invocation, words));
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  app.positionals_at_end(false);
  Slots slots;
  declare_options(app, globals, slots);
  declare_options(app, command.options, slots);
  declare_positionals(app, command.positionals, slots);
  std::ranges::reverse(words);  // CLI11 takes them from the back
  try {
    app.parse(words);
  } catch (const CLI::ParseError& error) {
    return usage(error.what(), fmt::format("See runctl {} --help.", invocation.path));
  }
  collect(slots, invocation.arguments);
  if (invocation.arguments.has("--help")) return {};
  if (const auto extra = app.remaining(); !extra.empty())
    return superfluous(invocation, extra.front());
  for (const PositionalSpec& spec : command.positionals) {
    const bool missing = !invocation.arguments.positionals.contains(spec.name);
    if (missing && spec.need == PositionalSpec::Need::required) {
      return usage(fmt::format("runctl {} needs {}: {}", invocation.path, spec.name, spec.help),
                   fmt::format("See runctl {} --help.", invocation.path));
    }
  }
  return {};
}

bool is_flag(const std::string& word, std::string_view name, std::string_view letter) {
  return word == name || word == letter;
}

}  // namespace

std::span<const OptionSpec> global_options() { return globals; }

Result<Invocation> parse(std::span<const CommandSpec> commands,
                         std::span<const std::string> words) {
  Invocation invocation;
  std::vector<std::string> rest{words.begin(), words.end()};
  RUNCTL_TRY(find_command(commands, rest, invocation));
  const auto end_of_options = std::ranges::find(rest, "--");
  for (auto word = rest.begin(); word != end_of_options; ++word) {
    invocation.wants_help = invocation.wants_help || is_flag(*word, "--help", "-h");
    invocation.wants_version = invocation.wants_version || is_flag(*word, "--version", "-V");
  }
  if (invocation.command == nullptr || invocation.wants_help || invocation.wants_version) {
    for (auto word = rest.begin(); word != end_of_options && invocation.command == nullptr;
         ++word) {
      if (word->starts_with('-') && find_option(globals, *word) == nullptr) {
        return usage(fmt::format("there is no option '{}'", *word), "See runctl --help.");
      }
    }
    return invocation;
  }
  RUNCTL_TRY(parse_arguments(invocation, std::move(rest)));
  return invocation;
}

std::optional<std::string> Arguments::get(std::string_view name) const {
  const auto found = options.find(name);
  if (found == options.end() || found->second.empty()) return std::nullopt;
  return found->second.back();
}

std::vector<std::string> Arguments::all(std::string_view name) const {
  const auto found = options.find(name);
  return found == options.end() ? std::vector<std::string>{} : found->second;
}

const std::string& Arguments::positional(std::string_view name) const {
  return positionals.find(name)->second.front();
}

std::optional<std::string> Arguments::first(std::string_view name) const {
  auto words = rest(name);
  if (words.empty()) return std::nullopt;
  return std::move(words.front());
}

std::vector<std::string> Arguments::rest(std::string_view name) const {
  const auto found = positionals.find(name);
  return found == positionals.end() ? std::vector<std::string>{} : found->second;
}

}  // namespace runctl::cli
