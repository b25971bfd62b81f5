#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"
#include "emulator/refusal.hpp"
#include "emulator/s3/actions.hpp"
#include "emulator/s3/conditions.hpp"
#include "emulator/s3/customer_key.hpp"
#include "emulator/s3/object_headers.hpp"
#include "emulator/s3/owner.hpp"
#include "emulator/s3/uploads.hpp"
#include "emulator/s3/write_object.hpp"

namespace runctl::emulator::s3 {
namespace {

constexpr std::int64_t page = 1'000;

std::unexpected<Error> no_such_upload() {
  return refuse("NoSuchUpload",
                "The specified multipart upload does not exist. The upload ID may be invalid, or "
                "the upload may have been aborted or completed.",
                404);
}

std::unexpected<Error> invalid_part() {
  return refuse("InvalidPart",
                "One or more of the specified parts could not be found.  The part may not have "
                "been uploaded, or the specified entity tag may not match the part's entity tag.");
}

// Source: the table of "Full object and composite checksums" in "Checking object integrity in
// Amazon S3": SHAs are of parts only, CRC64NVME of the whole only.
Result<Checksum> checksum_of_upload(const wire::CreateMultipartUploadRequest& request) {
  const std::string name = request.checksum_algorithm.empty()
                               ? std::string{name_of(default_algorithm)}
                               : request.checksum_algorithm;
  const auto algorithm = algorithm_named(name);
  if (!algorithm) {
    return refuse("InvalidRequest",
                  "Checksum algorithm provided is unsupported. Please try again with any of the "
                  "valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
  }
  const bool whole_only = *algorithm == Algorithm::crc64nvme;
  const bool parts_only = !crc_kind(*algorithm).has_value();
  std::string type = request.checksum_type;
  if (type.empty()) type = whole_only ? "FULL_OBJECT" : "COMPOSITE";
  const bool is_type = type == "FULL_OBJECT" || type == "COMPOSITE";
  if (!is_type || (whole_only && type == "COMPOSITE") || (parts_only && type == "FULL_OBJECT")) {
    return refuse("InvalidRequest", fmt::format("The {} checksum type cannot be used with the {} "
                                                "checksum algorithm.",
                                                type, lower(name)));
  }
  return Checksum{.algorithm = std::string{name_of(*algorithm)}, .type = type};
}

Algorithm algorithm_of(const UploadRecord& upload) {
  return algorithm_named(upload.checksum.algorithm).value_or(default_algorithm);
}

void add_encryption(const Call& call, Reply& reply, const StoredHeaders& headers) {
  for (HttpHeader& header : encryption_to_show(call, headers)) {
    reply.response.headers.push_back(std::move(header));
  }
}

// Source: CompleteMultipartUpload and ListParts in the Amazon S3 API Reference: the customer's key
// is wanted where the upload has checksums; elsewhere it may be left out.
Result<void> check_key_at_end(const Call& call, const UploadRecord& upload) {
  const bool brings = !call.header(customer_algorithm).empty();
  if (!brings && !upload.asks_for_checksums) return {};
  return check_upload_key(call, upload.headers);
}

// The parts of the upload that the request names, in its order.
Result<std::vector<PartRecord>> parts_named(Call& call, const UploadRecord& upload,
                                            const std::vector<wire::CompletedPart>& named) {
  RUNCTL_TRY_LET(const auto all, call.store.parts(upload.id, 0, most_parts));
  std::vector<PartRecord> parts;
  std::int64_t previous = 0;
  for (const wire::CompletedPart& wanted : named) {
    const std::int64_t number = wanted.part_number.value_or(0);
    if (number <= previous) {
      return refuse("InvalidPartOrder",
                    "The list of parts was not in ascending order. Parts must be ordered by part "
                    "number.");
    }
    previous = number;
    const auto at = std::ranges::find_if(
        all, [&](const PartRecord& part) { return std::cmp_equal(part.number, number); });
    if (at == all.end() || wanted.etag.empty() || !names_etag(wanted.etag, at->etag)) {
      return invalid_part();
    }
    const auto checksum = checksum_in(wanted);
    if (checksum &&
        (checksum->algorithm != upload.checksum.algorithm || checksum->value != at->checksum)) {
      return invalid_part();
    }
    parts.push_back(*at);
  }
  return parts;
}

Result<void> check_sizes(const std::vector<PartRecord>& parts) {
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    if (parts[i].segment.size < smallest_part) {
      return refuse("EntityTooSmall",
                    "Your proposed upload is smaller than the minimum allowed size");
    }
  }
  return {};
}

Result<ObjectRecord> assemble(const UploadRecord& upload, const std::vector<PartRecord>& parts,
                              Timestamp now) {
  ObjectRecord object{.key = upload.key,
                      .etag = etag_of_parts(parts),
                      .modified = now,
                      .storage_class = upload.storage_class,
                      .checksum = upload.checksum,
                      .headers = upload.headers,
                      .is_multipart = true};
  std::vector<CheckedPart> checked;
  for (const PartRecord& part : parts) {
    object.size += part.segment.size;
    object.segments.push_back(part.segment);
    checked.push_back({.checksum = part.checksum, .size = part.segment.size});
  }
  if (object.size > largest_object) {
    return refuse("EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size");
  }
  object.checksum.value = checksum_of_parts(algorithm_of(upload), upload.checksum.type, checked);
  return object;
}

Result<void> check_claims(const wire::CompleteMultipartUploadRequest& request,
                          const ObjectRecord& object) {
  if (request.mpu_object_size && std::cmp_not_equal(*request.mpu_object_size, object.size)) {
    return refuse("InvalidRequest",
                  "The provided 'x-amz-mp-object-size' header value does not "
                  "match what was computed");
  }
  if (!request.checksum_type.empty() && request.checksum_type != object.checksum.type) {
    return refuse("InvalidRequest", "The upload was created using another checksum type.");
  }
  const auto claimed = checksum_in(request);
  if (!claimed) return {};
  if (claimed->algorithm != object.checksum.algorithm) {
    return refuse("InvalidRequest", "The upload was created using another checksum algorithm.");
  }
  if (claimed->value == object.checksum.value) return {};
  return refuse("BadDigest", fmt::format("The {} you specified did not match the calculated "
                                         "checksum.",
                                         claimed->algorithm));
}

// Completing twice is as once: the object is there, of just these parts.
// Source: CompleteMultipartUpload in the Amazon S3 API Reference speaks of idempotence; observed.
Result<std::optional<ObjectRecord>> completed_before(
    Call& call, const wire::CompleteMultipartUploadRequest& request) {
  if (!request.multipart_upload) return std::nullopt;
  std::vector<PartRecord> parts;
  for (const wire::CompletedPart& part : request.multipart_upload->parts) {
    std::string& etag = parts.emplace_back().etag;
    etag = part.etag;
    std::erase(etag, '"');
    if (etag.size() != 32) return std::nullopt;
  }
  RUNCTL_TRY_LET(auto object, call.store.head(call.bucket.name, request.key));
  if (object && object->etag == etag_of_parts(parts)) return object;
  return std::nullopt;
}

Reply completed(const Call& call, const wire::CompleteMultipartUploadRequest& request,
                const ObjectRecord& object, bool shows_checksum) {
  wire::CompleteMultipartUploadOutput output{
      .location = fmt::format("http://{}/{}/{}", call.header("host"), request.bucket,
                              percent_encode(request.key)),
      .bucket = request.bucket,
      .key = request.key,
      .etag = quoted_etag(object.etag),
      .request_charged = charged(call)};
  if (shows_checksum) set_checksum(output, object.checksum);
  Reply reply = reply_with<wire::CompleteMultipartUpload>(output);
  add_encryption(call, reply, object.headers);
  return reply;
}

}  // namespace

Result<UploadRecord> find_upload(Call& call, std::string_view key, std::string_view id) {
  RUNCTL_TRY_LET(auto upload, call.store.upload(call.bucket.name, key, id));
  if (!upload) return no_such_upload();
  return *std::move(upload);
}

Result<UploadRecord> find_upload(Call& call, std::string_view key, std::string_view id,
                                 std::optional<std::int64_t> part_number) {
  if (!part_number || *part_number < 1 || std::cmp_greater(*part_number, most_parts)) {
    return refuse("InvalidArgument",
                  "Part number must be an integer between 1 and 10000, inclusive");
  }
  return find_upload(call, key, id);
}

Result<PartRecord> store_part(Call& call, const UploadRecord& upload, std::uint32_t number,
                              ReceivedBlob& received) {
  PartRecord part{.number = number,
                  .etag = etag_of(received.md5, upload.headers),
                  .modified = call.now,
                  .checksum = received.checked.checksum,
                  .segment = received.file.segment()};
  RUNCTL_TRY_LET(const bool stored, call.store.put_part(upload.id, part));
  if (!stored) return no_such_upload();
  received.file.keep();
  return part;
}

Result<Reply> create_multipart_upload(Call& call,
                                      const wire::CreateMultipartUploadRequest& request) {
  // The time keeps ids apart that a seed would repeat after a restart.
  UploadRecord upload{.id = fmt::format("{:x}{}{}", call.now.time_since_epoch().count(),
                                        random_hex(call.random, 32), random_hex(call.random, 16)),
                      .bucket = call.bucket.name,
                      .key = request.key,
                      .initiated = call.now,
                      .asks_for_checksums = !request.checksum_algorithm.empty()};
  RUNCTL_TRY_LET(upload.headers, headers_to_store(call));
  RUNCTL_TRY_LET(upload.storage_class, storage_class_of(request.storage_class));
  RUNCTL_TRY_LET(upload.checksum, checksum_of_upload(request));
  RUNCTL_TRY(call.store.put_upload(upload));
  wire::CreateMultipartUploadOutput output{.bucket = request.bucket,
                                           .key = request.key,
                                           .upload_id = upload.id,
                                           .request_charged = charged(call)};
  if (upload.asks_for_checksums) {
    output.checksum_algorithm = upload.checksum.algorithm;
    output.checksum_type = upload.checksum.type;
  }
  Reply reply = reply_with<wire::CreateMultipartUpload>(output);
  add_encryption(call, reply, upload.headers);
  return reply;
}

Result<Reply> upload_part(Call& call, const wire::UploadPartRequest& request) {
  RUNCTL_TRY_LET(const UploadRecord upload,
                 find_upload(call, request.key, request.upload_id, request.part_number));
  RUNCTL_TRY(check_upload_key(call, upload.headers));
  RUNCTL_TRY_LET(auto incoming, Incoming::prepare(call.head, call.body, call.signature));
  const Algorithm algorithm = algorithm_of(upload);
  const auto& claimed = incoming->claimed();
  if (claimed && upload.asks_for_checksums && claimed->algorithm != algorithm) {
    return refuse("InvalidRequest",
                  fmt::format("Checksum Type mismatch occurred, expected checksum Type: {}, actual "
                              "checksum Type: {}",
                              lower(name_of(algorithm)), lower(name_of(claimed->algorithm))));
  }
  RUNCTL_TRY_LET(ReceivedBlob received, receive_blob(call, *incoming, algorithm));
  RUNCTL_TRY_LET(
      const PartRecord part,
      store_part(call, upload, static_cast<std::uint32_t>(*request.part_number), received));
  wire::UploadPartOutput output{.etag = quoted_etag(part.etag), .request_charged = charged(call)};
  if (claimed) {
    // It has been held against the bytes, in a header or a trailer.
    set_checksum(output,
                 {.algorithm = std::string{name_of(claimed->algorithm)}, .value = claimed->value});
  } else if (upload.asks_for_checksums) {
    set_checksum(output, {.algorithm = upload.checksum.algorithm, .value = part.checksum});
  }
  Reply reply = reply_with<wire::UploadPart>(output);
  add_encryption(call, reply, upload.headers);
  return reply;
}

Result<Reply> complete_multipart_upload(Call& call,
                                        const wire::CompleteMultipartUploadRequest& request) {
  auto upload = find_upload(call, request.key, request.upload_id);
  if (!upload) {
    RUNCTL_TRY_LET(const auto before, completed_before(call, request));
    if (before) return completed(call, request, *before, true);
    return std::unexpected{std::move(upload).error()};
  }
  RUNCTL_TRY(check_key_at_end(call, *upload));
  if (!request.multipart_upload || request.multipart_upload->parts.empty()) {
    return refuse("MalformedXML",
                  "The XML you provided was not well-formed or did not validate against our "
                  "published schema");
  }
  WriteGuard guard{{.if_match = request.if_match, .if_none_match = request.if_none_match}};
  RUNCTL_TRY(guard.before(call, request.key));
  RUNCTL_TRY_LET(const auto parts, parts_named(call, *upload, request.multipart_upload->parts));
  RUNCTL_TRY(check_sizes(parts));
  RUNCTL_TRY_LET(const ObjectRecord object, assemble(*upload, parts, call.now));
  RUNCTL_TRY(check_claims(request, object));
  RUNCTL_TRY_LET(const bool done, call.store.complete(*upload, object, guard.at_the_end()));
  if (!done) return no_such_upload();
  return completed(call, request, object, true);
}

Result<Reply> abort_multipart_upload(Call& call, const wire::AbortMultipartUploadRequest& request) {
  RUNCTL_TRY_LET(const UploadRecord upload, find_upload(call, request.key, request.upload_id));
  RUNCTL_TRY(call.store.abort(upload.id));
  return reply_with<wire::AbortMultipartUpload>({.request_charged = charged(call)});
}

Result<Reply> list_parts(Call& call, const wire::ListPartsRequest& request) {
  RUNCTL_TRY_LET(const UploadRecord upload, find_upload(call, request.key, request.upload_id));
  RUNCTL_TRY(check_key_at_end(call, upload));
  const std::int64_t most = std::min(request.max_parts.value_or(page), page);
  const std::int64_t marker = request.part_number_marker.value_or(0);
  if (most < 0 || marker < 0) {
    return refuse("InvalidArgument",
                  "Argument max-parts and part-number-marker must not be "
                  "negative");
  }
  const auto after = static_cast<std::uint32_t>(std::min<std::int64_t>(marker, most_parts));
  RUNCTL_TRY_LET(auto parts,
                 call.store.parts(upload.id, after, static_cast<std::size_t>(most) + 1));
  const wire::Owner owner = owner_of(call.bucket.account);
  wire::ListPartsOutput output{.bucket = request.bucket,
                               .key = request.key,
                               .upload_id = upload.id,
                               .part_number_marker = marker,
                               .max_parts = most,
                               .is_truncated = std::cmp_greater(parts.size(), most),
                               .initiator = wire::Initiator{.id = owner.id},
                               .owner = owner,
                               .storage_class = upload.storage_class,
                               .request_charged = charged(call)};
  if (*output.is_truncated) parts.pop_back();
  if (upload.asks_for_checksums) {
    output.checksum_algorithm = upload.checksum.algorithm;
    output.checksum_type = upload.checksum.type;
  }
  for (const PartRecord& part : parts) {
    auto& shown = output.parts.emplace_back();
    shown = {.part_number = part.number,
             .last_modified = part.modified,
             .etag = quoted_etag(part.etag),
             .size = static_cast<std::int64_t>(part.segment.size)};
    if (upload.asks_for_checksums) {
      set_checksum(shown, {.algorithm = upload.checksum.algorithm, .value = part.checksum});
    }
  }
  output.next_part_number_marker = parts.empty() ? 0 : std::int64_t{parts.back().number};
  return reply_with<wire::ListParts>(output);
}

namespace {

// Uploads of keys that begin so, rolled up at the delimiter, until `most` are found.
class UploadPage {
 public:
  UploadPage(const wire::ListMultipartUploadsRequest& request,
             wire::ListMultipartUploadsOutput& out, std::size_t most)
      : request_{request}, out_{out}, most_{most} {}

  // False when the page is full.
  bool add(const UploadRecord& upload, const wire::Owner& owner) {
    if (!upload.key.starts_with(request_.prefix)) return true;
    const auto at = request_.delimiter.empty()
                        ? std::string::npos
                        : upload.key.find(request_.delimiter, request_.prefix.size());
    const bool is_rolled_up = at != std::string::npos;
    const std::string prefix =
        is_rolled_up ? upload.key.substr(0, at + request_.delimiter.size()) : "";
    if (is_rolled_up && (prefix == last_prefix_ || prefix == request_.key_marker)) return true;
    if (out_.uploads.size() + out_.common_prefixes.size() == most_) {
      out_.is_truncated = true;
      return false;
    }
    if (is_rolled_up) {
      last_prefix_ = prefix;
      out_.common_prefixes.push_back({.prefix = encoded(prefix)});
      out_.next_key_marker = encoded(prefix);
      out_.next_upload_id_marker.clear();
      return true;
    }
    out_.uploads.push_back({.upload_id = upload.id,
                            .key = encoded(upload.key),
                            .initiated = upload.initiated,
                            .storage_class = upload.storage_class,
                            .owner = owner,
                            .initiator = wire::Initiator{.id = owner.id}});
    if (upload.asks_for_checksums) {
      out_.uploads.back().checksum_algorithm = upload.checksum.algorithm;
      out_.uploads.back().checksum_type = upload.checksum.type;
    }
    out_.next_key_marker = encoded(upload.key);
    out_.next_upload_id_marker = upload.id;
    return true;
  }

 private:
  [[nodiscard]] std::string encoded(const std::string& text) const {
    return request_.encoding_type == "url" ? percent_encode(text, "/") : text;
  }

  const wire::ListMultipartUploadsRequest& request_;
  wire::ListMultipartUploadsOutput& out_;
  std::size_t most_;
  std::string last_prefix_;
};

}  // namespace

Result<Reply> list_multipart_uploads(Call& call, const wire::ListMultipartUploadsRequest& request) {
  const std::int64_t most = std::min(request.max_uploads.value_or(page), page);
  if (most < 0) {
    return refuse("InvalidArgument",
                  "Argument max-uploads must be an integer between 0 and 2147483647");
  }
  wire::ListMultipartUploadsOutput output{.bucket = request.bucket,
                                          .key_marker = request.key_marker,
                                          .upload_id_marker = request.upload_id_marker,
                                          .prefix = request.prefix,
                                          .delimiter = request.delimiter,
                                          .max_uploads = most,
                                          .is_truncated = false,
                                          .encoding_type = request.encoding_type,
                                          .request_charged = charged(call)};
  const wire::Owner owner = owner_of(call.bucket.account);
  UploadPage shown{request, output, static_cast<std::size_t>(most)};
  std::string key = request.key_marker;
  std::string id = request.upload_id_marker;
  bool goes_on = most > 0;
  while (goes_on) {
    RUNCTL_TRY_LET(const auto uploads, call.store.uploads(call.bucket.name, key, id, page));
    goes_on = std::cmp_equal(uploads.size(), page);
    for (const UploadRecord& upload : uploads) {
      if (!shown.add(upload, owner)) {
        goes_on = false;
        break;
      }
    }
    if (!uploads.empty()) {
      key = uploads.back().key;
      id = uploads.back().id;
    }
  }
  if (!*output.is_truncated) {
    output.next_key_marker.clear();
    output.next_upload_id_marker.clear();
  }
  return reply_with<wire::ListMultipartUploads>(output);
}

}  // namespace runctl::emulator::s3
