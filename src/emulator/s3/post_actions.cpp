// PostObject: an upload by a form, as browsers send it, and machines without credentials.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "aws/codec_xml.hpp"
#include "aws/s3/post_policy.hpp"
#include "base/text.hpp"
#include "emulator/cloud_secret.hpp"
#include "emulator/place.hpp"
#include "emulator/refusal.hpp"
#include "emulator/s3/access.hpp"
#include "emulator/s3/actions.hpp"
#include "emulator/s3/object_headers.hpp"
#include "emulator/s3/post_form.hpp"
#include "emulator/s3/write_object.hpp"

namespace runctl::emulator::s3 {
namespace {

using aws::s3::find_field;
using aws::s3::FormField;
using aws::s3::PostFault;

// Source: "Error responses" in the Amazon S3 API Reference, and answers of S3 as ceph/s3-tests has
// them (test_post_object_*).
std::unexpected<Error> refused_form(const aws::s3::PostFailure& failure) {
  const auto by_policy = [](std::string why) {
    return refuse("AccessDenied", fmt::format("Invalid according to Policy: {}", why), 403);
  };
  switch (failure.fault) {
    case PostFault::missing_field:
      return refuse("InvalidArgument",
                    fmt::format("Bucket POST must contain a field named '{}'.  If it is specified, "
                                "please check the order of the fields.",
                                failure.detail));
    case PostFault::malformed:
      return refuse("InvalidArgument", failure.detail);
    case PostFault::unknown_key:
      return refuse("InvalidAccessKeyId",
                    "The AWS Access Key Id you provided does not exist in our records.", 403);
    case PostFault::wrong_signature:
      return refuse("SignatureDoesNotMatch",
                    "The request signature we calculated does not match the signature you "
                    "provided. Check your key and signing method.",
                    403);
    case PostFault::bad_document:
      return refuse("InvalidPolicyDocument", fmt::format("Invalid Policy: {}", failure.detail));
    case PostFault::expired:
      return by_policy("Policy expired.");
    case PostFault::condition:
      return by_policy(fmt::format("Policy Condition failed: {}", failure.detail));
    case PostFault::extra_field:
      return by_policy(fmt::format("Extra input fields: {}", failure.detail));
  }
  std::unreachable();
}

// Who may: the signer of the policy, or without one everybody, where the bucket is open to all.
Result<aws::s3::LengthRange> identify_by_form(Call& call, const std::vector<FormField>& fields) {
  aws::s3::LengthRange length{.most = largest_put};
  const bool is_signed =
      find_field(fields, "policy") != nullptr || find_field(fields, "x-amz-signature") != nullptr;
  if (is_signed) {
    auto identity = aws::s3::verify_post(fields, call.rest.bucket, call.now, [](std::string_view) {
      return std::optional{Secret{std::string{secret_access_key}}};
    });
    if (!identity) return refused_form(identity.error());
    call.account = account_of(identity->access_key_id);
    call.region = identity->region;
    if (identity->length) length = *identity->length;
  }
  RUNCTL_TRY(enter_bucket(call, is_signed ? Region::signed_for : Region::anywhere));
  if (is_signed && call.region != call.bucket.region) {
    return refuse("AuthorizationHeaderMalformed",
                  fmt::format("The authorization header is malformed; the region '{}' is wrong; "
                              "expecting '{}'",
                              call.region, call.bucket.region));
  }
  return length;
}

// The key as the form gives it; "${filename}" in it is what the client calls the file.
Result<std::string> key_of(const PostFields& form) {
  constexpr std::string_view variable = "${filename}";
  constexpr std::size_t longest_key = 1'024;
  const std::string* given = find_field(form.fields, "key");
  if (given == nullptr) {
    return refused_form({.fault = PostFault::missing_field, .detail = "key"});
  }
  std::string key = *given;
  if (const auto at = key.find(variable); at != std::string::npos) {
    const auto slash = form.file_name.find_last_of("/\\");
    const std::string name =
        slash == std::string::npos ? form.file_name : form.file_name.substr(slash + 1);
    key.replace(at, variable.size(), name);
  }
  if (key.empty()) return refuse("InvalidArgument", "User key must have a length greater than 0.");
  if (key.size() > longest_key) return refuse("KeyTooLongError", "Your key is too long");
  return key;
}

// The form's fields in the place of headers: what PutObject takes as a header comes so here.
HttpRequest head_of(const HttpRequest& head, const std::vector<FormField>& fields) {
  HttpRequest as_put{.method = "PUT", .url = head.url};
  for (const FormField& field : fields) {
    as_put.headers.push_back({.name = field.name, .value = field.value});
  }
  return as_put;
}

Result<ReceivedBlob> receive_file(Call& call, Incoming& incoming,
                                  const aws::s3::LengthRange& length) {
  const Algorithm algorithm = algorithm_for(incoming);
  const std::uint64_t most = std::min(length.most, largest_put);
  BlobWriter file = call.store.blobs().create();
  std::uint64_t came = 0;
  const auto take = [&](std::span<const std::byte> piece) -> Result<void> {
    came += piece.size();
    if (came > most) {
      return refuse("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size");
    }
    return file.write(piece);
  };
  RUNCTL_TRY_LET(const Digests digests, incoming.receive({algorithm}, take));
  if (came < length.least) {
    return refuse("EntityTooSmall",
                  "Your proposed upload is smaller than the minimum allowed object size.");
  }
  return ReceivedBlob{.file = std::move(file),
                      .md5 = digests.md5(),
                      .algorithm = algorithm,
                      .checked = {.checksum = digests.checksum(algorithm), .size = digests.size()}};
}

// 204 unless the form asks for another; a browser may be sent on.
Reply answer_of(const Call& call, const std::vector<FormField>& fields,
                const ObjectRecord& object) {
  const std::string etag = quoted_etag(object.etag);
  const std::string place = fmt::format("http://{}/{}/{}", call.header("host"), call.bucket.name,
                                        percent_encode(object.key, "/"));
  HttpResponse response{
      .status = 204,
      .headers = {{.name = "etag", .value = etag}, {.name = "location", .value = place}}};
  for (HttpHeader& header : encryption_to_show(call, object.headers)) {
    response.headers.push_back(std::move(header));
  }
  const std::string* target = find_field(fields, "success_action_redirect");
  if (target == nullptr) target = find_field(fields, "redirect");
  if (target != nullptr && !target->empty()) {
    response.status = 303;
    response.headers[1].value = fmt::format(
        "{}{}bucket={}&key={}&etag={}", *target, target->contains('?') ? '&' : '?',
        percent_encode(call.bucket.name), percent_encode(object.key), percent_encode(etag));
    return response;
  }
  const std::string* status = find_field(fields, "success_action_status");
  if (status != nullptr && *status == "200") response.status = 200;
  if (status != nullptr && *status == "201") {
    response.status = 201;
    response.headers.push_back({.name = "content-type", .value = "application/xml"});
    response.body = fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PostResponse><Location>{}</Location>"
        "<Bucket>{}</Bucket><Key>{}</Key><ETag>{}</ETag></PostResponse>",
        aws::xml_escape(place), aws::xml_escape(call.bucket.name), aws::xml_escape(object.key),
        aws::xml_escape(etag));
  }
  return response;
}

}  // namespace

Result<Reply> post_object(Call& call) {
  const auto boundary = form_boundary(call.header("content-type"));
  if (!boundary) {
    return refuse("PreconditionFailed",
                  "At least one of the pre-conditions you specified did not hold: Bucket POST must "
                  "be of the enclosure-type multipart/form-data",
                  412);
  }
  if (!call.body.size()) {
    return refuse("MissingContentLength", "You must provide the Content-Length HTTP header.", 411);
  }
  PostForm body{call.body, *boundary};
  RUNCTL_TRY_LET(const PostFields form, body.read_fields());
  RUNCTL_TRY_LET(const auto length, identify_by_form(call, form.fields));
  ObjectRecord object{};
  RUNCTL_TRY_LET(object.key, key_of(form));
  call.rest.key = object.key;

  const HttpRequest as_put = head_of(call.head, form.fields);
  Call put{.store = call.store,
           .random = call.random,
           .head = as_put,
           .body = body,
           .now = call.now,
           .account = call.account,
           .region = call.region,
           .rest = {.method = "PUT",
                    .bucket = call.rest.bucket,
                    .key = object.key,
                    .headers = as_put.headers},
           .bucket = call.bucket};
  RUNCTL_TRY_LET(object.headers, headers_to_store(put));
  RUNCTL_TRY_LET(object.storage_class, storage_class_of(put.header("x-amz-storage-class")));
  RUNCTL_TRY_LET(const auto incoming, Incoming::prepare(as_put, body, std::nullopt));
  RUNCTL_TRY_LET(ReceivedBlob received, receive_file(put, *incoming, length));
  take_bytes(received, object);
  object.modified = call.now;
  RUNCTL_TRY(call.store.put(call.bucket.name, object,
                            [](const ObjectRecord*) -> Result<void> { return {}; }));
  received.file.keep();
  return answer_of(call, form.fields, object);
}

}  // namespace runctl::emulator::s3
