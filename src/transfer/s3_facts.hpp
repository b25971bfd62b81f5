// S3's answers in the engine's terms: checksums, facts, what was stored.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "aws/s3/object.hpp"
#include "base/crc.hpp"
#include "base/result.hpp"
#include "transfer/object_store.hpp"

namespace runctl::transfer {

// The member of a message that has the checksum of that kind.
template <class Message>
[[nodiscard]] std::string& checksum_in(Message& message, CrcKind kind) {
  switch (kind) {
    case CrcKind::crc32:
      return message.checksum_crc32;
    case CrcKind::crc32c:
      return message.checksum_crc32c;
    case CrcKind::crc64nvme:
      return message.checksum_crc64nvme;
  }
  std::unreachable();
}

// "…-5" is that of five parts. `type` is S3's x-amz-checksum-type, "" where it does not say.
[[nodiscard]] Checksum read_checksum(std::string_view algorithm, std::string_view text,
                                     std::string_view type);

// The best that the answer has.
template <class Message>
[[nodiscard]] std::optional<Checksum> checksum_of(const Message& message) {
  std::string_view type;
  if constexpr (requires { message.checksum_type; }) type = message.checksum_type;
  using Named = std::pair<std::string_view, std::string_view>;
  for (const auto& [algorithm, text] :
       {Named{"CRC64NVME", message.checksum_crc64nvme}, Named{"CRC32C", message.checksum_crc32c},
        Named{"CRC32", message.checksum_crc32}, Named{"SHA256", message.checksum_sha256},
        Named{"SHA1", message.checksum_sha1}}) {
    if (!text.empty()) return read_checksum(algorithm, text, type);
  }
  return std::nullopt;
}

template <class Message>
[[nodiscard]] Stored stored_from(const Message& message) {
  return {.etag = message.etag, .version_id = message.version_id, .checksum = checksum_of(message)};
}

// All but the size, of which a range's answer says something else.
template <class Message>
[[nodiscard]] ObjectFacts facts_of(const Message& answer) {
  ObjectFacts facts{.etag = answer.etag,
                    .version_id = answer.version_id,
                    .last_modified = answer.last_modified.value_or(Timestamp{}),
                    .attributes = {.content_type = answer.content_type,
                                   .content_encoding = answer.content_encoding,
                                   .content_disposition = answer.content_disposition,
                                   .content_language = answer.content_language,
                                   .cache_control = answer.cache_control,
                                   .expires = answer.expires},
                    .checksum = checksum_of(answer)};
  facts.tags = static_cast<std::uint64_t>(std::max<std::int64_t>(answer.tag_count.value_or(0), 0));
  for (const auto& [name, value] : answer.metadata) {
    facts.attributes.metadata.emplace_back(name, value);
  }
  // Source: Object in the Amazon S3 API Reference, ETag: an MD5 unless multipart, or encrypted with
  // a key of KMS or the customer's.
  facts.etag_is_opaque = answer.server_side_encryption.starts_with("aws:kms") ||
                         !answer.sse_customer_algorithm.empty();
  facts.etag_is_md5 =
      answer.etag.size() == 34 && !answer.etag.contains('-') && !facts.etag_is_opaque;
  return facts;
}

// Errors: corrupt when the answer is not of the range that was asked for.
[[nodiscard]] Result<ObjectFacts> facts_of_range(const aws::s3::GetObjectOutput& answer,
                                                 const GetRequest& request);

// A conditional write that met another one is to be tried again, as S3 asks for.
[[nodiscard]] Error say_conflict(Error error);

}  // namespace runctl::transfer
