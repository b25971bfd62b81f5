#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "emulator/refusal.hpp"
#include "emulator/s3/actions.hpp"
#include "emulator/s3/conditions.hpp"
#include "emulator/s3/customer_key.hpp"
#include "emulator/s3/object_headers.hpp"
#include "emulator/s3/range.hpp"
#include "emulator/s3/write_object.hpp"

namespace runctl::emulator::s3 {
namespace {

std::unexpected<Error> no_such_key() {
  return refuse("NoSuchKey", "The specified key does not exist.", 404);
}

// A bucket without versions has one of each object, whose id is "null".
Result<void> check_version(std::string_view id) {
  if (id.empty() || id == "null") return {};
  return refuse("NoSuchVersion", "The specified version does not exist.", 404);
}

template <class Request>
Conditions conditions_of(const Request& request) {
  return {.if_match = request.if_match,
          .if_none_match = request.if_none_match,
          .if_modified_since = request.if_modified_since,
          .if_unmodified_since = request.if_unmodified_since};
}

// What of an object an answer has.
struct Part {
  ByteRange range = {};
  bool is_whole = true;
  std::optional<std::int64_t> parts = {};  // how many the object has
};

Result<Part> part_numbered(const ObjectRecord& object, std::int64_t number) {
  Part part{.is_whole = false};
  const std::size_t count = object.is_multipart ? object.segments.size() : 1;
  if (number < 1 || std::cmp_greater(number, count)) {
    return refuse("InvalidPartNumber", "The requested partnumber is not satisfiable", 416);
  }
  if (!object.is_multipart) {
    part.range.length = object.size;
    return part;
  }
  for (std::int64_t i = 0; i + 1 < number; ++i) {
    part.range.offset += object.segments[static_cast<std::size_t>(i)].size;
  }
  part.range.length = object.segments[static_cast<std::size_t>(number - 1)].size;
  part.parts = static_cast<std::int64_t>(count);
  return part;
}

template <class Request>
Result<Part> part_wanted(const Request& request, const ObjectRecord& object) {
  if (request.part_number) {
    if (!request.range.empty()) {
      return refuse("InvalidRequest",
                    "Cannot specify both Range header and partNumber query "
                    "parameter");
    }
    return part_numbered(object, *request.part_number);
  }
  Part part{.range = {.length = object.size}};
  if (request.range.empty()) return part;
  RUNCTL_TRY_LET(const auto range, parse_range(request.range, object.size));
  if (range) part = {.range = *range, .is_whole = false};
  return part;
}

// GetObject can have headers of its answer put by its query, when it is signed.
// Source: "Overriding response header values" of GetObject in the Amazon S3 API Reference.
void override_headers(const Call& call, std::vector<HttpHeader>& headers) {
  constexpr std::string_view prefix = "response-";
  constexpr std::array<std::string_view, 6> names{"cache-control",    "content-disposition",
                                                  "content-encoding", "content-language",
                                                  "content-type",     "expires"};
  for (const std::string_view name : names) {
    auto value = call.query(std::string{prefix} + std::string{name});
    if (!value) continue;
    std::erase_if(headers, [&](const HttpHeader& header) { return header.name == name; });
    headers.push_back({.name = std::string{name}, .value = *std::move(value)});
  }
}

template <class Operation, class Request>
HttpResponse describe_object(const Call& call, const Request& request, const ObjectRecord& object,
                             const Part& part) {
  typename Operation::Response output{
      .accept_ranges = "bytes",
      .last_modified = object.modified,
      .content_length = static_cast<std::int64_t>(part.range.length),
      .etag = quoted_etag(object.etag),
      .request_charged = charged(call)};
  if (object.storage_class != "STANDARD") output.storage_class = object.storage_class;
  output.parts_count = part.parts;
  if (request.checksum_mode == "ENABLED" && part.is_whole) set_checksum(output, object.checksum);
  if (!part.is_whole && (part.range.length > 0 || !request.part_number)) {
    output.content_range = fmt::format("bytes {}-{}/{}", part.range.offset,
                                       part.range.offset + part.range.length - 1, object.size);
  }
  HttpResponse response = aws::write_rest_response(Operation::info, aws::writing(output));
  for (HttpHeader& header : headers_to_show(call, object.headers)) {
    response.headers.push_back(std::move(header));
  }
  if (call.signature) override_headers(call, response.headers);
  if (!part.is_whole) response.status = 206;
  return response;
}

// What all reads check before they tell anything.
template <class Request>
Result<void> check_readable(const Call& call, const Request& request, const ObjectRecord& object) {
  RUNCTL_TRY(check_customer_key(call, object.headers));
  return check_read(conditions_of(request), object);
}

}  // namespace

Result<Reply> head_object(Call& call, const wire::HeadObjectRequest& request) {
  RUNCTL_TRY(check_version(request.version_id));
  RUNCTL_TRY_LET(const auto object, call.store.head(call.bucket.name, request.key));
  if (!object) return no_such_key();
  RUNCTL_TRY(check_readable(call, request, *object));
  RUNCTL_TRY_LET(const Part part, part_wanted(request, *object));
  return describe_object<wire::HeadObject>(call, request, *object, part);
}

Result<Reply> get_object(Call& call, const wire::GetObjectRequest& request) {
  RUNCTL_TRY(check_version(request.version_id));
  RUNCTL_TRY_LET(auto found, call.store.get(call.bucket.name, request.key));
  if (!found) return no_such_key();
  const ObjectRecord& object = found->object;
  RUNCTL_TRY(check_readable(call, request, object));
  // Source: "InvalidObjectState" in the Amazon S3 API Reference; RestoreObject is not known here.
  if (object.storage_class == "GLACIER" || object.storage_class == "DEEP_ARCHIVE") {
    return refuse("InvalidObjectState", "The operation is not valid for the object's storage class",
                  403);
  }
  RUNCTL_TRY_LET(const Part part, part_wanted(request, object));
  HttpResponse head = describe_object<wire::GetObject>(call, request, object, part);
  return Reply{std::move(head),
               body_of(std::move(found->bytes), part.range.offset, part.range.length)};
}

Result<Reply> put_object(Call& call, const wire::PutObjectRequest& request) {
  ObjectRecord object{.key = request.key};
  RUNCTL_TRY_LET(object.headers, headers_to_store(call));
  RUNCTL_TRY_LET(object.storage_class, storage_class_of(request.storage_class));
  WriteGuard guard{{.if_match = request.if_match, .if_none_match = request.if_none_match}};
  RUNCTL_TRY(guard.before(call, request.key));
  RUNCTL_TRY_LET(auto incoming, Incoming::prepare(call.head, call.body, call.signature));
  RUNCTL_TRY_LET(ReceivedBlob received, receive_blob(call, *incoming, algorithm_for(*incoming)));
  take_bytes(received, object);
  object.modified = call.now;
  RUNCTL_TRY(call.store.put(call.bucket.name, object, guard.at_the_end()));
  received.file.keep();
  wire::PutObjectOutput output{.etag = quoted_etag(object.etag), .request_charged = charged(call)};
  set_checksum(output, object.checksum);
  Reply reply = reply_with<wire::PutObject>(output);
  for (HttpHeader& header : encryption_to_show(call, object.headers)) {
    reply.response.headers.push_back(std::move(header));
  }
  return reply;
}

Result<Reply> delete_object(Call& call, const wire::DeleteObjectRequest& request) {
  RUNCTL_TRY(check_version(request.version_id));
  const Conditions conditions{.if_match = request.if_match};
  RUNCTL_TRY(call.store.remove(call.bucket.name, request.key, [&](const ObjectRecord* existing) {
    return check_write(conditions, existing);
  }));
  return reply_with<wire::DeleteObject>({.request_charged = charged(call)});
}

namespace {

Result<void> delete_one(Call& call, const wire::ObjectIdentifier& object) {
  if (object.key.empty()) {
    return refuse("UserKeyMustBeSpecified", "The key must be specified.");
  }
  RUNCTL_TRY(check_version(object.version_id));
  return call.store.remove(call.bucket.name, object.key,
                           [&](const ObjectRecord* existing) -> Result<void> {
                             const Conditions conditions{.if_match = object.etag};
                             return check_write(conditions, existing);
                           });
}

}  // namespace

Result<Reply> delete_objects(Call& call, const wire::DeleteObjectsRequest& request) {
  // Source: DeleteObjects in the Amazon S3 API Reference: up to 1,000, and a digest is required.
  constexpr std::size_t most = 1'000;
  RUNCTL_TRY_LET(const auto claimed, claimed_checksum(call.head.headers));
  if (call.header("content-md5").empty() && !claimed) {
    return refuse("InvalidRequest", "Missing required header for this request: Content-MD5");
  }
  if (!request.remove || request.remove->objects.empty() || request.remove->objects.size() > most) {
    return refuse("MalformedXML",
                  "The XML you provided was not well-formed or did not validate against our "
                  "published schema");
  }
  wire::DeleteObjectsOutput output{.request_charged = charged(call)};
  for (const wire::ObjectIdentifier& object : request.remove->objects) {
    const auto removed = delete_one(call, object);
    if (!removed) {
      output.errors.push_back(
          {.key = object.key,
           .version_id = object.version_id,
           .code = removed.error().remote ? removed.error().remote->code : "InternalError",
           .message = removed.error().message});
    } else if (!request.remove->quiet.value_or(false)) {
      output.deleted.push_back({.key = object.key, .version_id = object.version_id});
    }
  }
  return reply_with<wire::DeleteObjects>(output);
}

}  // namespace runctl::emulator::s3
