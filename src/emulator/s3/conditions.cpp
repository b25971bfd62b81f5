#include "emulator/s3/conditions.hpp"

#include <algorithm>
#include <chrono>

#include "base/text.hpp"
#include "emulator/refusal.hpp"

namespace runctl::emulator::s3 {
namespace {

std::unexpected<Error> failed(std::string_view condition) {
  Error error = refuse("PreconditionFailed",
                       "At least one of the pre-conditions you specified did not hold", 412)
                    .error();
  error.hint = condition;
  return std::unexpected{std::move(error)};
}

// Headers tell whole seconds.
std::chrono::sys_seconds in_seconds(Timestamp time) {
  return std::chrono::floor<std::chrono::seconds>(time);
}

enum class Outcome : std::uint8_t { go_on, not_modified, match, unmodified_since };

Outcome judge(const Conditions& conditions, const ObjectRecord& object) {
  const auto changed = in_seconds(object.modified);
  if (!conditions.if_match.empty()) {
    if (!names_etag(conditions.if_match, object.etag)) return Outcome::match;
  } else if (conditions.if_unmodified_since &&
             changed > in_seconds(*conditions.if_unmodified_since)) {
    return Outcome::unmodified_since;
  }
  if (!conditions.if_none_match.empty()) {
    if (names_etag(conditions.if_none_match, object.etag)) return Outcome::not_modified;
  } else if (conditions.if_modified_since && changed <= in_seconds(*conditions.if_modified_since)) {
    return Outcome::not_modified;
  }
  return Outcome::go_on;
}

}  // namespace

bool names_etag(std::string_view list, std::string_view etag) {
  return std::ranges::any_of(split(list, ','), [&](std::string_view tag) {
    tag = trim(tag);
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    if (tag.size() >= 2 && tag.starts_with('"') && tag.ends_with('"')) {
      tag = tag.substr(1, tag.size() - 2);
    }
    return tag == "*" || tag == etag;
  });
}

Result<void> check_read(const Conditions& conditions, const ObjectRecord& object) {
  switch (judge(conditions, object)) {
    case Outcome::go_on:
      return {};
    case Outcome::not_modified:
      return refuse("NotModified", "Not Modified", 304);
    case Outcome::match:
      return failed("If-Match");
    case Outcome::unmodified_since:
      return failed("If-Unmodified-Since");
  }
  return {};
}

Result<void> check_copy_source(const Conditions& conditions, const ObjectRecord& object) {
  if (judge(conditions, object) == Outcome::go_on) return {};
  return failed("x-amz-copy-source-If");
}

Result<void> check_write(const Conditions& conditions, const ObjectRecord* existing) {
  if (!conditions.if_none_match.empty()) {
    if (conditions.if_none_match != "*") {
      return refuse("NotImplemented",
                    "A header you provided implies functionality that is not implemented", 501);
    }
    if (existing != nullptr) return failed("If-None-Match");
  }
  if (conditions.if_match.empty()) return {};
  if (existing == nullptr) {
    return refuse("NoSuchKey", "The specified key does not exist.", 404);
  }
  return names_etag(conditions.if_match, existing->etag) ? Result<void>{}
                                                         : Result<void>{failed("If-Match")};
}

}  // namespace runctl::emulator::s3
