// Which bucket and key a request is for, and whether it is for S3 at all.
#pragma once

#include <string>
#include <string_view>

#include "aws/codec_rest.hpp"
#include "base/result.hpp"
#include "io/http_transport.hpp"

namespace runctl::emulator::s3 {

// All services share one port. A request is S3's when its signature's scope says so; without a
// signature of version 4, when it has an older one of S3's, when its host is of S3's form, or when
// it is none of what the others understand: they all take POST with an Action or an X-Amz-Target.
[[nodiscard]] bool is_s3_request(const HttpRequest& head);

// "photos" of "photos.localhost", "photos.s3.localhost", "photos.s3.eu-west-1.amazonaws.com" and
// their like, with or without a port; empty when the path has the bucket ("localhost", an address,
// "s3.…", any other name).
[[nodiscard]] std::string bucket_in_host(std::string_view host);

// The request as the codec reads it, percent-decoded. Its body is still to come. Errors:
// InvalidURI.
[[nodiscard]] Result<aws::RestRequest> read_head(const HttpRequest& head);

// Source: "General purpose bucket naming rules" in the Amazon S3 User Guide; checked 2026.
[[nodiscard]] bool is_bucket_name(std::string_view name);

// What CopyObject and UploadPartCopy copy from: "/bucket/key" or "bucket/key", percent-encoded, and
// perhaps "?versionId=…".
struct CopySource {
  std::string bucket = {};
  std::string key = {};
  std::string version_id = {};
};
// Errors: InvalidArgument.
[[nodiscard]] Result<CopySource> parse_copy_source(std::string_view header);

}  // namespace runctl::emulator::s3
