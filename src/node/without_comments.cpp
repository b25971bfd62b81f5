#include "node/without_comments.hpp"

#include <algorithm>

namespace runctl::node {

std::string without_comments(std::string_view script) {
  std::string rest;
  rest.reserve(script.size());
  while (!script.empty()) {
    const auto end = std::min(script.find('\n'), script.size() - 1) + 1;
    const std::string_view line = script.substr(0, end);
    if (!line.substr(std::min(line.find_first_not_of(' '), line.size())).starts_with('#'))
      rest += line;
    script.remove_prefix(end);
  }
  return rest;
}

}  // namespace runctl::node
