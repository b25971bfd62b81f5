// Tags of objects. The AWS CLI asks for them before it copies an object in parts.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "aws/codec_rest.hpp"
#include "aws/s3/common.hpp"
#include "aws/shape.hpp"
#include "base/result.hpp"
#include "emulator/reply.hpp"
#include "emulator/s3/call.hpp"

namespace runctl::emulator::s3 {

// Source: GetObjectTagging, PutObjectTagging and DeleteObjectTagging in the Amazon S3 API
// Reference; checked 2026.
struct Tag {
  std::string key = {};
  std::optional<std::string> value = {};
  static constexpr auto shape =
      aws::describe("Tag", aws::field("Key", &Tag::key), aws::field("Value", &Tag::value));
};

struct Tagging {
  std::vector<Tag> tag_set = {};
  static constexpr auto shape =
      aws::describe("Tagging", aws::listed("TagSet", "TagSet", "Tag", &Tagging::tag_set));
};

struct TaggingRequest {
  std::string bucket = {};
  std::string key = {};
  std::string version_id = {};
  std::optional<Tagging> tagging = {};
  static constexpr auto shape =
      aws::describe("TaggingRequest", aws::in_uri("Bucket", &TaggingRequest::bucket),
                    aws::in_uri("Key", &TaggingRequest::key),
                    aws::in_query("VersionId", "versionId", &TaggingRequest::version_id),
                    aws::payload("Tagging", &TaggingRequest::tagging));
};

struct GetObjectTagging {
  using Request = TaggingRequest;
  using Response = Tagging;
  static constexpr aws::RestInfo info{.name = "GetObjectTagging",
                                      .method = "GET",
                                      .uri = "/{Bucket}/{Key+}?tagging",
                                      .root = "Tagging"};
};

struct PutObjectTagging {
  using Request = TaggingRequest;
  using Response = aws::s3::Nothing;
  static constexpr aws::RestInfo info{
      .name = "PutObjectTagging", .method = "PUT", .uri = "/{Bucket}/{Key+}?tagging"};
};

struct DeleteObjectTagging {
  using Request = TaggingRequest;
  using Response = aws::s3::Nothing;
  static constexpr aws::RestInfo info{.name = "DeleteObjectTagging",
                                      .method = "DELETE",
                                      .uri = "/{Bucket}/{Key+}?tagging",
                                      .status = 204};
};

// Errors: NoSuchKey; MalformedXML, InvalidTag (more than ten, or one twice).
[[nodiscard]] Result<Reply> get_object_tagging(Call& call, const TaggingRequest& request);
[[nodiscard]] Result<Reply> put_object_tagging(Call& call, const TaggingRequest& request);
[[nodiscard]] Result<Reply> delete_object_tagging(Call& call, const TaggingRequest& request);

}  // namespace runctl::emulator::s3
