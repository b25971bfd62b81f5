// runctl help
#include <array>
#include <ostream>

#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/run.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "TOPIC",
     .help = "a command, a guide, or a heading in one",
     .need = PositionalSpec::Need::rest},
}};

Result<ExitCode> show(const Arguments& arguments, Context& context) {
  const auto words = arguments.rest("TOPIC");
  const std::string topic = join(words, " ");
  const auto show_page = [&](std::string_view page) {
    show_help(context.out, context.width, page);
    return ExitCode::ok;
  };
  if (topic == "reference") {
    context.out << reference(command_table());
    return ExitCode::ok;
  }
  if (topic.empty()) return show_page(group_help(command_table(), ""));
  for (const CommandSpec& command : command_table()) {
    if (command.path == topic) return show_page(command_help(command));
    if (command.path.starts_with(topic + ' ')) {
      return show_page(group_help(command_table(), topic));
    }
  }
  RUNCTL_TRY_LET(const auto text, topic_help(topic));
  return show_page(text);
}

}  // namespace

const CommandSpec help{.path = "help",
                       .summary = "help on a command or a topic, offline",
                       .positionals = positionals,
                       .options = {},
                       .run = show};

}  // namespace runctl::cli
