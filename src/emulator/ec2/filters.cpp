#include "emulator/ec2/filters.hpp"

#include <cstddef>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/text.hpp"

namespace runctl::emulator::ec2 {
namespace {

// A token is not to be made up by clients: this part of it shows that it was ours.
std::string seal(std::string_view key) {
  return hex(sha256("page " + std::string{key})).substr(0, 16);
}

}  // namespace

bool matches_wildcards(std::string_view text, std::string_view pattern) {
  std::size_t t = 0;
  std::size_t p = 0;
  std::size_t star =
      std::string_view::npos;  // the last * that was passed, and where its match ends
  std::size_t star_end = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_end = t;
      continue;
    }
    const bool escaped = p + 1 < pattern.size() && pattern[p] == '\\';
    const char wanted = p >= pattern.size() ? '\0' : pattern[escaped ? p + 1 : p];
    const bool any = p < pattern.size() && !escaped && wanted == '?';
    if (p < pattern.size() && (any || wanted == text[t])) {
      p += escaped ? 2 : 1;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_end;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::vector<std::string> tag_values(std::span<const aws::ec2::Tag> tags, std::string_view key) {
  for (const aws::ec2::Tag& tag : tags) {
    if (tag.key == key) return {tag.value.value_or("")};
  }
  return {};
}

std::vector<std::string> tag_keys(std::span<const aws::ec2::Tag> tags) {
  std::vector<std::string> keys;
  for (const aws::ec2::Tag& tag : tags) keys.push_back(tag.key);
  return keys;
}

Result<std::string> start_of(const PageRequest& page) {
  if (page.max_results && page.names_ids) {
    return refuse("InvalidParameterCombination",
                  "The parameter maxResults cannot be used with a list of ids");
  }
  if (page.max_results && (*page.max_results < page.least || *page.max_results > page.most)) {
    return refuse("InvalidParameterValue",
                  fmt::format("Value ( {} ) for parameter maxResults is invalid. Expecting a value "
                              "from {} to {}.",
                              *page.max_results, page.least, page.most));
  }
  if (page.next_token.empty()) return std::string{};
  std::string bytes;
  for (std::size_t i = 0; i + 1 < page.next_token.size(); i += 2) {
    bytes += percent_decode("%" + std::string{page.next_token.substr(i, 2)});
  }
  const auto colon = bytes.find(':');
  std::string key = colon == std::string::npos ? "" : bytes.substr(colon + 1);
  if (key.empty() || token_behind(key) != page.next_token) {
    return refuse("InvalidNextToken", "The specified NextToken is not valid");
  }
  return key;
}

std::string token_behind(std::string_view key) { return hex(seal(key) + ":" + std::string{key}); }

}  // namespace runctl::emulator::ec2
