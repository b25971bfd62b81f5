// If-Match and its like: whether a request may go on with what is there.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "emulator/s3/records.hpp"

namespace runctl::emulator::s3 {

struct Conditions {
  std::string if_match = {};  // quoted or bare tags, commas between, or "*"; empty: none
  std::string if_none_match = {};
  std::optional<Timestamp> if_modified_since = {};
  std::optional<Timestamp> if_unmodified_since = {};
};

// Whether `list` ("\"a\", \"b\"" or "*") names the object.
[[nodiscard]] bool names_etag(std::string_view list, std::string_view etag);

// Reading an object, which exists. Errors: PreconditionFailed (412); NotModified (304), which is no
// error of S3's but an answer without a body. If-Match counts more than If-Unmodified-Since, and
// If-None-Match more than If-Modified-Since. Source: RFC 9110, 13.2.2, and "General considerations"
// of GetObject in the Amazon S3 API Reference.
[[nodiscard]] Result<void> check_read(const Conditions& conditions, const ObjectRecord& object);

// As check_read, for the source of a copy, where 304 makes no sense: all are PreconditionFailed.
[[nodiscard]] Result<void> check_copy_source(const Conditions& conditions,
                                             const ObjectRecord& object);

// Writing over `existing`, or where nothing is. Errors: PreconditionFailed; NoSuchKey (If-Match and
// nothing there); NotImplemented (If-None-Match other than "*").
// Source: "Conditional writes" in the Amazon S3 User Guide; checked 2026.
[[nodiscard]] Result<void> check_write(const Conditions& conditions, const ObjectRecord* existing);

}  // namespace runctl::emulator::s3
