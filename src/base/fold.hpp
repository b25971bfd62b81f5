// Manual pages on a narrow screen.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace runctl {

// `text` in at most `columns`: paragraphs are set anew, and the right column of a table ("  left
// right", two blanks between) is continued below itself. What is otherwise indented is commands to
// copy and stays as it is, as do headings, tables and fences of Markdown. A word that is wider than
// that stands alone.
[[nodiscard]] std::string fold(std::string_view text, std::size_t columns);

}  // namespace runctl
