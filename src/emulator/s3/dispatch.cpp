#include "emulator/s3/dispatch.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "emulator/refusal.hpp"
#include "emulator/s3/actions.hpp"
#include "emulator/s3/tagging.hpp"

namespace runctl::emulator::s3 {
namespace {

// More than the largest document: 10,000 parts with all their checks, or 1,000 keys of 1,024 bytes
// that are all escaped.
constexpr std::size_t document_limit = std::size_t{16} << 20U;

template <class Operation>
using Act = Result<Reply> (*)(Call& call, const typename Operation::Request& request);

// An action whose request's body is a document, or nothing.
template <class Operation, Act<Operation> act>
Result<Reply> with_document(Call& call) {
  RUNCTL_TRY_LET(auto incoming, Incoming::prepare(call.head, call.body, call.signature));
  // CompleteMultipartUpload's check is that of the object, not of the document.
  if (Operation::info.name == "CompleteMultipartUpload") incoming->set_claim_aside();
  RUNCTL_TRY_LET(call.rest.body, incoming->text(document_limit));
  typename Operation::Request request{};
  RUNCTL_TRY(aws::read_rest_request(Operation::info, call.rest, aws::reading(request)));
  return act(call, request);
}

// An action that reads the body itself.
template <class Operation, Act<Operation> act>
Result<Reply> streaming(Call& call) {
  typename Operation::Request request{};
  RUNCTL_TRY(aws::read_rest_request(Operation::info, call.rest, aws::reading(request)));
  return act(call, request);
}

// Versioning was never turned on in any bucket here. Source: "Response Syntax" of
// GetBucketVersioning in the Amazon S3 API Reference.
Result<Reply> get_bucket_versioning(Call& /*call*/) {
  return Reply{
      HttpResponse{.status = 200,
                   .headers = {{.name = "content-type", .value = "application/xml"}},
                   .body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<VersioningConfiguration "
                           "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>"}};
}

enum class Level : std::uint8_t { service, bucket, object };
enum class Copies : bool { no, yes };

// The first row that fits counts.
struct Row {
  std::string_view method;
  Level level;
  std::string_view query;  // a parameter that must be there; empty: none
  Copies copies;           // whether there is an x-amz-copy-source
  Action action;
};

namespace w = aws::s3;

template <class Operation, Act<Operation> act>
constexpr Action document(BucketUse use = BucketUse::enter) {
  return {.name = Operation::info.name, .bucket = use, .act = with_document<Operation, act>};
}
template <class Operation, Act<Operation> act>
constexpr Action stream() {
  return {.name = Operation::info.name, .act = streaming<Operation, act>};
}

const auto rows = std::to_array<Row>({
    {"GET", Level::service, "", Copies::no,
     document<w::ListBuckets, list_buckets>(BucketUse::none)},
    {"PUT", Level::bucket, "", Copies::no,
     document<w::CreateBucket, create_bucket>(BucketUse::none)},
    {"DELETE", Level::bucket, "", Copies::no, document<w::DeleteBucket, delete_bucket>()},
    {"HEAD", Level::bucket, "", Copies::no, document<w::HeadBucket, head_bucket>()},
    {"GET", Level::bucket, "location", Copies::no,
     document<w::GetBucketLocation, get_bucket_location>(BucketUse::anywhere)},
    {"GET",
     Level::bucket,
     "versioning",
     Copies::no,
     {.name = "GetBucketVersioning", .act = get_bucket_versioning}},
    {"GET", Level::bucket, "versions", Copies::no,
     document<w::ListObjectVersions, list_object_versions>()},
    {"GET", Level::bucket, "uploads", Copies::no,
     document<w::ListMultipartUploads, list_multipart_uploads>()},
    {"GET", Level::bucket, "list-type", Copies::no, document<w::ListObjectsV2, list_objects_v2>()},
    {"GET", Level::bucket, "", Copies::no, document<ListObjects, list_objects_v1>()},
    {"POST", Level::bucket, "delete", Copies::no, document<w::DeleteObjects, delete_objects>()},
    {"POST",
     Level::bucket,
     "",
     Copies::no,
     {.name = "PostObject", .bucket = BucketUse::by_form, .act = post_object}},
    {"GET", Level::object, "tagging", Copies::no, document<GetObjectTagging, get_object_tagging>()},
    {"PUT", Level::object, "tagging", Copies::no, document<PutObjectTagging, put_object_tagging>()},
    {"DELETE", Level::object, "tagging", Copies::no,
     document<DeleteObjectTagging, delete_object_tagging>()},
    {"GET", Level::object, "uploadId", Copies::no, document<w::ListParts, list_parts>()},
    {"GET", Level::object, "", Copies::no, document<w::GetObject, get_object>()},
    {"HEAD", Level::object, "", Copies::no, document<w::HeadObject, head_object>()},
    {"PUT", Level::object, "uploadId", Copies::yes,
     document<w::UploadPartCopy, upload_part_copy>()},
    {"PUT", Level::object, "uploadId", Copies::no, stream<w::UploadPart, upload_part>()},
    {"PUT", Level::object, "", Copies::yes, document<w::CopyObject, copy_object>()},
    {"PUT", Level::object, "", Copies::no, stream<w::PutObject, put_object>()},
    {"POST", Level::object, "uploads", Copies::no,
     document<w::CreateMultipartUpload, create_multipart_upload>()},
    {"POST", Level::object, "uploadId", Copies::no,
     document<w::CompleteMultipartUpload, complete_multipart_upload>()},
    {"DELETE", Level::object, "uploadId", Copies::no,
     document<w::AbortMultipartUpload, abort_multipart_upload>()},
    {"DELETE", Level::object, "", Copies::no, document<w::DeleteObject, delete_object>()},
});

// Parts of buckets and objects that S3 has and the emulator has not.
constexpr std::array<std::string_view, 30> not_modelled{"accelerate",
                                                        "acl",
                                                        "analytics",
                                                        "attributes",
                                                        "cors",
                                                        "encryption",
                                                        "intelligent-tiering",
                                                        "inventory",
                                                        "legal-hold",
                                                        "lifecycle",
                                                        "logging",
                                                        "metadataConfiguration",
                                                        "metadataTable",
                                                        "metrics",
                                                        "notification",
                                                        "object-lock",
                                                        "ownershipControls",
                                                        "policy",
                                                        "policyStatus",
                                                        "publicAccessBlock",
                                                        "renameObject",
                                                        "replication",
                                                        "requestPayment",
                                                        "restore",
                                                        "retention",
                                                        "select",
                                                        "session",
                                                        "tagging",
                                                        "torrent",
                                                        "website"};

bool has_query(const aws::RestRequest& request, std::string_view name) {
  return std::ranges::any_of(request.query, [&](const auto& pair) { return pair.first == name; });
}

bool copies(const aws::RestRequest& request) {
  return std::ranges::any_of(
      request.headers, [](const HttpHeader& header) { return header.name == "x-amz-copy-source"; });
}

}  // namespace

Result<const Action*> action_for(const aws::RestRequest& request) {
  for (const std::string_view part : not_modelled) {
    const bool is_tags_of_object = part == "tagging" && !request.key.empty();
    if (has_query(request, part) && !is_tags_of_object) {
      return refuse("NotImplemented",
                    "The emulator's S3 has no '" + std::string{part} + "' of buckets and objects.",
                    501);
    }
  }
  const Level level = request.bucket.empty() ? Level::service
                      : request.key.empty()  ? Level::bucket
                                             : Level::object;
  for (const Row& row : rows) {
    if (row.method != request.method || row.level != level) continue;
    if (!row.query.empty() && !has_query(request, row.query)) continue;
    if ((row.copies == Copies::yes) != (copies(request) && request.method == "PUT")) continue;
    return &row.action;
  }
  return refuse("MethodNotAllowed", "The specified method is not allowed against this resource.",
                405);
}

}  // namespace runctl::emulator::s3
