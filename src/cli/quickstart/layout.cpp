#include "cli/quickstart/layout.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace runctl::cli {
namespace {

// Of characters, not of bytes: what follows the first byte of one in UTF-8 is 10xxxxxx.
std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string quoted(const std::string& word) {
  const bool plain =
      !word.empty() && word.find_first_of(" \t\n'\"\\$`;&|<>()*?[]#~!{}") == std::string::npos;
  return plain ? word : shell_quote(word);
}

// "--option value" as one piece.
std::vector<std::string> pieces_of(const std::vector<std::string>& words) {
  std::vector<std::string> pieces;
  bool after_option = false;
  for (const std::string& word : words) {
    const bool option = word.starts_with("-");
    if (after_option && !option) {
      pieces.back() += ' ' + quoted(word);
    } else {
      pieces.push_back(quoted(word));
    }
    after_option = option && word != "--";
  }
  return pieces;
}

}  // namespace

std::string wrapped(std::string_view text, unsigned width, std::string_view hanging) {
  if (width == 0 || columns(text) <= width) return std::string{text};
  const std::size_t indent = text.find_first_not_of(' ');
  if (indent == std::string_view::npos) return std::string{text};
  std::string out{text.substr(0, indent)};
  std::size_t used = indent;
  bool first = true;  // of its line
  for (const std::string_view word : split(text.substr(indent), ' ')) {
    if (!first && used + 1 + columns(word) > width) {
      out += '\n';
      out += hanging;
      used = columns(hanging);
      first = true;
    }
    if (!first) {
      out += ' ';
      ++used;
    }
    out += word;
    used += columns(word);
    first = false;
  }
  return out;
}

std::string command_lines(const std::vector<std::string>& words, unsigned width) {
  constexpr std::string_view continued = " \\\n    ";
  std::string out;
  std::size_t used = 0;
  for (const std::string& piece : pieces_of(words)) {
    const std::size_t wide = columns(piece);
    // Two columns for the backslash that another line may need.
    if (used > 0 && used + 1 + wide + 2 > width) {
      out += continued;
      used = 4;
    } else if (used > 0) {
      out += ' ';
      ++used;
    }
    out += piece;
    used += wide;
  }
  return out;
}

}  // namespace runctl::cli
