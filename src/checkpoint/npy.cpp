#include "checkpoint/npy.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "base/text.hpp"
#include "checkpoint/source.hpp"

namespace runctl::checkpoint {
namespace {

constexpr std::string_view magic{"\x93NUMPY"};

// The value of one key of a header's dict, as it stands there; the keys are numpy's own and in no
// value. Nothing when it is not there.
std::optional<std::string_view> value_of(std::string_view dict, std::string_view key) {
  const std::string quoted = fmt::format("'{}':", key);
  const auto at = dict.find(quoted);
  if (at == std::string_view::npos) return std::nullopt;
  return trim(dict.substr(at + quoted.size()));
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Bytes of one item; nothing for objects. Errors: corrupt for what is no type.
Result<std::optional<std::uint64_t>> item_size(std::string_view type) {
  if (type.size() < 2 || !std::string_view{"<>|="}.contains(type[0])) {
    return damaged(fmt::format("'{}' is no type of numbers", type.substr(0, 32)));
  }
  if (type[1] == 'O') return std::optional<std::uint64_t>{};
  std::string_view digits = type.substr(2);
  const auto unit = digits.find('[');  // M8[ns]
  if (unit != std::string_view::npos && std::string_view{"mM"}.contains(type[1])) {
    digits = digits.substr(0, unit);
  }
  const auto count = number(digits);
  if (!std::string_view{"biufcmMSUV"}.contains(type[1]) || !count) {
    return damaged(fmt::format("'{}' is no type of numbers", type.substr(0, 32)));
  }
  constexpr std::uint64_t most = std::uint64_t{1} << 32U;
  if (*count > most) return damaged("its items are too large to be any");
  return std::optional{type[1] == 'U' ? *count * 4 : *count};
}

// The product of "(3, 4)", times `bytes`; 1 for "()".
Result<std::uint64_t> bytes_of(std::string_view shape, std::uint64_t bytes, bool& is_scalar) {
  const auto end = shape.find(')');
  if (!shape.starts_with('(') || end == std::string_view::npos) return damaged("it has no shape");
  std::uint64_t product = bytes;
  const std::string_view inner = trim(shape.substr(1, end - 1));
  is_scalar = inner.empty();
  if (is_scalar) return product;
  for (const std::string_view piece : split(inner, ',')) {
    const std::string_view word = trim(piece);
    if (word.empty()) continue;  // "(3,)"
    const auto dimension = number(word.ends_with('L') ? word.substr(0, word.size() - 1) : word);
    if (!dimension) return damaged("its shape is not one of numbers");
    if (*dimension != 0 && product > std::numeric_limits<std::uint64_t>::max() / *dimension) {
      return damaged("its shape is larger than any file");
    }
    product *= *dimension;
  }
  return product;
}

}  // namespace

Result<NpyHeader> read_npy_header(std::string_view begin) {
  if (begin.size() < 10)
    return damaged(fmt::format("it ends at byte {}, within its header", begin.size()));
  if (!begin.starts_with(magic)) return damaged("it does not begin as a .npy file does");
  const auto version = static_cast<std::uint8_t>(begin[6]);
  if (version < 1 || version > 3)
    return damaged(fmt::format("there is no version {} of .npy", version));
  const std::size_t length_size = version == 1 ? 2 : 4;
  if (begin.size() < 8 + length_size) return damaged("it ends within its header");
  const std::uint64_t length = little_endian(begin, 8, length_size);
  NpyHeader header{.size = 8 + length_size + length};
  if (header.size > longest_npy_header) {
    return beyond(fmt::format("its header says that it has {} bytes", header.size));
  }
  if (header.size > begin.size()) return damaged("it ends within its header");
  const std::string_view dict = begin.substr(8 + length_size, static_cast<std::size_t>(length));
  const auto type = value_of(dict, "descr");
  const auto shape = value_of(dict, "shape");
  if (!trim(dict).starts_with('{') || !trim(dict).ends_with('}') || !type || !shape) {
    return damaged("its header does not say what the numbers are");
  }
  if (type->starts_with('[')) return header;
  if (!type->starts_with('\'')) return damaged("its header names no type");
  header.type = type->substr(1, type->find('\'', 1) - 1);
  RUNCTL_TRY_LET(const auto size, item_size(header.type));
  if (!size) return header;
  RUNCTL_TRY_LET(header.bytes, bytes_of(*shape, *size, header.is_scalar));
  return header;
}

std::optional<double> npy_number(const NpyHeader& header, std::string_view bytes) {
  if (!header.is_scalar || header.type.size() != 3 || bytes.size() != header.bytes) return {};
  const std::size_t size = bytes.size();
  const char kind = header.type[1];
  if (size > 8 || !std::string_view{"iuf"}.contains(kind)) return {};
  const std::uint64_t bits =
      header.type[0] == '>' ? big_endian(bytes, 0, size) : little_endian(bytes, 0, size);
  if (kind == 'f') {
    if (size == 8) return std::bit_cast<double>(bits);
    if (size == 4)
      return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    return {};
  }
  if (kind == 'u' || size == 0) return static_cast<double>(bits);
  const std::size_t shift = 64 - size * 8;
  return static_cast<double>(static_cast<std::int64_t>(bits << shift) >> shift);
}

std::optional<std::string> npy_text(const NpyHeader& header, std::string_view bytes) {
  if (!header.is_scalar || !header.type.starts_with("<U") || bytes.size() != header.bytes)
    return {};
  std::string text;
  for (std::size_t at = 0; at + 4 <= bytes.size(); at += 4) {
    const std::uint64_t unit = little_endian(bytes, at, 4);
    if (unit > 127) return {};
    text += static_cast<char>(unit);
  }
  return text;
}

}  // namespace runctl::checkpoint
