#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/text.hpp"
#include "emulator/refusal.hpp"
#include "emulator/s3/actions.hpp"
#include "emulator/s3/owner.hpp"

namespace runctl::emulator::s3 {
namespace {

constexpr std::int64_t page = 1'000;

// Source: "MaxKeys" in the Amazon S3 API Reference: never more than a thousand come.
Result<std::int64_t> page_size(std::optional<std::int64_t> wanted, std::string_view name) {
  if (wanted.value_or(page) < 0) {
    return refuse("InvalidArgument",
                  "Argument " + std::string{name} + " must be an integer between 0 and 2147483647");
  }
  return std::min(wanted.value_or(page), page);
}

// How texts that are parts of keys are written in an answer.
class Encoding {
 public:
  static Result<Encoding> named(std::string_view type) {
    if (!type.empty() && type != "url") {
      return refuse("InvalidArgument", "Invalid Encoding Method specified in Request");
    }
    return Encoding{type == "url"};
  }
  [[nodiscard]] std::string operator()(std::string_view text) const {
    return is_url_ ? percent_encode(text, "/") : std::string{text};
  }

 private:
  explicit Encoding(bool is_url) : is_url_{is_url} {}
  bool is_url_;
};

wire::Object object_of(const ObjectRecord& record, const Encoding& encode) {
  wire::Object object{.key = encode(record.key),
                      .last_modified = record.modified,
                      .etag = quoted_etag(record.etag),
                      .checksum_type = record.checksum.type,
                      .size = static_cast<std::int64_t>(record.size),
                      .storage_class = record.storage_class};
  if (!record.checksum.algorithm.empty()) object.checksum_algorithm = {record.checksum.algorithm};
  return object;
}

wire::ObjectVersion version_of(const ObjectRecord& record, const Encoding& encode,
                               const wire::Owner& owner) {
  wire::ObjectVersion version{.etag = quoted_etag(record.etag),
                              .checksum_type = record.checksum.type,
                              .size = static_cast<std::int64_t>(record.size),
                              .storage_class = record.storage_class,
                              .key = encode(record.key),
                              .version_id = "null",
                              .is_latest = true,
                              .last_modified = record.modified,
                              .owner = owner};
  if (!record.checksum.algorithm.empty()) version.checksum_algorithm = {record.checksum.algorithm};
  return version;
}

template <class Output>
void add_prefix(Output& output, const std::string& prefix, const Encoding& encode) {
  output.common_prefixes.push_back({.prefix = encode(prefix)});
}

// Nothing is left to be told when nothing was asked for. Source: observed of S3, 2026: max-keys=0
// is answered with IsTruncated false.
Result<Listing> list(Call& call, const Selection& selection) {
  if (selection.most == 0) return Listing{};
  return call.store.list(call.bucket.name, selection);
}

}  // namespace

Result<Reply> list_objects_v2(Call& call, const wire::ListObjectsV2Request& request) {
  RUNCTL_TRY_LET(const Encoding encode, Encoding::named(request.encoding_type));
  RUNCTL_TRY_LET(const auto most, page_size(request.max_keys, "max-keys"));
  const auto token = base64_decode(request.continuation_token);
  const bool has_token = call.query("continuation-token").has_value();
  if (!token || (has_token && token->empty())) {
    return refuse("InvalidArgument", "The continuation token provided is incorrect");
  }
  Selection selection{.prefix = request.prefix,
                      .delimiter = request.delimiter,
                      .from = *token,
                      .most = static_cast<std::size_t>(most)};
  if (!has_token) selection.after = selection.from = request.start_after;
  RUNCTL_TRY_LET(const Listing listing, list(call, selection));
  wire::ListObjectsV2Output output{.is_truncated = listing.is_truncated,
                                   .name = request.bucket,
                                   .prefix = encode(request.prefix),
                                   .delimiter = encode(request.delimiter),
                                   .max_keys = most,
                                   .encoding_type = request.encoding_type,
                                   .key_count = static_cast<std::int64_t>(listing.entries.size()),
                                   .continuation_token = request.continuation_token,
                                   .start_after = encode(request.start_after),
                                   .request_charged = charged(call)};
  const wire::Owner owner = owner_of(call.bucket.account);
  for (const Listing::Entry& entry : listing.entries) {
    if (entry.is_prefix) {
      add_prefix(output, entry.object.key, encode);
    } else {
      output.contents.push_back(object_of(entry.object, encode));
      if (request.fetch_owner.value_or(false)) output.contents.back().owner = owner;
    }
  }
  if (listing.is_truncated) output.next_continuation_token = base64(listing.next);
  return reply_with<wire::ListObjectsV2>(output);
}

Result<Reply> list_objects_v1(Call& call, const ListObjectsRequest& request) {
  RUNCTL_TRY_LET(const Encoding encode, Encoding::named(request.encoding_type));
  RUNCTL_TRY_LET(const auto most, page_size(request.max_keys, "max-keys"));
  RUNCTL_TRY_LET(const Listing listing, list(call, {.prefix = request.prefix,
                                                    .delimiter = request.delimiter,
                                                    .from = request.marker,
                                                    .after = request.marker,
                                                    .most = static_cast<std::size_t>(most)}));
  ListObjectsOutput output{.is_truncated = listing.is_truncated,
                           .marker = encode(request.marker),
                           .name = request.bucket,
                           .prefix = encode(request.prefix),
                           .delimiter = encode(request.delimiter),
                           .max_keys = most,
                           .encoding_type = request.encoding_type};
  const wire::Owner owner = owner_of(call.bucket.account);
  for (const Listing::Entry& entry : listing.entries) {
    if (entry.is_prefix) {
      add_prefix(output, entry.object.key, encode);
    } else {
      output.contents.push_back(object_of(entry.object, encode));
      output.contents.back().owner = owner;
    }
  }
  // Source: "NextMarker" of ListObjects: only with a delimiter; else the last key serves.
  if (listing.is_truncated && !request.delimiter.empty()) {
    output.next_marker = encode(listing.entries.back().object.key);
  }
  return reply_with<ListObjects>(output);
}

Result<Reply> list_object_versions(Call& call, const wire::ListObjectVersionsRequest& request) {
  RUNCTL_TRY_LET(const Encoding encode, Encoding::named(request.encoding_type));
  RUNCTL_TRY_LET(const auto most, page_size(request.max_keys, "max-keys"));
  if (!request.version_id_marker.empty() && request.key_marker.empty()) {
    return refuse("InvalidArgument",
                  "A version-id marker cannot be specified without a key marker.");
  }
  RUNCTL_TRY_LET(const Listing listing, list(call, {.prefix = request.prefix,
                                                    .delimiter = request.delimiter,
                                                    .from = request.key_marker,
                                                    .after = request.key_marker,
                                                    .most = static_cast<std::size_t>(most)}));
  wire::ListObjectVersionsOutput output{.is_truncated = listing.is_truncated,
                                        .key_marker = encode(request.key_marker),
                                        .version_id_marker = request.version_id_marker,
                                        .name = request.bucket,
                                        .prefix = encode(request.prefix),
                                        .delimiter = encode(request.delimiter),
                                        .max_keys = most,
                                        .encoding_type = request.encoding_type,
                                        .request_charged = charged(call)};
  const wire::Owner owner = owner_of(call.bucket.account);
  for (const Listing::Entry& entry : listing.entries) {
    if (entry.is_prefix) {
      add_prefix(output, entry.object.key, encode);
    } else {
      output.versions.push_back(version_of(entry.object, encode, owner));
    }
  }
  if (listing.is_truncated) {
    const Listing::Entry& last = listing.entries.back();
    output.next_key_marker = encode(last.object.key);
    if (!last.is_prefix) output.next_version_id_marker = "null";
  }
  return reply_with<wire::ListObjectVersions>(output);
}

}  // namespace runctl::emulator::s3
