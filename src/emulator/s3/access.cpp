#include "emulator/s3/access.hpp"

#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "aws/sigv4_canonical.hpp"
#include "emulator/cloud_secret.hpp"
#include "emulator/place.hpp"
#include "emulator/refusal.hpp"

namespace runctl::emulator::s3 {
namespace {

std::unexpected<Error> denied() { return refuse("AccessDenied", "Access Denied", 403); }

// Source: "Error responses" in the Amazon S3 API Reference.
std::unexpected<Error> refused_signature(const aws::SignatureFailure& failure, bool is_presigned) {
  using aws::SignatureFault;
  switch (failure.fault) {
    case SignatureFault::missing:
      return denied();
    case SignatureFault::malformed:
    case SignatureFault::wrong_scope:
      return is_presigned ? refuse("AuthorizationQueryParametersError", failure.detail)
                          : refuse("AuthorizationHeaderMalformed", failure.detail);
    case SignatureFault::unknown_key:
      return refuse("InvalidAccessKeyId",
                    "The AWS Access Key Id you provided does not exist in our records.", 403);
    case SignatureFault::expired:
    case SignatureFault::not_yet_current:
      return is_presigned
                 ? refuse("AccessDenied", "Request has expired", 403)
                 : refuse("RequestTimeTooSkewed",
                          "The difference between the request time and the current time is too "
                          "large.",
                          403);
    case SignatureFault::wrong_signature:
      return refuse("SignatureDoesNotMatch",
                    "The request signature we calculated does not match the signature you "
                    "provided. Check your key and signing method.",
                    403);
    case SignatureFault::wrong_body:
      return refuse("XAmzContentSHA256Mismatch",
                    "The provided 'x-amz-content-sha256' header does not match what was computed.");
  }
  return denied();
}

bool is_read(const Call& call) { return call.head.method == "GET" || call.head.method == "HEAD"; }

// By the canned ACL of the bucket, or of the object: here everything in a public bucket is public,
// where AWS also wants it said of each object, or in a policy.
Result<bool> is_open_to_all(Call& call) {
  if (call.bucket.acl == "public-read-write") return true;
  if (!is_read(call)) return false;
  if (call.bucket.acl == "public-read") return true;
  if (call.rest.key.empty()) return false;
  RUNCTL_TRY_LET(const auto object, call.store.head(call.bucket.name, call.rest.key));
  if (!object) return false;
  const auto acl = object->headers.find("x-amz-acl");
  return acl != object->headers.end() && acl->second.starts_with("public-read");
}

// "eu-west-1" of "s3.eu-west-1.amazonaws.com"; empty for a host that names no region.
std::string_view region_in_host(std::string_view host) {
  constexpr std::string_view end = ".amazonaws.com";
  if (!host.ends_with(end)) return {};
  host.remove_suffix(end.size());
  const auto at = host.rfind("s3.");
  if (at == std::string_view::npos || (at > 0 && host[at - 1] != '.')) return {};
  const std::string_view region = host.substr(at + 3);
  return is_region_name(region) ? region : std::string_view{};
}

}  // namespace

Result<void> identify(Call& call) {
  const bool is_presigned =
      call.query("X-Amz-Algorithm").has_value() || call.query("X-Amz-Credential").has_value();
  const std::string_view authorization = call.header("authorization");
  if (authorization.starts_with("AWS ") || call.query("AWSAccessKeyId")) {
    return refuse("InvalidRequest",
                  "The authorization mechanism you have provided is not supported. Please use "
                  "AWS4-HMAC-SHA256.");
  }
  if (authorization.empty() && !is_presigned) return {};
  auto head = aws::verify_v4_head(call.head, call.now, [](std::string_view) {
    return std::optional{Secret{std::string{secret_access_key}}};
  });
  if (!head) return refused_signature(head.error(), is_presigned);
  if (!is_region_name(head->identity.scope.region)) {
    return refuse("AuthorizationHeaderMalformed",
                  fmt::format("The authorization header is malformed; the region '{}' is wrong; "
                              "expecting 'us-east-1'",
                              head->identity.scope.region));
  }
  call.account = account_of(head->identity.access_key_id);
  call.region = head->identity.scope.region;
  call.signature = *std::move(head);
  return {};
}

Result<void> enter_bucket(Call& call, Region region) {
  RUNCTL_TRY_LET(auto bucket, call.store.bucket(call.rest.bucket));
  if (!bucket) return refuse("NoSuchBucket", "The specified bucket does not exist", 404);
  call.bucket = *std::move(bucket);
  const std::string_view in_host = region_in_host(call.header("host"));
  if (region == Region::signed_for && !in_host.empty() && in_host != call.bucket.region) {
    return refuse("PermanentRedirect",
                  "The bucket you are attempting to access must be addressed using the specified "
                  "endpoint. Please send all future requests to this endpoint.",
                  301);
  }
  if (region == Region::signed_for && call.signature && call.region != call.bucket.region) {
    return refuse("AuthorizationHeaderMalformed",
                  fmt::format("The authorization header is malformed; the region '{}' is wrong; "
                              "expecting '{}'",
                              call.region, call.bucket.region));
  }
  const std::string_view expected = call.header("x-amz-expected-bucket-owner");
  if (!expected.empty() && expected != call.bucket.account) return denied();
  if (call.account == call.bucket.account) return {};
  RUNCTL_TRY_LET(const bool open, is_open_to_all(call));
  return open ? Result<void>{} : Result<void>{denied()};
}

}  // namespace runctl::emulator::s3
