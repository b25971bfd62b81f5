#include "transfer/ignore_rules.hpp"

#include <ranges>

#include "base/text.hpp"

namespace runctl::transfer {
namespace {

// Blanks at the end do not count, unless a backslash is before the first of them.
std::string_view without_trailing_blanks(std::string_view line) {
  std::size_t end = 0;
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (line[at] == '\\') {
      at = at + 1 < line.size() ? at + 1 : at;
      end = at + 1;
    } else if (line[at] != ' ') {
      end = at + 1;
    }
  }
  return line.substr(0, end);
}

}  // namespace

void IgnoreRules::add_lines(std::string_view text) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  for (std::string_view line : split(text, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    add(line);
  }
}

void IgnoreRules::add(std::string_view line) {
  if (line.starts_with('#')) return;
  line = without_trailing_blanks(line);
  const bool negated = line.starts_with('!');
  if (negated) line.remove_prefix(1);
  const bool directories_only = line.ends_with('/');
  if (directories_only) line.remove_suffix(1);
  const bool last_component_only = !line.contains('/');
  if (line.starts_with('/')) line.remove_prefix(1);
  if (line.empty()) return;
  rules_.push_back({.glob = Glob{line},
                    .negated = negated,
                    .directories_only = directories_only,
                    .last_component_only = last_component_only});
}

bool IgnoreRules::excludes_itself(std::string_view path, PathKind kind) const {
  return verdict(path, kind).value_or(false);
}

std::optional<bool> IgnoreRules::verdict(std::string_view path, PathKind kind) const {
  const std::string_view last = path.substr(path.rfind('/') + 1);
  for (const Rule& rule : rules_ | std::views::reverse) {
    if (rule.directories_only && kind != PathKind::directory) continue;
    if (rule.glob.matches(rule.last_component_only ? last : path)) return !rule.negated;
  }
  return std::nullopt;
}

bool IgnoreRules::excludes(std::string_view path, PathKind kind) const {
  if (rules_.empty()) return false;
  for (auto slash = path.find('/'); slash != std::string_view::npos;
       slash = path.find('/', slash + 1)) {
    if (excludes_itself(path.substr(0, slash), PathKind::directory)) return true;
  }
  return excludes_itself(path, kind);
}

bool NameFilter::takes_file(std::string_view path) const {
  if (exclude.excludes(path, PathKind::file)) return false;
  return include.empty() || include.excludes(path, PathKind::file);
}

bool NameFilter::enters(std::string_view path) const {
  return !exclude.excludes_itself(path, PathKind::directory);
}

}  // namespace runctl::transfer
