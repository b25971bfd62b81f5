#include "transfer/s3_facts.hpp"

#include <charconv>
#include <system_error>

#include <fmt/format.h>

namespace runctl::transfer {
namespace {

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

struct ContentRange {
  std::uint64_t first = 0;
  std::uint64_t size = 0;
};

// "bytes 0-99/1234".
std::optional<ContentRange> parse_content_range(std::string_view text) {
  constexpr std::string_view unit = "bytes ";
  if (!text.starts_with(unit)) return std::nullopt;
  text.remove_prefix(unit.size());
  const std::size_t dash = text.find('-');
  const std::size_t slash = text.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos) return std::nullopt;
  const auto first = number(text.substr(0, dash));
  const auto size = number(text.substr(slash + 1));
  if (!first || !size) return std::nullopt;
  return ContentRange{.first = *first, .size = *size};
}

}  // namespace

Checksum read_checksum(std::string_view algorithm, std::string_view text, std::string_view type) {
  Checksum checksum{.algorithm = std::string{algorithm}, .value = std::string{text}};
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) {
    checksum.full_object = type != "COMPOSITE";
    return checksum;
  }
  checksum.value = std::string{text.substr(0, dash)};
  checksum.parts = static_cast<unsigned>(number(text.substr(dash + 1)).value_or(0));
  checksum.full_object = false;
  return checksum;
}

Result<ObjectFacts> facts_of_range(const aws::s3::GetObjectOutput& answer,
                                   const GetRequest& request) {
  ObjectFacts facts = facts_of(answer);
  if (!request.length) {
    if (!answer.content_length || *answer.content_length < 0) {
      return fail(Errc::corrupt,
                  fmt::format("S3 does not say how large {} is", to_text(request.source)));
    }
    facts.size = static_cast<std::uint64_t>(*answer.content_length);
    return facts;
  }
  // The checksum of a range's answer, where there is one, is not the object's.
  facts.checksum.reset();
  const auto range = parse_content_range(answer.content_range);
  if (!range || range->first != request.first) {
    return fail(
        Errc::corrupt,
        fmt::format("{} bytes from {} on were asked for of {}, and '{}' came", *request.length,
                    request.first, to_text(request.source), answer.content_range));
  }
  facts.size = range->size;
  return facts;
}

Error say_conflict(Error error) {
  if (error.remote && error.remote->code == "ConditionalRequestConflict") {
    error.code = Errc::unavailable;
    error.effect = Effect::not_applied;
  }
  return error;
}

}  // namespace runctl::transfer
