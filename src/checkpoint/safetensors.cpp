#include "checkpoint/safetensors.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "base/json.hpp"
#include "base/units.hpp"

namespace runctl::checkpoint {
namespace {

struct Type {
  std::string_view name;
  std::uint64_t bits;
};
// Source: safetensors/src/tensor.rs, Dtype::bitsize.
constexpr std::array<Type, 21> types{
    {{"F64", 64},    {"F32", 32},    {"F16", 16},       {"BF16", 16},   {"I64", 64}, {"I32", 32},
     {"I16", 16},    {"I8", 8},      {"U64", 64},       {"U32", 32},    {"U16", 16}, {"U8", 8},
     {"BOOL", 8},    {"F8_E4M3", 8}, {"F8_E5M2", 8},    {"F8_E8M0", 8}, {"F4", 4},   {"F6_E2M3", 6},
     {"F6_E3M2", 6}, {"C64", 64},    {"F8_E4M3FNUZ", 8}}};

struct Span {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::string_view name;
};

std::string shown(std::string_view name) {
  std::string out;
  for (const char c : name.substr(0, 80)) out += c < ' ' || c == '\x7f' ? '?' : c;
  return out;
}

std::optional<std::uint64_t> count_of(const boost::json::value& value) {
  if (const auto* unsigned_value = value.if_uint64()) return *unsigned_value;
  if (const auto* signed_value = value.if_int64(); signed_value != nullptr && *signed_value >= 0) {
    return static_cast<std::uint64_t>(*signed_value);
  }
  return std::nullopt;
}

Result<Span> read_tensor(std::string_view name, const boost::json::value& tensor) {
  const auto wrong = [&](std::string_view what) {
    return damaged(fmt::format("its tensor {} {}", shown(name), what));
  };
  const auto dtype = string_at(tensor, "dtype");
  const auto* shape = array_at(tensor, "shape");
  const auto* offsets = array_at(tensor, "data_offsets");
  if (!dtype || shape == nullptr || offsets == nullptr || offsets->size() != 2) {
    return wrong("has no type, shape or place");
  }
  const auto begin = count_of((*offsets)[0]);
  const auto end = count_of((*offsets)[1]);
  if (!begin || !end || *begin > *end) return wrong("has no place");
  const auto* const type = std::ranges::find(types, *dtype, &Type::name);
  std::uint64_t bits = type == types.end() ? 0 : type->bits;
  for (const auto& one : *shape) {
    const auto dimension = count_of(one);
    if (!dimension) return wrong("has a shape that is not one of numbers");
    if (*dimension != 0 && bits > std::numeric_limits<std::uint64_t>::max() / *dimension) {
      return wrong("is larger than any file");
    }
    bits *= *dimension;
  }
  const bool is_known = type != types.end();
  if (is_known && (bits % 8 != 0 || bits / 8 != *end - *begin)) {
    return wrong(
        fmt::format("has {} bytes where its type and shape take {}", *end - *begin, bits / 8));
  }
  return Span{.begin = *begin, .end = *end, .name = name};
}

Result<void> check_spans(std::vector<Span>& spans, std::uint64_t size) {
  std::ranges::sort(spans, [](const Span& a, const Span& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
  });
  std::uint64_t at = 0;
  for (const Span& span : spans) {
    if (span.begin != at) {
      return damaged(fmt::format("its tensor {} begins at byte {} of the data, where {} ends",
                                 shown(span.name), span.begin, at));
    }
    at = span.end;
  }
  if (at > size) {
    return damaged(fmt::format("it ends at byte {} of the data, and should have {}: it was cut off",
                               size, at));
  }
  if (at < size) return damaged(fmt::format("{} bytes follow its last tensor", size - at));
  return {};
}

// Values of __metadata__ are texts, whatever they mean.
void note_metadata(Facts& facts, const boost::json::object& metadata) {
  for (const auto& [key, value] : metadata) {
    const auto* text = value.if_string();
    if (text == nullptr) continue;
    double number = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (error == std::errc{} && end == text->data() + text->size()) {
      note(facts, std::string_view{key.data(), key.size()}, number);
    }
  }
}

}  // namespace

Result<Finding> read_safetensors(Source& source) {
  if (source.size() < 8)
    return damaged(fmt::format("it ends at byte {}, within its header's size", source.size()));
  RUNCTL_TRY_LET(const std::string first, read_exactly(source, 0, 8));
  const std::uint64_t header_size = little_endian(first, 0, 8);
  if (header_size > source.size() - 8) {
    return damaged(fmt::format("its header should have {} bytes, and {} are there", header_size,
                               source.size() - 8));
  }
  if (header_size > largest_safetensors_header) {
    return beyond(fmt::format("its header has {}", bytes_in_words(header_size)));
  }
  RUNCTL_TRY_LET(const std::string text,
                 read_exactly(source, 8, static_cast<std::size_t>(header_size)));
  const auto header = parse_json(text);
  if (!header || !header->is_object()) return damaged("its header is not JSON");
  Finding finding{.format = Format::safetensors, .verdict = Verdict::complete};
  std::vector<Span> spans;
  for (const auto& [key, value] : header->get_object()) {
    const std::string_view name{key.data(), key.size()};
    if (name == "__metadata__") {
      if (const auto* metadata = value.if_object()) note_metadata(finding.facts, *metadata);
      continue;
    }
    RUNCTL_TRY_LET(const Span span, read_tensor(name, value));
    spans.push_back(span);
  }
  RUNCTL_TRY(check_spans(spans, source.size() - 8 - header_size));
  finding.items = spans.size();
  finding.why = "every tensor is there to the last byte; the format has no checksum of them";
  return finding;
}

}  // namespace runctl::checkpoint
