// The first version of ListObjects, which runctl does not use, and rclone and s3cmd do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aws/codec_rest.hpp"
#include "aws/s3/common.hpp"
#include "aws/s3/list.hpp"
#include "aws/shape.hpp"

namespace runctl::emulator::s3 {

// Source: ListObjects in the Amazon S3 API Reference; checked 2026.
struct ListObjectsRequest {
  std::string bucket = {};
  std::string delimiter = {};
  std::string encoding_type = {};
  std::string marker = {};
  std::optional<std::int64_t> max_keys = {};
  std::string prefix = {};
  static constexpr auto shape = aws::describe(
      "ListObjectsRequest", aws::in_uri("Bucket", &ListObjectsRequest::bucket),
      aws::in_query("Delimiter", "delimiter", &ListObjectsRequest::delimiter),
      aws::in_query("EncodingType", "encoding-type", &ListObjectsRequest::encoding_type),
      aws::in_query("Marker", "marker", &ListObjectsRequest::marker),
      aws::in_query("MaxKeys", "max-keys", &ListObjectsRequest::max_keys),
      aws::in_query("Prefix", "prefix", &ListObjectsRequest::prefix));
};

struct ListObjectsOutput {
  std::optional<bool> is_truncated = {};
  std::optional<std::string> marker = {};
  std::string next_marker = {};
  std::vector<aws::s3::Object> contents = {};
  std::optional<std::string> name = {};
  std::optional<std::string> prefix = {};
  std::string delimiter = {};
  std::optional<std::int64_t> max_keys = {};
  std::vector<aws::s3::CommonPrefix> common_prefixes = {};
  std::string encoding_type = {};
  static constexpr auto shape = aws::describe(
      "ListObjectsOutput", aws::field("IsTruncated", &ListObjectsOutput::is_truncated),
      aws::field("Marker", &ListObjectsOutput::marker),
      aws::field("NextMarker", &ListObjectsOutput::next_marker),
      aws::flattened("Contents", &ListObjectsOutput::contents),
      aws::field("Name", &ListObjectsOutput::name),
      aws::field("Prefix", &ListObjectsOutput::prefix),
      aws::field("Delimiter", &ListObjectsOutput::delimiter),
      aws::field("MaxKeys", &ListObjectsOutput::max_keys),
      aws::flattened("CommonPrefixes", &ListObjectsOutput::common_prefixes),
      aws::field("EncodingType", &ListObjectsOutput::encoding_type));
};

struct ListObjects {
  using Request = ListObjectsRequest;
  using Response = ListObjectsOutput;
  static constexpr aws::RestInfo info{
      .name = "ListObjects", .method = "GET", .uri = "/{Bucket}", .root = "ListBucketResult"};
};

}  // namespace runctl::emulator::s3
