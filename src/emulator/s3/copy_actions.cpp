#include <memory>
#include <string>
#include <utility>

#include "emulator/refusal.hpp"
#include "emulator/s3/actions.hpp"
#include "emulator/s3/address.hpp"
#include "emulator/s3/conditions.hpp"
#include "emulator/s3/customer_key.hpp"
#include "emulator/s3/object_headers.hpp"
#include "emulator/s3/range.hpp"
#include "emulator/s3/uploads.hpp"
#include "emulator/s3/write_object.hpp"

namespace runctl::emulator::s3 {
namespace {

template <class Request>
Conditions source_conditions(const Request& request) {
  return {.if_match = request.copy_source_if_match,
          .if_none_match = request.copy_source_if_none_match,
          .if_modified_since = request.copy_source_if_modified_since,
          .if_unmodified_since = request.copy_source_if_unmodified_since};
}

Result<Found> find_source(Call& call, const CopySource& source, const Conditions& conditions) {
  RUNCTL_TRY_LET(const auto bucket, call.store.bucket(source.bucket));
  if (!bucket) return refuse("NoSuchBucket", "The specified bucket does not exist", 404);
  const bool is_public = bucket->acl.starts_with("public-read");
  if (bucket->account != call.account && !is_public) {
    return refuse("AccessDenied", "Access Denied", 403);
  }
  if (!source.version_id.empty() && source.version_id != "null") {
    return refuse("NoSuchVersion", "The specified version does not exist.", 404);
  }
  RUNCTL_TRY_LET(auto found, call.store.get(source.bucket, source.key));
  if (!found) return refuse("NoSuchKey", "The specified key does not exist.", 404);
  RUNCTL_TRY(check_customer_key(call, found->object.headers, "x-amz-copy-source-"));
  RUNCTL_TRY(check_copy_source(conditions, found->object));
  return *std::move(found);
}

// What CopyObject keeps of the source, and what the request says anew.
Result<StoredHeaders> headers_of_copy(const Call& call, const wire::CopyObjectRequest& request,
                                      const StoredHeaders& source) {
  RUNCTL_TRY_LET(StoredHeaders headers, headers_to_store(call));
  const bool keeps_tags = request.tagging_directive != "REPLACE";
  if (keeps_tags) headers.erase("x-amz-tagging");
  if (request.metadata_directive == "REPLACE") {
    if (keeps_tags && source.contains("x-amz-tagging")) {
      headers["x-amz-tagging"] = source.at("x-amz-tagging");
    }
    return headers;
  }
  if (!request.metadata_directive.empty() && request.metadata_directive != "COPY") {
    return refuse("InvalidArgument", "Unknown metadata directive.");
  }
  StoredHeaders copy;
  for (const auto& [name, value] : source) {
    const bool is_encryption = name.starts_with("x-amz-server-side-encryption");
    const bool is_tags = name == "x-amz-tagging";
    if (is_encryption || name == "x-amz-acl" || (is_tags && !keeps_tags)) continue;
    copy[name] = value;
  }
  for (const auto& [name, value] : headers) {
    if (name.starts_with("x-amz-") && !name.starts_with("x-amz-meta-")) copy[name] = value;
  }
  return copy;
}

Result<void> check_changes_something(const wire::CopyObjectRequest& request,
                                     const CopySource& source, const Found& found,
                                     const ObjectRecord& copy) {
  const bool onto_itself = source.bucket == request.bucket && source.key == request.key;
  if (!onto_itself || request.metadata_directive == "REPLACE" ||
      copy.storage_class != found.object.storage_class || !request.server_side_encryption.empty() ||
      !request.sse_customer_algorithm.empty() ||
      found.object.headers.contains(std::string{customer_algorithm}) ||
      !request.checksum_algorithm.empty()) {
    return {};
  }
  return refuse("InvalidRequest",
                "This copy request is illegal because it is trying to copy an object to itself "
                "without changing the object's metadata, storage class, website redirect location "
                "or encryption attributes.");
}

// Gives `copy` the bytes of `found`. Where everything that is to be known of them is known, the
// files get a second name; else they are read, and written as one.
Result<void> copy_bytes(Call& call, Found& found, Algorithm algorithm, ObjectRecord& copy,
                        std::optional<BlobWriter>& written) {
  const ObjectRecord& source = found.object;
  const bool keeps = !source.is_multipart && source.segments.size() == 1 &&
                     source.checksum.algorithm == name_of(algorithm) &&
                     etag_of({}, source.headers) == etag_of({}, copy.headers);
  if (keeps) {
    RUNCTL_TRY_LET(const Segment segment, call.store.blobs().duplicate(source.segments.front()));
    copy.segments = {segment};
    copy.etag = source.etag;
    copy.checksum = source.checksum;
    return {};
  }
  const auto body = body_of(found.bytes, 0, source.size);
  RUNCTL_TRY_LET(ReceivedBlob received, copy_blob(call, *body, algorithm));
  take_bytes(received, copy);
  written.emplace(std::move(received.file));
  return {};
}

}  // namespace

Result<Reply> copy_object(Call& call, const wire::CopyObjectRequest& request) {
  RUNCTL_TRY_LET(const CopySource source, parse_copy_source(request.copy_source));
  RUNCTL_TRY_LET(Found found, find_source(call, source, source_conditions(request)));
  if (found.object.size > largest_put) {
    return refuse("InvalidRequest",
                  "The specified copy source is larger than the maximum allowable size for a copy "
                  "source: 5368709120");
  }
  WriteGuard guard{{.if_match = request.if_match, .if_none_match = request.if_none_match}};
  RUNCTL_TRY(guard.before(call, request.key));
  ObjectRecord copy{.key = request.key, .size = found.object.size, .modified = call.now};
  RUNCTL_TRY_LET(copy.headers, headers_of_copy(call, request, found.object.headers));
  RUNCTL_TRY_LET(copy.storage_class, storage_class_of(request.storage_class));
  RUNCTL_TRY(check_changes_something(request, source, found, copy));
  const std::string algorithm = request.checksum_algorithm.empty() ? found.object.checksum.algorithm
                                                                   : request.checksum_algorithm;
  std::optional<BlobWriter> written;
  RUNCTL_TRY(copy_bytes(call, found, algorithm_named(algorithm).value_or(default_algorithm), copy,
                        written));
  if (auto put = call.store.put(call.bucket.name, copy, guard.at_the_end()); !put) {
    if (!written) call.store.blobs().remove(copy.segments);
    return std::unexpected{std::move(put).error()};
  }
  if (written) written->keep();
  wire::CopyObjectResult result{.etag = quoted_etag(copy.etag), .last_modified = copy.modified};
  set_checksum(result, copy.checksum);
  Reply reply = reply_with<wire::CopyObject>(
      {.copy_object_result = std::move(result), .request_charged = charged(call)});
  for (HttpHeader& header : encryption_to_show(call, copy.headers)) {
    reply.response.headers.push_back(std::move(header));
  }
  return reply;
}

Result<Reply> upload_part_copy(Call& call, const wire::UploadPartCopyRequest& request) {
  RUNCTL_TRY_LET(const CopySource source, parse_copy_source(request.copy_source));
  RUNCTL_TRY_LET(Found found, find_source(call, source, source_conditions(request)));
  ByteRange range{.length = found.object.size};
  if (!request.copy_source_range.empty()) {
    RUNCTL_TRY_LET(range, parse_copy_range(request.copy_source_range, found.object.size));
  }
  if (range.length > largest_put) {
    return refuse("InvalidRequest",
                  "The specified copy source is larger than the maximum allowable size for a copy "
                  "source: 5368709120");
  }
  RUNCTL_TRY_LET(const UploadRecord upload,
                 find_upload(call, request.key, request.upload_id, request.part_number));
  RUNCTL_TRY(check_upload_key(call, upload.headers));
  const Algorithm algorithm =
      algorithm_named(upload.checksum.algorithm).value_or(default_algorithm);
  const auto body = body_of(found.bytes, range.offset, range.length);
  RUNCTL_TRY_LET(ReceivedBlob received, copy_blob(call, *body, algorithm));
  RUNCTL_TRY_LET(
      const PartRecord part,
      store_part(call, upload, static_cast<std::uint32_t>(*request.part_number), received));
  wire::CopyPartResult result{.etag = quoted_etag(part.etag), .last_modified = part.modified};
  if (upload.asks_for_checksums) {
    set_checksum(result, {.algorithm = upload.checksum.algorithm, .value = part.checksum});
  }
  Reply reply = reply_with<wire::UploadPartCopy>(
      {.copy_part_result = std::move(result), .request_charged = charged(call)});
  for (HttpHeader& header : encryption_to_show(call, upload.headers)) {
    reply.response.headers.push_back(std::move(header));
  }
  return reply;
}

}  // namespace runctl::emulator::s3
