// Names of buckets and objects as people write them: s3://bucket/key.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace runctl::transfer {

// `key` is to the letter what stands behind the bucket's slash: "" for the bucket itself, and with
// every slash that was written.
struct S3Uri {
  std::string bucket = {};
  std::string key = {};
  auto operator<=>(const S3Uri&) const = default;
};

// Whether `text` means something in S3, well-formed or not: "s3:", in any case, is before
// everything else. A local file of that name is written ./s3:….
[[nodiscard]] bool is_s3_uri(std::string_view text);

// Reads "s3://bucket", "s3://bucket/" and "s3://bucket/any/key". Errors: invalid_argument, with
// what should have been written as the hint, for what is none: a missing slash, a local path, a URL
// or an ARN of S3, a bucket that cannot be one's name, a key that is longer than 1,024 bytes or not
// UTF-8. Bucket names may have what S3 ever allowed, since old buckets and other servers have it:
// letters, digits, '.', '-', '_', 3 to 255 of them. Source:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html and
// object-keys.html.
[[nodiscard]] Result<S3Uri> parse_s3_uri(std::string_view text);

// "s3://bucket/key".
[[nodiscard]] std::string to_text(const S3Uri& uri);

// The key that everything below `uri` begins with: "" for the whole bucket, else it ends in a
// slash. "s3://b/data" and "s3://b/data/" are the same folder; "database/x" is not in it.
[[nodiscard]] std::string folder_of(const S3Uri& uri);

}  // namespace runctl::transfer
