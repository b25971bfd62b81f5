// runctl completion bash|zsh|fish
#include <array>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/parse.hpp"
#include "cli/run.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "SHELL", .help = "bash, zsh or fish"},
}};

// The words that may follow `path`: what groups and commands go on with.
std::string words_after(std::string_view path) {
  std::vector<std::string> words;
  std::set<std::string, std::less<>> seen;
  const std::string prefix = path.empty() ? std::string{} : std::string{path} + ' ';
  for (const CommandSpec& command : command_table()) {
    if (!command.path.starts_with(prefix)) continue;
    const std::string_view rest = command.path.substr(prefix.size());
    std::string word{rest.substr(0, rest.find(' '))};
    if (seen.insert(word).second) words.push_back(std::move(word));
  }
  return join(words, " ");
}

std::string options_of(const CommandSpec& command) {
  std::vector<std::string> names;
  for (const OptionSpec& option : command.options) names.emplace_back(option.name);
  for (const OptionSpec& option : global_options()) names.emplace_back(option.name);
  return join(names, " ");
}

// Every beginning of a command's path, the empty one among them.
std::set<std::string> groups() {
  std::set<std::string> all{""};
  for (const CommandSpec& command : command_table()) {
    for (std::size_t at = command.path.find(' '); at != std::string_view::npos;
         at = command.path.find(' ', at + 1)) {
      all.emplace(command.path.substr(0, at));
    }
  }
  return all;
}

// A function that finds the longest known path among the words, and offers what may follow it.
std::string bash_script() {
  std::string script =
      "# runctl completion bash: put `eval \"$(runctl completion bash)\"` into ~/.bashrc\n"
      "_runctl() {\n"
      "  local word path='' next words=''\n"
      "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
      "    case \"$word\" in -*) continue ;; esac\n"
      "    next=\"${path:+$path }$word\"\n"
      "    case \"$next\" in\n";
  std::string known;
  for (const std::string& group : groups()) {
    if (!group.empty()) known += fmt::format("{}'{}'", known.empty() ? "" : "|", group);
  }
  for (const CommandSpec& command : command_table()) known += fmt::format("|'{}'", command.path);
  script +=
      fmt::format("      {}) path=\"$next\" ;;\n    esac\n  done\n  case \"$path\" in\n", known);
  for (const std::string& group : groups()) {
    script += fmt::format("    '{}') words='{}' ;;\n", group, words_after(group));
  }
  for (const CommandSpec& command : command_table()) {
    script += fmt::format("    '{}') words='{}' ;;\n", command.path, options_of(command));
  }
  return script +
         "  esac\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\")\n"
         "}\n"
         "complete -o default -F _runctl runctl\n";
}

// zsh runs bash's function; what it lacks is given by bashcompinit.
std::string zsh_script() {
  return "# runctl completion zsh: put `eval \"$(runctl completion zsh)\"` into ~/.zshrc\n"
         "autoload -U +X compinit && compinit\n"
         "autoload -U +X bashcompinit && bashcompinit\n" +
         bash_script();
}

std::string fish_quote(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish_script() {
  std::string script = "# runctl completion fish: runctl completion fish | source\n";
  script +=
      "function __runctl_at\n"
      "  set -l words (commandline -opc)[2..]\n"
      "  set -l plain\n"
      "  for word in $words; string match -q -- '-*' $word; or set -a plain $word; end\n"
      "  set -l wanted (string split -n ' ' -- $argv[1])\n"
      "  test (count $plain) -ge (count $wanted); or return 1\n"
      "  test -z \"$argv[2]\" -a (count $plain) -ne (count $wanted); and return 1\n"
      "  test (count $wanted) -eq 0; and return 0\n"
      "  test \"$plain[1..(count $wanted)]\" = \"$wanted\"\n"
      "end\n";
  for (const std::string& group : groups()) {
    script += fmt::format("complete -c runctl -f -n \"__runctl_at '{}'\" -a {}\n", group,
                          fish_quote(words_after(group)));
  }
  for (const CommandSpec& command : command_table()) {
    for (const OptionSpec& option : command.options) {
      script += fmt::format("complete -c runctl -n \"__runctl_at '{}' deep\" -l {} -d {}{}\n",
                            command.path, option.name.substr(2), fish_quote(option.help),
                            option.value.empty() ? "" : " -r");
    }
  }
  for (const OptionSpec& option : global_options()) {
    script += fmt::format("complete -c runctl -l {} -d {}{}\n", option.name.substr(2),
                          fish_quote(option.help), option.value.empty() ? "" : " -r");
  }
  return script;
}

Result<ExitCode> print(const Arguments& arguments, Context& context) {
  const std::string& shell = arguments.positional("SHELL");
  if (shell == "bash") {
    context.out << bash_script();
  } else if (shell == "zsh") {
    context.out << zsh_script();
  } else if (shell == "fish") {
    context.out << fish_script();
  } else {
    return fail(Errc::invalid_argument, fmt::format("SHELL is bash, zsh or fish, not '{}'", shell));
  }
  return ExitCode::ok;
}

}  // namespace

const CommandSpec completion{.path = "completion",
                             .summary = "the words that a shell can complete",
                             .positionals = positionals,
                             .options = {},
                             .run = print};

}  // namespace runctl::cli
