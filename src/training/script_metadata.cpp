#include "training/script_metadata.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "base/text.hpp"

namespace runctl::training {
namespace {

constexpr std::string_view opening = "# /// ";
constexpr std::string_view closing = "# ///";

bool is_content(std::string_view line) { return line == "#" || line.starts_with("# "); }

// A type: letters, digits and '-'.
std::optional<std::string_view> type_opened_by(std::string_view line) {
  if (!line.starts_with(opening)) return std::nullopt;
  const std::string_view type = line.substr(opening.size());
  const bool good = !type.empty() && std::ranges::all_of(type, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
  return good ? std::optional{type} : std::nullopt;
}

// The line that closes a block whose content begins at `from`: the last one that does among the
// comments that follow each other, so that the content may have such lines too.
std::optional<std::size_t> closing_line(std::span<const std::string_view> lines, std::size_t from) {
  std::optional<std::size_t> found;
  for (std::size_t at = from; at < lines.size() && is_content(lines[at]); ++at) {
    if (lines[at] == closing) found = at;
  }
  return found;
}

}  // namespace

Result<std::optional<std::string>> script_metadata(std::string_view script) {
  std::vector<std::string_view> lines = split(script, '\n');
  for (std::string_view& line : lines) {
    if (line.ends_with('\r')) line.remove_suffix(1);
  }
  std::optional<std::string> found;
  for (std::size_t at = 0; at < lines.size(); ++at) {
    const auto type = type_opened_by(lines[at]);
    const auto end = type ? closing_line(lines, at + 1) : std::nullopt;
    if (!end) continue;
    if (*type == "script") {
      if (found) {
        return fail(Errc::invalid_argument, "it has more than one `# /// script` block");
      }
      found.emplace();
      for (std::size_t inner = at + 1; inner < *end; ++inner) {
        if (lines[inner].size() > 1) found->append(lines[inner].substr(2));
        found->push_back('\n');
      }
    }
    at = *end;
  }
  return found;
}

}  // namespace runctl::training
