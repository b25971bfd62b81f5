#include "cli/help.hpp"

#include <algorithm>
#include <optional>
#include <ostream>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/fold.hpp"
#include "base/text.hpp"
#include "cli/parse.hpp"

namespace runctl::cli {
namespace {

// "Held volume!" -> "held-volume", as GitHub makes anchors of headings.
std::string anchor_of(std::string_view heading) {
  std::string anchor;
  for (const char c : lower(heading)) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) anchor += c;
    if (c == ' ' || c == '-') anchor += '-';
  }
  return anchor;
}

std::size_t level_of(std::string_view line) {
  const auto level = line.find_first_not_of('#');
  return level != std::string_view::npos && level > 0 && line[level] == ' ' ? level : 0;
}

struct Section {
  std::string anchor;
  std::string text;
};

// The headings of a Markdown text with what stands below each, deeper headings included.
std::vector<Section> sections_of(std::string_view guide) {
  const auto lines = split(guide, '\n');
  std::vector<Section> sections;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::size_t level = level_of(lines[i]);
    if (level == 0) continue;
    Section section{.anchor = anchor_of(lines[i].substr(level + 1)), .text = {}};
    for (std::size_t k = i; k < lines.size(); ++k) {
      const std::size_t other = level_of(lines[k]);
      if (k > i && other != 0 && other <= level) break;
      section.text += std::string{lines[k]} + '\n';
    }
    sections.push_back(std::move(section));
  }
  return sections;
}

std::string stem(std::string_view name) {
  name = name.substr(0, name.rfind('.'));
  return lower(name.substr(name.rfind('/') + 1));
}

std::string usage_line(const CommandSpec& command) {
  std::string line = fmt::format("Usage: runctl {}", command.path);
  for (const PositionalSpec& positional : command.positionals) {
    switch (positional.need) {
      case PositionalSpec::Need::required:
        line += fmt::format(" {}", positional.name);
        break;
      case PositionalSpec::Need::optional:
        line += fmt::format(" [{}]", positional.name);
        break;
      case PositionalSpec::Need::rest:
        line += fmt::format(" [-- {}…]", positional.name);
        break;
    }
  }
  return line + " [OPTIONS]\n";
}

using Rows = std::vector<std::pair<std::string, std::string_view>>;

std::string rows_text(const Rows& rows) {
  std::size_t widest = 0;
  for (const auto& [left, right] : rows) widest = std::max(widest, left.size());
  widest = std::min<std::size_t>(widest, 34);
  std::string out;
  for (const auto& [left, right] : rows) {
    if (left.size() > widest) {
      out += fmt::format("  {}\n  {:{}}  {}\n", left, "", widest, right);
    } else {
      out += fmt::format("  {:{}}  {}\n", left, widest, right);
    }
  }
  return out;
}

Rows option_rows(std::span<const OptionSpec> options) {
  Rows rows;
  for (const OptionSpec& option : options) {
    std::string left = option.letter != '\0' ? fmt::format("-{}, ", option.letter) : "    ";
    left += option.name;
    if (!option.value.empty()) left += fmt::format(" {}", option.value);
    if (option.times == OptionSpec::Times::many && !option.value.empty()) left += " …";
    rows.emplace_back(std::move(left), option.help);
  }
  return rows;
}

std::string_view manual_of(std::string_view path) {
  const std::string name = manual_name(path);
  for (const EmbeddedText& page : manual_pages()) {
    if (page.name == name) return page.text;
  }
  return {};
}

}  // namespace

std::string manual_name(std::string_view path) {
  if (path.starts_with("aws ebs ")) return fmt::format("ebs/{}.md", path.substr(8));
  if (path.starts_with("aws ")) return fmt::format("instance/{}.md", path.substr(4));
  if (path.starts_with("emulator fault "))
    return fmt::format("emulator/fault_{}.md", path.substr(15));
  if (path.starts_with("emulator ")) return fmt::format("emulator/{}.md", path.substr(9));
  if (path.starts_with("s3 ")) return fmt::format("s3/{}.md", path.substr(3));
  if (path.starts_with("checkpoint ")) return fmt::format("checkpoint/{}.md", path.substr(11));
  if (path.starts_with("runs ")) return fmt::format("runs/{}.md", path.substr(5));
  if (path.starts_with("operations ")) return fmt::format("operations/{}.md", path.substr(11));
  if (path.starts_with("config ")) return fmt::format("config_{}.md", path.substr(7));
  return fmt::format("{}.md", path);
}

namespace {

// What is particular to one command, below its name.
std::string command_body(const CommandSpec& command) {
  std::string out = usage_line(command);
  if (!command.positionals.empty()) {
    Rows rows;
    for (const PositionalSpec& positional : command.positionals) {
      rows.emplace_back(positional.name, positional.help);
    }
    out += "\n" + rows_text(rows);
  }
  if (!command.options.empty()) out += "\nOptions:\n" + rows_text(option_rows(command.options));
  const std::string_view manual = trim(manual_of(command.path));
  if (!manual.empty()) out += fmt::format("\n{}\n", manual);
  return out;
}

}  // namespace

std::string command_help(const CommandSpec& command) {
  return fmt::format(
      "runctl {}: {}\n\n{}\nOptions of every command: runctl --help. Exit codes: runctl help "
      "exit-codes.\n",
      command.path, command.summary, command_body(command));
}

std::string reference(std::span<const CommandSpec> commands) {
  std::string out = "# Commands of runctl\n\n## Options of every command\n\n```text\n" +
                    rows_text(option_rows(global_options())) + "```\n";
  for (const CommandSpec& command : commands) {
    out += fmt::format("\n## runctl {}\n\n{}.\n\n```text\n{}```\n", command.path, command.summary,
                       command_body(command));
  }
  return out;
}

std::string group_help(std::span<const CommandSpec> commands, std::string_view path) {
  std::string out;
  if (path.empty()) {
    out =
        "runctl runs machine-learning training on machines you rent and keeps the data on their "
        "volumes safe.\n"
        "\nUsage: runctl COMMAND [OPTIONS]\n\nCommands:\n";
  } else {
    out = fmt::format("Usage: runctl {} COMMAND [OPTIONS]\n\nCommands:\n", path);
  }
  Rows rows;
  for (const CommandSpec& command : commands) {
    if (path.empty() || command.path.starts_with(std::string{path} + ' ')) {
      rows.emplace_back(command.path, command.summary);
    }
  }
  out += rows_text(rows);
  if (path.empty())
    out += "\nOptions of every command:\n" + rows_text(option_rows(global_options()));
  if (path.empty()) {
    out +=
        "\nStart with `runctl quickstart`: a tour on the embedded emulator, without an account.\n";
  }
  return out + fmt::format("\nMore on one of them: runctl {}{}COMMAND --help\n", path,
                           path.empty() ? "" : " ");
}

void show_help(std::ostream& out, unsigned columns, std::string_view page) {
  constexpr unsigned readable = 100;
  if (columns == 0) {
    out << page;
  } else {
    out << fold(page, std::min(columns, readable));
  }
}

Result<std::string> topic_help(std::string_view topic) {
  const std::string wanted = anchor_of(topic.substr(topic.find('#') + 1));
  std::vector<std::string> topics;
  for (const EmbeddedText& guide : guides()) {
    if (stem(guide.name) == lower(topic)) return std::string{guide.text};
    topics.push_back(stem(guide.name));
    for (Section& section : sections_of(guide.text)) {
      if (section.anchor == wanted) return std::move(section.text);
    }
  }
  auto missing = fail(Errc::not_found, fmt::format("there is no help on '{}'", topic));
  missing.error().hint =
      "Topics: reference, " + join(topics, ", ") + ", and every heading in these.";
  return missing;
}

}  // namespace runctl::cli
