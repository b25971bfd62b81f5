#include "training/rule_stack.hpp"

#include <algorithm>
#include <cstdint>
#include <ranges>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "io/file.hpp"

namespace runctl::training {

using transfer::PathKind;

void RuleStack::push(std::string base, std::string_view text) {
  RuleFile file{.base = std::move(base), .rules = {}};
  file.rules.add_lines(text);
  files_.push_back(std::move(file));
}

Result<bool> RuleStack::push_file(std::string base, const std::filesystem::path& path) {
  constexpr std::uint64_t limit = std::uint64_t{4} << 20U;
  const auto text = read_file(path, limit);
  if (!text && text.error().code == Errc::not_found) return false;
  if (!text) return std::unexpected{text.error()};
  push(std::move(base), *text);
  return true;
}

bool RuleStack::excludes_itself(std::string_view path, PathKind kind) const {
  for (const RuleFile& file : files_ | std::views::reverse) {
    if (!path.starts_with(file.base)) continue;
    if (const auto verdict = file.rules.verdict(path.substr(file.base.size()), kind))
      return *verdict;
  }
  return false;
}

Result<Inclusions> Inclusions::parse(const std::vector<std::string>& patterns) {
  Inclusions inclusions;
  for (const std::string& given : patterns) {
    // As a shell completes it; git's rules know no "./".
    const std::string pattern = given.starts_with("./") ? given.substr(1) : given;
    if (pattern.empty() || pattern.starts_with('!')) {
      return fail(
          Errc::invalid_argument,
          fmt::format("--include-pattern takes a pattern of what is sent, not '{}'", pattern));
    }
    // A '#' begins a comment in a file, and a name here.
    inclusions.rules_.add(pattern.starts_with('#') ? "\\" + pattern : pattern);
    std::string_view text = pattern;
    const bool rooted = text.starts_with('/');
    if (rooted) text.remove_prefix(1);
    if (text.ends_with('/')) text.remove_suffix(1);
    if (text.find_first_of("*?[\\") == std::string_view::npos) inclusions.exact_.emplace_back(text);
    if (!rooted && !text.contains('/')) continue;
    Anchored anchored;
    for (const std::string_view component : split(text, '/')) {
      anchored.everywhere = component == "**";
      if (anchored.everywhere) break;
      anchored.components.emplace_back(component);
    }
    inclusions.anchored_.push_back(std::move(anchored));
  }
  return inclusions;
}

bool Inclusions::lead_below(std::string_view folder) const {
  if (anchored_.empty()) return false;
  const auto parts = split(folder, '/');
  return std::ranges::any_of(anchored_, [&](const Anchored& pattern) {
    const auto& components = pattern.components;
    if (parts.size() >= components.size() && !pattern.everywhere) return false;
    const std::size_t common = std::min(parts.size(), components.size());
    for (std::size_t i = 0; i < common; ++i) {
      if (!components[i].matches(parts[i])) return false;
    }
    return true;
  });
}

bool Inclusions::name_exactly(std::string_view path) const {
  const std::string_view last = path.substr(path.rfind('/') + 1);
  return std::ranges::any_of(exact_,
                             [&](const std::string& name) { return name == path || name == last; });
}

bool Inclusions::name_below(std::string_view folder) const {
  return std::ranges::any_of(exact_, [&](const std::string& name) {
    return name.size() > folder.size() && name.starts_with(folder) && name[folder.size()] == '/';
  });
}

}  // namespace runctl::training
