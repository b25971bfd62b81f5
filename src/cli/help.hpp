// Help on the screen, made from the command table and the embedded manual pages.
#pragma once

#include <iosfwd>
#include <span>
#include <string>
#include <string_view>

#include "base/embedded_text.hpp"
#include "base/result.hpp"
#include "cli/command.hpp"

namespace runctl::cli {

// The manual pages beside the commands' sources ("ebs/attach.md"), and the guides under docs/.
[[nodiscard]] std::span<const EmbeddedText> manual_pages();
[[nodiscard]] std::span<const EmbeddedText> guides();

// One command: usage, options, manual page.
[[nodiscard]] std::string command_help(const CommandSpec& command);

// The commands below `path` ("" is all of them).
[[nodiscard]] std::string group_help(std::span<const CommandSpec> commands, std::string_view path);

// Every command with its options and manual page, as one Markdown document.
[[nodiscard]] std::string reference(std::span<const CommandSpec> commands);

// A guide, or the section of one whose anchor or heading is `topic`.
// Errors: not_found, with the topics there are.
[[nodiscard]] Result<std::string> topic_help(std::string_view topic);

// Writes a page; for a terminal (`columns` is its width, 0 for anything else) in lines that fit it,
// and that are not too long to read.
void show_help(std::ostream& out, unsigned columns, std::string_view page);

// The manual page's name for a command: "aws ebs attach" is "ebs/attach.md", "aws create"
// "instance/create.md".
[[nodiscard]] std::string manual_name(std::string_view path);

}  // namespace runctl::cli
