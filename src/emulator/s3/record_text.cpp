#include "emulator/s3/record_text.hpp"

#include <charconv>
#include <cstdint>
#include <iterator>
#include <system_error>

#include <fmt/format.h>

#include "base/text.hpp"

namespace runctl::emulator::s3 {
namespace {

bool read_number(std::string_view text, int base, std::uint64_t& number) {
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc{} && rest == text.data() + text.size();
}

}  // namespace

std::string to_text(const StoredHeaders& headers) {
  std::string text;
  for (const auto& [name, value] : headers) {
    text += name + "=" + percent_encode(value, "/;:= ") + "\n";
  }
  return text;
}

StoredHeaders headers_from(std::string_view text) {
  StoredHeaders headers;
  for (const std::string_view line : split(text, '\n')) {
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    headers[std::string{line.substr(0, equals)}] = percent_decode(line.substr(equals + 1));
  }
  return headers;
}

std::string to_text(const std::vector<Segment>& segments) {
  std::string text;
  for (const Segment& segment : segments) {
    fmt::format_to(std::back_inserter(text), "{}{:x}:{}", text.empty() ? "" : " ", segment.blob,
                   segment.size);
  }
  return text;
}

Result<std::vector<Segment>> segments_from(std::string_view text) {
  std::vector<Segment> segments;
  if (text.empty()) return segments;
  for (const std::string_view piece : split(text, ' ')) {
    const auto colon = piece.find(':');
    Segment& segment = segments.emplace_back();
    const bool read = colon != std::string_view::npos &&
                      read_number(piece.substr(0, colon), 16, segment.blob) &&
                      read_number(piece.substr(colon + 1), 10, segment.size);
    if (!read) {
      return fail(Errc::corrupt, fmt::format("an object's segments are not any: '{}'", piece));
    }
  }
  return segments;
}

}  // namespace runctl::emulator::s3
