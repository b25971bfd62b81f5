// What is in a bucket.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aws/codec_rest.hpp"
#include "aws/s3/common.hpp"
#include "aws/shape.hpp"

namespace runctl::aws::s3 {

struct ListObjectsV2Request {
  std::string bucket = {};
  std::string delimiter = {};
  std::string encoding_type = {};
  std::optional<std::int64_t> max_keys = {};
  std::string prefix = {};
  std::string continuation_token = {};
  std::optional<bool> fetch_owner = {};
  std::string start_after = {};
  std::string request_payer = {};
  std::string expected_bucket_owner = {};
  static constexpr auto shape = describe(
      "ListObjectsV2Request", in_uri("Bucket", &ListObjectsV2Request::bucket),
      in_query("Delimiter", "delimiter", &ListObjectsV2Request::delimiter),
      in_query("EncodingType", "encoding-type", &ListObjectsV2Request::encoding_type),
      in_query("MaxKeys", "max-keys", &ListObjectsV2Request::max_keys),
      in_query("Prefix", "prefix", &ListObjectsV2Request::prefix),
      in_query("ContinuationToken", "continuation-token",
               &ListObjectsV2Request::continuation_token),
      in_query("FetchOwner", "fetch-owner", &ListObjectsV2Request::fetch_owner),
      in_query("StartAfter", "start-after", &ListObjectsV2Request::start_after),
      in_header("RequestPayer", "x-amz-request-payer", &ListObjectsV2Request::request_payer),
      in_header("ExpectedBucketOwner", "x-amz-expected-bucket-owner",
                &ListObjectsV2Request::expected_bucket_owner));
};

struct Object {
  std::string key = {};
  std::optional<Timestamp> last_modified = {};
  std::string etag = {};
  std::vector<std::string> checksum_algorithm = {};
  std::string checksum_type = {};
  std::optional<std::int64_t> size = {};
  std::string storage_class = {};
  std::optional<Owner> owner = {};
  static constexpr auto shape = describe(
      "Object", field("Key", &Object::key), field("LastModified", &Object::last_modified),
      field("ETag", &Object::etag), flattened("ChecksumAlgorithm", &Object::checksum_algorithm),
      field("ChecksumType", &Object::checksum_type), field("Size", &Object::size),
      field("StorageClass", &Object::storage_class), field("Owner", &Object::owner));
};

struct ListObjectsV2Output {
  std::optional<bool> is_truncated = {};
  std::vector<Object> contents = {};
  std::optional<std::string> name = {};
  std::optional<std::string> prefix = {};
  std::string delimiter = {};
  std::optional<std::int64_t> max_keys = {};
  std::vector<CommonPrefix> common_prefixes = {};
  std::string encoding_type = {};
  std::optional<std::int64_t> key_count = {};
  std::string continuation_token = {};
  std::string next_continuation_token = {};
  std::string start_after = {};
  std::string request_charged = {};
  static constexpr auto shape = describe(
      "ListObjectsV2Output", field("IsTruncated", &ListObjectsV2Output::is_truncated),
      flattened("Contents", &ListObjectsV2Output::contents),
      field("Name", &ListObjectsV2Output::name), field("Prefix", &ListObjectsV2Output::prefix),
      field("Delimiter", &ListObjectsV2Output::delimiter),
      field("MaxKeys", &ListObjectsV2Output::max_keys),
      flattened("CommonPrefixes", &ListObjectsV2Output::common_prefixes),
      field("EncodingType", &ListObjectsV2Output::encoding_type),
      field("KeyCount", &ListObjectsV2Output::key_count),
      field("ContinuationToken", &ListObjectsV2Output::continuation_token),
      field("NextContinuationToken", &ListObjectsV2Output::next_continuation_token),
      field("StartAfter", &ListObjectsV2Output::start_after),
      in_header("RequestCharged", "x-amz-request-charged", &ListObjectsV2Output::request_charged));
};

struct ListObjectsV2 {
  using Request = ListObjectsV2Request;
  using Response = ListObjectsV2Output;
  static constexpr RestInfo info{.name = "ListObjectsV2",
                                 .method = "GET",
                                 .uri = "/{Bucket}?list-type=2",
                                 .root = "ListBucketResult"};
};

struct ListObjectVersionsRequest {
  std::string bucket = {};
  std::string delimiter = {};
  std::string encoding_type = {};
  std::string key_marker = {};
  std::optional<std::int64_t> max_keys = {};
  std::string prefix = {};
  std::string version_id_marker = {};
  std::string expected_bucket_owner = {};
  std::string request_payer = {};
  static constexpr auto shape = describe(
      "ListObjectVersionsRequest", in_uri("Bucket", &ListObjectVersionsRequest::bucket),
      in_query("Delimiter", "delimiter", &ListObjectVersionsRequest::delimiter),
      in_query("EncodingType", "encoding-type", &ListObjectVersionsRequest::encoding_type),
      in_query("KeyMarker", "key-marker", &ListObjectVersionsRequest::key_marker),
      in_query("MaxKeys", "max-keys", &ListObjectVersionsRequest::max_keys),
      in_query("Prefix", "prefix", &ListObjectVersionsRequest::prefix),
      in_query("VersionIdMarker", "version-id-marker",
               &ListObjectVersionsRequest::version_id_marker),
      in_header("ExpectedBucketOwner", "x-amz-expected-bucket-owner",
                &ListObjectVersionsRequest::expected_bucket_owner),
      in_header("RequestPayer", "x-amz-request-payer", &ListObjectVersionsRequest::request_payer));
};

struct ObjectVersion {
  std::string etag = {};
  std::vector<std::string> checksum_algorithm = {};
  std::string checksum_type = {};
  std::optional<std::int64_t> size = {};
  std::string storage_class = {};
  std::string key = {};
  std::string version_id = {};
  std::optional<bool> is_latest = {};
  std::optional<Timestamp> last_modified = {};
  std::optional<Owner> owner = {};
  static constexpr auto shape = describe(
      "ObjectVersion", field("ETag", &ObjectVersion::etag),
      flattened("ChecksumAlgorithm", &ObjectVersion::checksum_algorithm),
      field("ChecksumType", &ObjectVersion::checksum_type), field("Size", &ObjectVersion::size),
      field("StorageClass", &ObjectVersion::storage_class), field("Key", &ObjectVersion::key),
      field("VersionId", &ObjectVersion::version_id), field("IsLatest", &ObjectVersion::is_latest),
      field("LastModified", &ObjectVersion::last_modified), field("Owner", &ObjectVersion::owner));
};

struct DeleteMarkerEntry {
  std::optional<Owner> owner = {};
  std::string key = {};
  std::string version_id = {};
  std::optional<bool> is_latest = {};
  std::optional<Timestamp> last_modified = {};
  static constexpr auto shape = describe(
      "DeleteMarkerEntry", field("Owner", &DeleteMarkerEntry::owner),
      field("Key", &DeleteMarkerEntry::key), field("VersionId", &DeleteMarkerEntry::version_id),
      field("IsLatest", &DeleteMarkerEntry::is_latest),
      field("LastModified", &DeleteMarkerEntry::last_modified));
};

struct ListObjectVersionsOutput {
  std::optional<bool> is_truncated = {};
  std::optional<std::string> key_marker = {};
  std::optional<std::string> version_id_marker = {};
  std::string next_key_marker = {};
  std::string next_version_id_marker = {};
  std::vector<ObjectVersion> versions = {};
  std::vector<DeleteMarkerEntry> delete_markers = {};
  std::optional<std::string> name = {};
  std::optional<std::string> prefix = {};
  std::string delimiter = {};
  std::optional<std::int64_t> max_keys = {};
  std::vector<CommonPrefix> common_prefixes = {};
  std::string encoding_type = {};
  std::string request_charged = {};
  static constexpr auto shape = describe(
      "ListObjectVersionsOutput", field("IsTruncated", &ListObjectVersionsOutput::is_truncated),
      field("KeyMarker", &ListObjectVersionsOutput::key_marker),
      field("VersionIdMarker", &ListObjectVersionsOutput::version_id_marker),
      field("NextKeyMarker", &ListObjectVersionsOutput::next_key_marker),
      field("NextVersionIdMarker", &ListObjectVersionsOutput::next_version_id_marker),
      flattened("Versions", "Version", &ListObjectVersionsOutput::versions),
      flattened("DeleteMarkers", "DeleteMarker", &ListObjectVersionsOutput::delete_markers),
      field("Name", &ListObjectVersionsOutput::name),
      field("Prefix", &ListObjectVersionsOutput::prefix),
      field("Delimiter", &ListObjectVersionsOutput::delimiter),
      field("MaxKeys", &ListObjectVersionsOutput::max_keys),
      flattened("CommonPrefixes", &ListObjectVersionsOutput::common_prefixes),
      field("EncodingType", &ListObjectVersionsOutput::encoding_type),
      in_header("RequestCharged", "x-amz-request-charged",
                &ListObjectVersionsOutput::request_charged));
};

struct ListObjectVersions {
  using Request = ListObjectVersionsRequest;
  using Response = ListObjectVersionsOutput;
  static constexpr RestInfo info{.name = "ListObjectVersions",
                                 .method = "GET",
                                 .uri = "/{Bucket}?versions",
                                 .root = "ListVersionsResult"};
};

}  // namespace runctl::aws::s3
