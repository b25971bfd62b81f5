#include "transfer/object_name.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"

namespace runctl::transfer {
namespace {

unsigned char byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

// Bytes of the UTF-8 sequence at `at`, 0 when there is none. Source: RFC 3629, section 4.
std::size_t sequence_at(std::string_view text, std::size_t at) {
  const unsigned char first = byte_at(text, at);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + size > text.size()) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte_at(text, at + i) & 0xc0U) != 0x80U) return 0;
  }
  const unsigned char second = byte_at(text, at + 1);
  const bool bad = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
                   (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
  return bad ? 0 : size;
}

// What the files of unfinished downloads begin with (transfer/partial_file.hpp).
constexpr std::string_view partial_prefix = ".runctl-part-";

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

}  // namespace

std::string_view in_words(NameFault fault) {
  switch (fault) {
    case NameFault::none:
      return "nothing is wrong with it";
    case NameFault::folder_marker:
      return "it stands for a folder, not for a file";
    case NameFault::absolute:
      return "it begins with '/'";
    case NameFault::empty_component:
      return "it has nothing between two slashes";
    case NameFault::dot_component:
      return "it has '.' or '..' between slashes";
    case NameFault::control_character:
      return "it has a control character";
    case NameFault::not_utf8:
      return "it is not UTF-8";
    case NameFault::component_too_long:
      return "a part of it is longer than the 255 bytes of a file's name";
    case NameFault::key_too_long:
      return "its key would be longer than S3's 1,024 bytes";
    case NameFault::reserved:
      return "unfinished downloads have such names";
  }
  std::unreachable();
}

std::string_view name_of(NameFault fault) {
  switch (fault) {
    case NameFault::none:
      return "none";
    case NameFault::folder_marker:
      return "folder_marker";
    case NameFault::absolute:
      return "absolute";
    case NameFault::empty_component:
      return "empty_component";
    case NameFault::dot_component:
      return "dot_component";
    case NameFault::control_character:
      return "control_character";
    case NameFault::not_utf8:
      return "not_utf8";
    case NameFault::component_too_long:
      return "component_too_long";
    case NameFault::key_too_long:
      return "key_too_long";
    case NameFault::reserved:
      return "reserved";
  }
  std::unreachable();
}

NameFault fault_of_name(std::string_view relative, std::size_t folder_size) {
  if (relative.starts_with('/')) return NameFault::absolute;
  if (std::ranges::any_of(relative, is_control)) return NameFault::control_character;
  if (!is_utf8(relative)) return NameFault::not_utf8;
  const bool marker = relative.empty() || relative.ends_with('/');
  std::string_view rest = relative;
  if (relative.ends_with('/')) rest.remove_suffix(1);
  for (const std::string_view component : split(rest, '/')) {
    if (component.empty() && !relative.empty()) return NameFault::empty_component;
    if (component == "." || component == "..") return NameFault::dot_component;
    if (component.size() > greatest_component) return NameFault::component_too_long;
  }
  if (marker) return NameFault::folder_marker;
  if (relative.substr(relative.rfind('/') + 1).starts_with(partial_prefix))
    return NameFault::reserved;
  return relative.size() + folder_size > greatest_key ? NameFault::key_too_long : NameFault::none;
}

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = sequence_at(text, at);
    if (size == 0) return false;
    at += size;
  }
  return true;
}

std::string printable(std::string_view name) {
  std::string out;
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t size = sequence_at(name, at);
    const bool is_c1 = size == 2 && byte_at(name, at) == 0xc2 && byte_at(name, at + 1) < 0xa0;
    if (size == 0 || is_c1 || is_control(name[at])) {
      const std::size_t bytes = is_c1 ? 2 : 1;
      for (std::size_t i = 0; i < bytes; ++i) {
        out += fmt::format("\\x{:02x}", byte_at(name, at + i));
      }
      at += bytes;
      continue;
    }
    out += name.substr(at, size);
    at += size;
  }
  return out;
}

bool ShadowedNames::is_shadowed(std::string_view name) {
  while (!open_.empty() && !name.starts_with(open_.back())) open_.pop_back();
  const bool shadowed = std::ranges::any_of(open_, [&](const std::string& before) {
    return name.size() > before.size() && name[before.size()] == '/';
  });
  if (!shadowed) open_.emplace_back(name);
  return shadowed;
}

}  // namespace runctl::transfer
