// Objects: reading, writing, copying and removing them. Members are those in use; names are the
// service model's. The bodies of PutObject and GetObject are no members: they stream (client.hpp).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "aws/codec_rest.hpp"
#include "aws/s3/common.hpp"
#include "aws/shape.hpp"

namespace runctl::aws::s3 {

struct HeadObjectRequest {
  std::string bucket = {};
  std::string key = {};
  std::string if_match = {};
  std::optional<Timestamp> if_modified_since = {};
  std::string if_none_match = {};
  std::optional<Timestamp> if_unmodified_since = {};
  std::string range = {};
  std::string version_id = {};
  std::string sse_customer_algorithm = {};
  std::string sse_customer_key = {};
  std::string sse_customer_key_md5 = {};
  std::string request_payer = {};
  std::optional<std::int64_t> part_number = {};
  std::string expected_bucket_owner = {};
  std::string checksum_mode = {};
  static constexpr auto shape = describe(
      "HeadObjectRequest", in_uri("Bucket", &HeadObjectRequest::bucket),
      in_uri("Key", &HeadObjectRequest::key),
      in_header("IfMatch", "If-Match", &HeadObjectRequest::if_match),
      in_header("IfModifiedSince", "If-Modified-Since", &HeadObjectRequest::if_modified_since),
      in_header("IfNoneMatch", "If-None-Match", &HeadObjectRequest::if_none_match),
      in_header("IfUnmodifiedSince", "If-Unmodified-Since",
                &HeadObjectRequest::if_unmodified_since),
      in_header("Range", &HeadObjectRequest::range),
      in_query("VersionId", "versionId", &HeadObjectRequest::version_id),
      in_header("SSECustomerAlgorithm", "x-amz-server-side-encryption-customer-algorithm",
                &HeadObjectRequest::sse_customer_algorithm),
      in_header("SSECustomerKey", "x-amz-server-side-encryption-customer-key",
                &HeadObjectRequest::sse_customer_key),
      in_header("SSECustomerKeyMD5", "x-amz-server-side-encryption-customer-key-MD5",
                &HeadObjectRequest::sse_customer_key_md5),
      in_header("RequestPayer", "x-amz-request-payer", &HeadObjectRequest::request_payer),
      in_query("PartNumber", "partNumber", &HeadObjectRequest::part_number),
      in_header("ExpectedBucketOwner", "x-amz-expected-bucket-owner",
                &HeadObjectRequest::expected_bucket_owner),
      in_header("ChecksumMode", "x-amz-checksum-mode", &HeadObjectRequest::checksum_mode));
};

struct HeadObjectOutput {
  std::optional<bool> delete_marker = {};
  std::string accept_ranges = {};
  std::string expiration = {};
  std::string restore = {};
  std::string archive_status = {};
  std::optional<Timestamp> last_modified = {};
  std::optional<std::int64_t> content_length = {};
  std::string checksum_crc32 = {};
  std::string checksum_crc32c = {};
  std::string checksum_crc64nvme = {};
  std::string checksum_sha1 = {};
  std::string checksum_sha256 = {};
  std::string checksum_type = {};
  std::string etag = {};
  std::string version_id = {};
  std::string cache_control = {};
  std::string content_disposition = {};
  std::string content_encoding = {};
  std::string content_language = {};
  std::string content_type = {};
  std::string content_range = {};
  std::string expires = {};
  std::string server_side_encryption = {};
  std::map<std::string, std::string> metadata = {};
  std::string sse_customer_algorithm = {};
  std::string sse_customer_key_md5 = {};
  std::string sse_kms_key_id = {};
  std::optional<bool> bucket_key_enabled = {};
  std::string storage_class = {};
  std::string request_charged = {};
  std::optional<std::int64_t> parts_count = {};
  std::optional<std::int64_t> tag_count = {};
  static constexpr auto shape = describe(
      "HeadObjectOutput",
      in_header("DeleteMarker", "x-amz-delete-marker", &HeadObjectOutput::delete_marker),
      in_header("AcceptRanges", "accept-ranges", &HeadObjectOutput::accept_ranges),
      in_header("Expiration", "x-amz-expiration", &HeadObjectOutput::expiration),
      in_header("Restore", "x-amz-restore", &HeadObjectOutput::restore),
      in_header("ArchiveStatus", "x-amz-archive-status", &HeadObjectOutput::archive_status),
      in_header("LastModified", "Last-Modified", &HeadObjectOutput::last_modified),
      in_header("ContentLength", "Content-Length", &HeadObjectOutput::content_length),
      in_header("ChecksumCRC32", "x-amz-checksum-crc32", &HeadObjectOutput::checksum_crc32),
      in_header("ChecksumCRC32C", "x-amz-checksum-crc32c", &HeadObjectOutput::checksum_crc32c),
      in_header("ChecksumCRC64NVME", "x-amz-checksum-crc64nvme",
                &HeadObjectOutput::checksum_crc64nvme),
      in_header("ChecksumSHA1", "x-amz-checksum-sha1", &HeadObjectOutput::checksum_sha1),
      in_header("ChecksumSHA256", "x-amz-checksum-sha256", &HeadObjectOutput::checksum_sha256),
      in_header("ChecksumType", "x-amz-checksum-type", &HeadObjectOutput::checksum_type),
      in_header("ETag", &HeadObjectOutput::etag),
      in_header("VersionId", "x-amz-version-id", &HeadObjectOutput::version_id),
      in_header("CacheControl", "Cache-Control", &HeadObjectOutput::cache_control),
      in_header("ContentDisposition", "Content-Disposition",
                &HeadObjectOutput::content_disposition),
      in_header("ContentEncoding", "Content-Encoding", &HeadObjectOutput::content_encoding),
      in_header("ContentLanguage", "Content-Language", &HeadObjectOutput::content_language),
      in_header("ContentType", "Content-Type", &HeadObjectOutput::content_type),
      in_header("ContentRange", "Content-Range", &HeadObjectOutput::content_range),
      in_header("Expires", &HeadObjectOutput::expires),
      in_header("ServerSideEncryption", "x-amz-server-side-encryption",
                &HeadObjectOutput::server_side_encryption),
      in_headers("Metadata", "x-amz-meta-", &HeadObjectOutput::metadata),
      in_header("SSECustomerAlgorithm", "x-amz-server-side-encryption-customer-algorithm",
                &HeadObjectOutput::sse_customer_algorithm),
      in_header("SSECustomerKeyMD5", "x-amz-server-side-encryption-customer-key-MD5",
                &HeadObjectOutput::sse_customer_key_md5),
      in_header("SSEKMSKeyId", "x-amz-server-side-encryption-aws-kms-key-id",
                &HeadObjectOutput::sse_kms_key_id),
      in_header("BucketKeyEnabled", "x-amz-server-side-encryption-bucket-key-enabled",
                &HeadObjectOutput::bucket_key_enabled),
      in_header("StorageClass", "x-amz-storage-class", &HeadObjectOutput::storage_class),
      in_header("RequestCharged", "x-amz-request-charged", &HeadObjectOutput::request_charged),
      in_header("PartsCount", "x-amz-mp-parts-count", &HeadObjectOutput::parts_count),
      in_header("TagCount", "x-amz-tagging-count", &HeadObjectOutput::tag_count));
};

struct HeadObject {
  using Request = HeadObjectRequest;
  using Response = HeadObjectOutput;
  static constexpr RestInfo info{.name = "HeadObject", .method = "HEAD", .uri = "/{Bucket}/{Key+}"};
};

struct GetObjectRequest {
  std::string bucket = {};
  std::string key = {};
  std::string if_match = {};
  std::optional<Timestamp> if_modified_since = {};
  std::string if_none_match = {};
  std::optional<Timestamp> if_unmodified_since = {};
  std::string range = {};
  std::string version_id = {};
  std::string sse_customer_algorithm = {};
  std::string sse_customer_key = {};
  std::string sse_customer_key_md5 = {};
  std::string request_payer = {};
  std::optional<std::int64_t> part_number = {};
  std::string expected_bucket_owner = {};
  std::string checksum_mode = {};
  static constexpr auto shape = describe(
      "GetObjectRequest", in_uri("Bucket", &GetObjectRequest::bucket),
      in_uri("Key", &GetObjectRequest::key),
      in_header("IfMatch", "If-Match", &GetObjectRequest::if_match),
      in_header("IfModifiedSince", "If-Modified-Since", &GetObjectRequest::if_modified_since),
      in_header("IfNoneMatch", "If-None-Match", &GetObjectRequest::if_none_match),
      in_header("IfUnmodifiedSince", "If-Unmodified-Since", &GetObjectRequest::if_unmodified_since),
      in_header("Range", &GetObjectRequest::range),
      in_query("VersionId", "versionId", &GetObjectRequest::version_id),
      in_header("SSECustomerAlgorithm", "x-amz-server-side-encryption-customer-algorithm",
                &GetObjectRequest::sse_customer_algorithm),
      in_header("SSECustomerKey", "x-amz-server-side-encryption-customer-key",
                &GetObjectRequest::sse_customer_key),
      in_header("SSECustomerKeyMD5", "x-amz-server-side-encryption-customer-key-MD5",
                &GetObjectRequest::sse_customer_key_md5),
      in_header("RequestPayer", "x-amz-request-payer", &GetObjectRequest::request_payer),
      in_query("PartNumber", "partNumber", &GetObjectRequest::part_number),
      in_header("ExpectedBucketOwner", "x-amz-expected-bucket-owner",
                &GetObjectRequest::expected_bucket_owner),
      in_header("ChecksumMode", "x-amz-checksum-mode", &GetObjectRequest::checksum_mode));
};

struct GetObjectOutput {
  std::optional<bool> delete_marker = {};
  std::string accept_ranges = {};
  std::string expiration = {};
  std::string restore = {};
  std::optional<Timestamp> last_modified = {};
  std::optional<std::int64_t> content_length = {};
  std::string etag = {};
  std::string checksum_crc32 = {};
  std::string checksum_crc32c = {};
  std::string checksum_crc64nvme = {};
  std::string checksum_sha1 = {};
  std::string checksum_sha256 = {};
  std::string checksum_type = {};
  std::string version_id = {};
  std::string cache_control = {};
  std::string content_disposition = {};
  std::string content_encoding = {};
  std::string content_language = {};
  std::string content_range = {};
  std::string content_type = {};
  std::string expires = {};
  std::string server_side_encryption = {};
  std::map<std::string, std::string> metadata = {};
  std::string sse_customer_algorithm = {};
  std::string sse_customer_key_md5 = {};
  std::string sse_kms_key_id = {};
  std::optional<bool> bucket_key_enabled = {};
  std::string storage_class = {};
  std::string request_charged = {};
  std::optional<std::int64_t> parts_count = {};
  std::optional<std::int64_t> tag_count = {};
  static constexpr auto shape = describe(
      "GetObjectOutput",
      in_header("DeleteMarker", "x-amz-delete-marker", &GetObjectOutput::delete_marker),
      in_header("AcceptRanges", "accept-ranges", &GetObjectOutput::accept_ranges),
      in_header("Expiration", "x-amz-expiration", &GetObjectOutput::expiration),
      in_header("Restore", "x-amz-restore", &GetObjectOutput::restore),
      in_header("LastModified", "Last-Modified", &GetObjectOutput::last_modified),
      in_header("ContentLength", "Content-Length", &GetObjectOutput::content_length),
      in_header("ETag", &GetObjectOutput::etag),
      in_header("ChecksumCRC32", "x-amz-checksum-crc32", &GetObjectOutput::checksum_crc32),
      in_header("ChecksumCRC32C", "x-amz-checksum-crc32c", &GetObjectOutput::checksum_crc32c),
      in_header("ChecksumCRC64NVME", "x-amz-checksum-crc64nvme",
                &GetObjectOutput::checksum_crc64nvme),
      in_header("ChecksumSHA1", "x-amz-checksum-sha1", &GetObjectOutput::checksum_sha1),
      in_header("ChecksumSHA256", "x-amz-checksum-sha256", &GetObjectOutput::checksum_sha256),
      in_header("ChecksumType", "x-amz-checksum-type", &GetObjectOutput::checksum_type),
      in_header("VersionId", "x-amz-version-id", &GetObjectOutput::version_id),
      in_header("CacheControl", "Cache-Control", &GetObjectOutput::cache_control),
      in_header("ContentDisposition", "Content-Disposition", &GetObjectOutput::content_disposition),
      in_header("ContentEncoding", "Content-Encoding", &GetObjectOutput::content_encoding),
      in_header("ContentLanguage", "Content-Language", &GetObjectOutput::content_language),
      in_header("ContentRange", "Content-Range", &GetObjectOutput::content_range),
      in_header("ContentType", "Content-Type", &GetObjectOutput::content_type),
      in_header("Expires", &GetObjectOutput::expires),
      in_header("ServerSideEncryption", "x-amz-server-side-encryption",
                &GetObjectOutput::server_side_encryption),
      in_headers("Metadata", "x-amz-meta-", &GetObjectOutput::metadata),
      in_header("SSECustomerAlgorithm", "x-amz-server-side-encryption-customer-algorithm",
                &GetObjectOutput::sse_customer_algorithm),
      in_header("SSECustomerKeyMD5", "x-amz-server-side-encryption-customer-key-MD5",
                &GetObjectOutput::sse_customer_key_md5),
      in_header("SSEKMSKeyId", "x-amz-server-side-encryption-aws-kms-key-id",
                &GetObjectOutput::sse_kms_key_id),
      in_header("BucketKeyEnabled", "x-amz-server-side-encryption-bucket-key-enabled",
                &GetObjectOutput::bucket_key_enabled),
      in_header("StorageClass", "x-amz-storage-class", &GetObjectOutput::storage_class),
      in_header("RequestCharged", "x-amz-request-charged", &GetObjectOutput::request_charged),
      in_header("PartsCount", "x-amz-mp-parts-count", &GetObjectOutput::parts_count),
      in_header("TagCount", "x-amz-tagging-count", &GetObjectOutput::tag_count));
};

struct GetObject {
  using Request = GetObjectRequest;
  using Response = GetObjectOutput;
  static constexpr RestInfo info{.name = "GetObject", .method = "GET", .uri = "/{Bucket}/{Key+}"};
};

struct PutObjectRequest {
  std::string bucket = {};
  std::string key = {};
  std::string acl = {};
  std::string cache_control = {};
  std::string content_disposition = {};
  std::string content_encoding = {};
  std::string content_language = {};
  std::optional<std::int64_t> content_length = {};
  std::string content_md5 = {};
  std::string content_type = {};
  std::string checksum_algorithm = {};
  std::string checksum_crc32 = {};
  std::string checksum_crc32c = {};
  std::string checksum_crc64nvme = {};
  std::string checksum_sha1 = {};
  std::string checksum_sha256 = {};
  std::string expires = {};
  std::string if_match = {};
  std::string if_none_match = {};
  std::map<std::string, std::string> metadata = {};
  std::string server_side_encryption = {};
  std::string storage_class = {};
  std::string sse_customer_algorithm = {};
  std::string sse_customer_key = {};
  std::string sse_customer_key_md5 = {};
  std::string sse_kms_key_id = {};
  std::string sse_kms_encryption_context = {};
  std::optional<bool> bucket_key_enabled = {};
  std::string request_payer = {};
  std::string tagging = {};
  std::string expected_bucket_owner = {};
  static constexpr auto shape = describe(
      "PutObjectRequest", in_uri("Bucket", &PutObjectRequest::bucket),
      in_uri("Key", &PutObjectRequest::key), in_header("ACL", "x-amz-acl", &PutObjectRequest::acl),
      in_header("CacheControl", "Cache-Control", &PutObjectRequest::cache_control),
      in_header("ContentDisposition", "Content-Disposition",
                &PutObjectRequest::content_disposition),
      in_header("ContentEncoding", "Content-Encoding", &PutObjectRequest::content_encoding),
      in_header("ContentLanguage", "Content-Language", &PutObjectRequest::content_language),
      in_header("ContentLength", "Content-Length", &PutObjectRequest::content_length),
      in_header("ContentMD5", "Content-MD5", &PutObjectRequest::content_md5),
      in_header("ContentType", "Content-Type", &PutObjectRequest::content_type),
      in_header("ChecksumAlgorithm", "x-amz-sdk-checksum-algorithm",
                &PutObjectRequest::checksum_algorithm),
      in_header("ChecksumCRC32", "x-amz-checksum-crc32", &PutObjectRequest::checksum_crc32),
      in_header("ChecksumCRC32C", "x-amz-checksum-crc32c", &PutObjectRequest::checksum_crc32c),
      in_header("ChecksumCRC64NVME", "x-amz-checksum-crc64nvme",
                &PutObjectRequest::checksum_crc64nvme),
      in_header("ChecksumSHA1", "x-amz-checksum-sha1", &PutObjectRequest::checksum_sha1),
      in_header("ChecksumSHA256", "x-amz-checksum-sha256", &PutObjectRequest::checksum_sha256),
      in_header("Expires", &PutObjectRequest::expires),
      in_header("IfMatch", "If-Match", &PutObjectRequest::if_match),
      in_header("IfNoneMatch", "If-None-Match", &PutObjectRequest::if_none_match),
      in_headers("Metadata", "x-amz-meta-", &PutObjectRequest::metadata),
      in_header("ServerSideEncryption", "x-amz-server-side-encryption",
                &PutObjectRequest::server_side_encryption),
      in_header("StorageClass", "x-amz-storage-class", &PutObjectRequest::storage_class),
      in_header("SSECustomerAlgorithm", "x-amz-server-side-encryption-customer-algorithm",
                &PutObjectRequest::sse_customer_algorithm),
      in_header("SSECustomerKey", "x-amz-server-side-encryption-customer-key",
                &PutObjectRequest::sse_customer_key),
      in_header("SSECustomerKeyMD5", "x-amz-server-side-encryption-customer-key-MD5",
                &PutObjectRequest::sse_customer_key_md5),
      in_header("SSEKMSKeyId", "x-amz-server-side-encryption-aws-kms-key-id",
                &PutObjectRequest::sse_kms_key_id),
      in_header("SSEKMSEncryptionContext", "x-amz-server-side-encryption-context",
                &PutObjectRequest::sse_kms_encryption_context),
      in_header("BucketKeyEnabled", "x-amz-server-side-encryption-bucket-key-enabled",
                &PutObjectRequest::bucket_key_enabled),
      in_header("RequestPayer", "x-amz-request-payer", &PutObjectRequest::request_payer),
      in_header("Tagging", "x-amz-tagging", &PutObjectRequest::tagging),
      in_header("ExpectedBucketOwner", "x-amz-expected-bucket-owner",
                &PutObjectRequest::expected_bucket_owner));
};

struct PutObjectOutput {
  std::string expiration = {};
  std::string etag = {};
  std::string checksum_crc32 = {};
  std::string checksum_crc32c = {};
  std::string checksum_crc64nvme = {};
  std::string checksum_sha1 = {};
  std::string checksum_sha256 = {};
  std::string checksum_type = {};
  std::string server_side_encryption = {};
  std::string version_id = {};
  std::string sse_customer_algorithm = {};
  std::string sse_customer_key_md5 = {};
  std::string sse_kms_key_id = {};
  std::string sse_kms_encryption_context = {};
  std::optional<bool> bucket_key_enabled = {};
  std::optional<std::int64_t> size = {};
  std::string request_charged = {};
  static constexpr auto shape = describe(
      "PutObjectOutput", in_header("Expiration", "x-amz-expiration", &PutObjectOutput::expiration),
      in_header("ETag", &PutObjectOutput::etag),
      in_header("ChecksumCRC32", "x-amz-checksum-crc32", &PutObjectOutput::checksum_crc32),
      in_header("ChecksumCRC32C", "x-amz-checksum-crc32c", &PutObjectOutput::checksum_crc32c),
      in_header("ChecksumCRC64NVME", "x-amz-checksum-crc64nvme",
                &PutObjectOutput::checksum_crc64nvme),
      in_header("ChecksumSHA1", "x-amz-checksum-sha1", &PutObjectOutput::checksum_sha1),
      in_header("ChecksumSHA256", "x-amz-checksum-sha256", &PutObjectOutput::checksum_sha256),
      in_header("ChecksumType", "x-amz-checksum-type", &PutObjectOutput::checksum_type),
      in_header("ServerSideEncryption", "x-amz-server-side-encryption",
                &PutObjectOutput::server_side_encryption),
      in_header("VersionId", "x-amz-version-id", &PutObjectOutput::version_id),
      in_header("SSECustomerAlgorithm", "x-amz-server-side-encryption-customer-algorithm",
                &PutObjectOutput::sse_customer_algorithm),
      in_header("SSECustomerKeyMD5", "x-amz-server-side-encryption-customer-key-MD5",
                &PutObjectOutput::sse_customer_key_md5),
      in_header("SSEKMSKeyId", "x-amz-server-side-encryption-aws-kms-key-id",
                &PutObjectOutput::sse_kms_key_id),
      in_header("SSEKMSEncryptionContext", "x-amz-server-side-encryption-context",
                &PutObjectOutput::sse_kms_encryption_context),
      in_header("BucketKeyEnabled", "x-amz-server-side-encryption-bucket-key-enabled",
                &PutObjectOutput::bucket_key_enabled),
      in_header("Size", "x-amz-object-size", &PutObjectOutput::size),
      in_header("RequestCharged", "x-amz-request-charged", &PutObjectOutput::request_charged));
};

struct PutObject {
  using Request = PutObjectRequest;
  using Response = PutObjectOutput;
  static constexpr RestInfo info{.name = "PutObject", .method = "PUT", .uri = "/{Bucket}/{Key+}"};
};

struct CopyObjectRequest {
  std::string bucket = {};
  std::string key = {};
  std::string acl = {};
  std::string cache_control = {};
  std::string checksum_algorithm = {};
  std::string content_disposition = {};
  std::string content_encoding = {};
  std::string content_language = {};
  std::string content_type = {};
  std::string copy_source = {};
  std::string copy_source_if_match = {};
  std::optional<Timestamp> copy_source_if_modified_since = {};
  std::string copy_source_if_none_match = {};
  std::optional<Timestamp> copy_source_if_unmodified_since = {};
  std::string expires = {};
  std::string if_match = {};
  std::string if_none_match = {};
  std::map<std::string, std::string> metadata = {};
  std::string metadata_directive = {};
  std::string tagging_directive = {};
  std::string server_side_encryption = {};
  std::string storage_class = {};
  std::string sse_customer_algorithm = {};
  std::string sse_customer_key = {};
  std::string sse_customer_key_md5 = {};
  std::string sse_kms_key_id = {};
  std::string sse_kms_encryption_context = {};
  std::optional<bool> bucket_key_enabled = {};
  std::string copy_source_sse_customer_algorithm = {};
  std::string copy_source_sse_customer_key = {};
  std::string copy_source_sse_customer_key_md5 = {};
  std::string request_payer = {};
  std::string tagging = {};
  std::string expected_bucket_owner = {};
  std::string expected_source_bucket_owner = {};
  static constexpr auto shape = describe(
      "CopyObjectRequest", in_uri("Bucket", &CopyObjectRequest::bucket),
      in_uri("Key", &CopyObjectRequest::key),
      in_header("ACL", "x-amz-acl", &CopyObjectRequest::acl),
      in_header("CacheControl", "Cache-Control", &CopyObjectRequest::cache_control),
      in_header("ChecksumAlgorithm", "x-amz-checksum-algorithm",
                &CopyObjectRequest::checksum_algorithm),
      in_header("ContentDisposition", "Content-Disposition",
                &CopyObjectRequest::content_disposition),
      in_header("ContentEncoding", "Content-Encoding", &CopyObjectRequest::content_encoding),
      in_header("ContentLanguage", "Content-Language", &CopyObjectRequest::content_language),
      in_header("ContentType", "Content-Type", &CopyObjectRequest::content_type),
      in_header("CopySource", "x-amz-copy-source", &CopyObjectRequest::copy_source),
      in_header("CopySourceIfMatch", "x-amz-copy-source-if-match",
                &CopyObjectRequest::copy_source_if_match),
      in_header("CopySourceIfModifiedSince", "x-amz-copy-source-if-modified-since",
                &CopyObjectRequest::copy_source_if_modified_since),
      in_header("CopySourceIfNoneMatch", "x-amz-copy-source-if-none-match",
                &CopyObjectRequest::copy_source_if_none_match),
      in_header("CopySourceIfUnmodifiedSince", "x-amz-copy-source-if-unmodified-since",
                &CopyObjectRequest::copy_source_if_unmodified_since),
      in_header("Expires", &CopyObjectRequest::expires),
      in_header("IfMatch", "If-Match", &CopyObjectRequest::if_match),
      in_header("IfNoneMatch", "If-None-Match", &CopyObjectRequest::if_none_match),
      in_headers("Metadata", "x-amz-meta-", &CopyObjectRequest::metadata),
      in_header("MetadataDirective", "x-amz-metadata-directive",
                &CopyObjectRequest::metadata_directive),
      in_header("TaggingDirective", "x-amz-tagging-directive",
                &CopyObjectRequest::tagging_directive),
      in_header("ServerSideEncryption", "x-amz-server-side-encryption",
                &CopyObjectRequest::server_side_encryption),
      in_header("StorageClass", "x-amz-storage-class", &CopyObjectRequest::storage_class),
      in_header("SSECustomerAlgorithm", "x-amz-server-side-encryption-customer-algorithm",
                &CopyObjectRequest::sse_customer_algorithm),
      in_header("SSECustomerKey", "x-amz-server-side-encryption-customer-key",
                &CopyObjectRequest::sse_customer_key),
      in_header("SSECustomerKeyMD5", "x-amz-server-side-encryption-customer-key-MD5",
                &CopyObjectRequest::sse_customer_key_md5),
      in_header("SSEKMSKeyId", "x-amz-server-side-encryption-aws-kms-key-id",
                &CopyObjectRequest::sse_kms_key_id),
      in_header("SSEKMSEncryptionContext", "x-amz-server-side-encryption-context",
                &CopyObjectRequest::sse_kms_encryption_context),
      in_header("BucketKeyEnabled", "x-amz-server-side-encryption-bucket-key-enabled",
                &CopyObjectRequest::bucket_key_enabled),
      in_header("CopySourceSSECustomerAlgorithm",
                "x-amz-copy-source-server-side-encryption-customer-algorithm",
                &CopyObjectRequest::copy_source_sse_customer_algorithm),
      in_header("CopySourceSSECustomerKey", "x-amz-copy-source-server-side-encryption-customer-key",
                &CopyObjectRequest::copy_source_sse_customer_key),
      in_header("CopySourceSSECustomerKeyMD5",
                "x-amz-copy-source-server-side-encryption-customer-key-MD5",
                &CopyObjectRequest::copy_source_sse_customer_key_md5),
      in_header("RequestPayer", "x-amz-request-payer", &CopyObjectRequest::request_payer),
      in_header("Tagging", "x-amz-tagging", &CopyObjectRequest::tagging),
      in_header("ExpectedBucketOwner", "x-amz-expected-bucket-owner",
                &CopyObjectRequest::expected_bucket_owner),
      in_header("ExpectedSourceBucketOwner", "x-amz-source-expected-bucket-owner",
                &CopyObjectRequest::expected_source_bucket_owner));
};

struct CopyObjectResult {
  std::string etag = {};
  std::optional<Timestamp> last_modified = {};
  std::string checksum_type = {};
  std::string checksum_crc32 = {};
  std::string checksum_crc32c = {};
  std::string checksum_crc64nvme = {};
  std::string checksum_sha1 = {};
  std::string checksum_sha256 = {};
  static constexpr auto shape =
      describe("CopyObjectResult", field("ETag", &CopyObjectResult::etag),
               field("LastModified", &CopyObjectResult::last_modified),
               field("ChecksumType", &CopyObjectResult::checksum_type),
               field("ChecksumCRC32", &CopyObjectResult::checksum_crc32),
               field("ChecksumCRC32C", &CopyObjectResult::checksum_crc32c),
               field("ChecksumCRC64NVME", &CopyObjectResult::checksum_crc64nvme),
               field("ChecksumSHA1", &CopyObjectResult::checksum_sha1),
               field("ChecksumSHA256", &CopyObjectResult::checksum_sha256));
};

struct CopyObjectOutput {
  std::optional<CopyObjectResult> copy_object_result = {};
  std::string expiration = {};
  std::string copy_source_version_id = {};
  std::string version_id = {};
  std::string server_side_encryption = {};
  std::string sse_customer_algorithm = {};
  std::string sse_customer_key_md5 = {};
  std::string sse_kms_key_id = {};
  std::string sse_kms_encryption_context = {};
  std::optional<bool> bucket_key_enabled = {};
  std::string request_charged = {};
  static constexpr auto shape = describe(
      "CopyObjectOutput", payload("CopyObjectResult", &CopyObjectOutput::copy_object_result),
      in_header("Expiration", "x-amz-expiration", &CopyObjectOutput::expiration),
      in_header("CopySourceVersionId", "x-amz-copy-source-version-id",
                &CopyObjectOutput::copy_source_version_id),
      in_header("VersionId", "x-amz-version-id", &CopyObjectOutput::version_id),
      in_header("ServerSideEncryption", "x-amz-server-side-encryption",
                &CopyObjectOutput::server_side_encryption),
      in_header("SSECustomerAlgorithm", "x-amz-server-side-encryption-customer-algorithm",
                &CopyObjectOutput::sse_customer_algorithm),
      in_header("SSECustomerKeyMD5", "x-amz-server-side-encryption-customer-key-MD5",
                &CopyObjectOutput::sse_customer_key_md5),
      in_header("SSEKMSKeyId", "x-amz-server-side-encryption-aws-kms-key-id",
                &CopyObjectOutput::sse_kms_key_id),
      in_header("SSEKMSEncryptionContext", "x-amz-server-side-encryption-context",
                &CopyObjectOutput::sse_kms_encryption_context),
      in_header("BucketKeyEnabled", "x-amz-server-side-encryption-bucket-key-enabled",
                &CopyObjectOutput::bucket_key_enabled),
      in_header("RequestCharged", "x-amz-request-charged", &CopyObjectOutput::request_charged));
};

struct CopyObject {
  using Request = CopyObjectRequest;
  using Response = CopyObjectOutput;
  static constexpr RestInfo info{.name = "CopyObject", .method = "PUT", .uri = "/{Bucket}/{Key+}"};
};

struct DeleteObjectRequest {
  std::string bucket = {};
  std::string key = {};
  std::string version_id = {};
  std::string request_payer = {};
  std::string expected_bucket_owner = {};
  std::string if_match = {};
  static constexpr auto shape = describe(
      "DeleteObjectRequest", in_uri("Bucket", &DeleteObjectRequest::bucket),
      in_uri("Key", &DeleteObjectRequest::key),
      in_query("VersionId", "versionId", &DeleteObjectRequest::version_id),
      in_header("RequestPayer", "x-amz-request-payer", &DeleteObjectRequest::request_payer),
      in_header("ExpectedBucketOwner", "x-amz-expected-bucket-owner",
                &DeleteObjectRequest::expected_bucket_owner),
      in_header("IfMatch", "If-Match", &DeleteObjectRequest::if_match));
};

struct DeleteObjectOutput {
  std::optional<bool> delete_marker = {};
  std::string version_id = {};
  std::string request_charged = {};
  static constexpr auto shape = describe(
      "DeleteObjectOutput",
      in_header("DeleteMarker", "x-amz-delete-marker", &DeleteObjectOutput::delete_marker),
      in_header("VersionId", "x-amz-version-id", &DeleteObjectOutput::version_id),
      in_header("RequestCharged", "x-amz-request-charged", &DeleteObjectOutput::request_charged));
};

struct DeleteObject {
  using Request = DeleteObjectRequest;
  using Response = DeleteObjectOutput;
  static constexpr RestInfo info{
      .name = "DeleteObject", .method = "DELETE", .uri = "/{Bucket}/{Key+}", .status = 204};
};

struct ObjectIdentifier {
  std::string key = {};
  std::string version_id = {};
  std::string etag = {};
  std::optional<Timestamp> last_modified_time = {};
  std::optional<std::int64_t> size = {};
  static constexpr auto shape = describe(
      "ObjectIdentifier", field("Key", &ObjectIdentifier::key),
      field("VersionId", &ObjectIdentifier::version_id), field("ETag", &ObjectIdentifier::etag),
      field("LastModifiedTime", &ObjectIdentifier::last_modified_time),
      field("Size", &ObjectIdentifier::size));
};

struct Delete {
  std::vector<ObjectIdentifier> objects = {};
  std::optional<bool> quiet = {};
  static constexpr auto shape = describe("Delete", flattened("Objects", "Object", &Delete::objects),
                                         field("Quiet", &Delete::quiet));
};

struct DeleteObjectsRequest {
  std::string bucket = {};
  std::optional<Delete> remove = {};
  std::string request_payer = {};
  std::string expected_bucket_owner = {};
  std::string checksum_algorithm = {};
  static constexpr auto shape = describe(
      "DeleteObjectsRequest", in_uri("Bucket", &DeleteObjectsRequest::bucket),
      payload("Delete", &DeleteObjectsRequest::remove),
      in_header("RequestPayer", "x-amz-request-payer", &DeleteObjectsRequest::request_payer),
      in_header("ExpectedBucketOwner", "x-amz-expected-bucket-owner",
                &DeleteObjectsRequest::expected_bucket_owner),
      in_header("ChecksumAlgorithm", "x-amz-sdk-checksum-algorithm",
                &DeleteObjectsRequest::checksum_algorithm));
};

struct DeletedObject {
  std::string key = {};
  std::string version_id = {};
  std::optional<bool> delete_marker = {};
  std::string delete_marker_version_id = {};
  static constexpr auto shape =
      describe("DeletedObject", field("Key", &DeletedObject::key),
               field("VersionId", &DeletedObject::version_id),
               field("DeleteMarker", &DeletedObject::delete_marker),
               field("DeleteMarkerVersionId", &DeletedObject::delete_marker_version_id));
};

// An object that was not removed; the model calls it Error.
struct DeleteError {
  std::string key = {};
  std::string version_id = {};
  std::string code = {};
  std::string message = {};
  static constexpr auto shape = describe(
      "Error", field("Key", &DeleteError::key), field("VersionId", &DeleteError::version_id),
      field("Code", &DeleteError::code), field("Message", &DeleteError::message));
};

struct DeleteObjectsOutput {
  std::vector<DeletedObject> deleted = {};
  std::string request_charged = {};
  std::vector<DeleteError> errors = {};
  static constexpr auto shape = describe(
      "DeleteObjectsOutput", flattened("Deleted", &DeleteObjectsOutput::deleted),
      in_header("RequestCharged", "x-amz-request-charged", &DeleteObjectsOutput::request_charged),
      flattened("Errors", "Error", &DeleteObjectsOutput::errors));
};

struct DeleteObjects {
  using Request = DeleteObjectsRequest;
  using Response = DeleteObjectsOutput;
  static constexpr RestInfo info{.name = "DeleteObjects",
                                 .method = "POST",
                                 .uri = "/{Bucket}?delete",
                                 .root = "DeleteResult",
                                 .needs_check = true};
};

}  // namespace runctl::aws::s3
