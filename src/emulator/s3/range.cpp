#include "emulator/s3/range.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include "base/text.hpp"
#include "emulator/refusal.hpp"

namespace runctl::emulator::s3 {
namespace {

constexpr std::string_view unit = "bytes=";

bool read_number(std::string_view text, std::uint64_t& number) {
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && rest == text.data() + text.size();
}

std::unexpected<Error> not_satisfiable() {
  return refuse("InvalidRange", "The requested range is not satisfiable", 416);
}

}  // namespace

Result<std::optional<ByteRange>> parse_range(std::string_view header, std::uint64_t size) {
  if (!header.starts_with(unit)) return std::nullopt;
  const std::string_view text = trim(header.substr(unit.size()));
  const auto dash = text.find('-');
  if (dash == std::string_view::npos || text.contains(',')) return std::nullopt;
  const std::string_view first = text.substr(0, dash);
  const std::string_view last = text.substr(dash + 1);
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  if (first.empty()) {
    if (!read_number(last, end)) return std::nullopt;
    if (end == 0 || size == 0) return not_satisfiable();
    const std::uint64_t length = std::min(end, size);
    return ByteRange{.offset = size - length, .length = length};
  }
  if (!read_number(first, begin)) return std::nullopt;
  if (last.empty()) {
    end = size;
  } else {
    if (!read_number(last, end) || end < begin) return std::nullopt;
    end = std::min(end, size - std::min<std::uint64_t>(size, 1)) + 1;
  }
  if (begin >= size) return not_satisfiable();
  return ByteRange{.offset = begin, .length = std::min(end, size) - begin};
}

Result<ByteRange> parse_copy_range(std::string_view header, std::uint64_t size) {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  const auto dash = header.find('-');
  const bool is_range = header.starts_with(unit) && dash != std::string_view::npos &&
                        read_number(header.substr(unit.size(), dash - unit.size()), begin) &&
                        read_number(header.substr(dash + 1), end) && begin <= end;
  if (!is_range) {
    return refuse("InvalidArgument",
                  "The x-amz-copy-source-range value must be of the form bytes=first-last where "
                  "first and last are the zero-based offsets of the first and last bytes to copy");
  }
  if (end >= size) {
    return refuse("InvalidArgument",
                  fmt::format("Range specified is not valid for source object of size: {}", size));
  }
  return ByteRange{.offset = begin, .length = end - begin + 1};
}

}  // namespace runctl::emulator::s3
