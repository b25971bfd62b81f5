// Multipart uploads. The body of UploadPart is no member: it streams (client.hpp).
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

struct CreateMultipartUploadRequest {
  std::string bucket = {};
  std::string key = {};
  std::string acl = {};
  std::string cache_control = {};
  std::string content_disposition = {};
  std::string content_encoding = {};
  std::string content_language = {};
  std::string content_type = {};
  std::string expires = {};
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
  std::string checksum_algorithm = {};
  std::string checksum_type = {};
  static constexpr auto shape = describe(
      "CreateMultipartUploadRequest", in_uri("Bucket", &CreateMultipartUploadRequest::bucket),
      in_uri("Key", &CreateMultipartUploadRequest::key),
      in_header("ACL", "x-amz-acl", &CreateMultipartUploadRequest::acl),
      in_header("CacheControl", "Cache-Control", &CreateMultipartUploadRequest::cache_control),
      in_header("ContentDisposition", "Content-Disposition",
                &CreateMultipartUploadRequest::content_disposition),
      in_header("ContentEncoding", "Content-Encoding",
                &CreateMultipartUploadRequest::content_encoding),
      in_header("ContentLanguage", "Content-Language",
                &CreateMultipartUploadRequest::content_language),
      in_header("ContentType", "Content-Type", &CreateMultipartUploadRequest::content_type),
      in_header("Expires", &CreateMultipartUploadRequest::expires),
      in_headers("Metadata", "x-amz-meta-", &CreateMultipartUploadRequest::metadata),
      in_header("ServerSideEncryption", "x-amz-server-side-encryption",
                &CreateMultipartUploadRequest::server_side_encryption),
      in_header("StorageClass", "x-amz-storage-class",
                &CreateMultipartUploadRequest::storage_class),
      in_header("SSECustomerAlgorithm", "x-amz-server-side-encryption-customer-algorithm",
                &CreateMultipartUploadRequest::sse_customer_algorithm),
      in_header("SSECustomerKey", "x-amz-server-side-encryption-customer-key",
                &CreateMultipartUploadRequest::sse_customer_key),
      in_header("SSECustomerKeyMD5", "x-amz-server-side-encryption-customer-key-MD5",
                &CreateMultipartUploadRequest::sse_customer_key_md5),
      in_header("SSEKMSKeyId", "x-amz-server-side-encryption-aws-kms-key-id",
                &CreateMultipartUploadRequest::sse_kms_key_id),
      in_header("SSEKMSEncryptionContext", "x-amz-server-side-encryption-context",
                &CreateMultipartUploadRequest::sse_kms_encryption_context),
      in_header("BucketKeyEnabled", "x-amz-server-side-encryption-bucket-key-enabled",
                &CreateMultipartUploadRequest::bucket_key_enabled),
      in_header("RequestPayer", "x-amz-request-payer",
                &CreateMultipartUploadRequest::request_payer),
      in_header("Tagging", "x-amz-tagging", &CreateMultipartUploadRequest::tagging),
      in_header("ExpectedBucketOwner", "x-amz-expected-bucket-owner",
                &CreateMultipartUploadRequest::expected_bucket_owner),
      in_header("ChecksumAlgorithm", "x-amz-checksum-algorithm",
                &CreateMultipartUploadRequest::checksum_algorithm),
      in_header("ChecksumType", "x-amz-checksum-type",
                &CreateMultipartUploadRequest::checksum_type));
};

struct CreateMultipartUploadOutput {
  std::string bucket = {};
  std::string key = {};
  std::string upload_id = {};
  std::string server_side_encryption = {};
  std::string sse_customer_algorithm = {};
  std::string sse_customer_key_md5 = {};
  std::string sse_kms_key_id = {};
  std::string sse_kms_encryption_context = {};
  std::optional<bool> bucket_key_enabled = {};
  std::string request_charged = {};
  std::string checksum_algorithm = {};
  std::string checksum_type = {};
  static constexpr auto shape =
      describe("CreateMultipartUploadOutput", field("Bucket", &CreateMultipartUploadOutput::bucket),
               field("Key", &CreateMultipartUploadOutput::key),
               field("UploadId", &CreateMultipartUploadOutput::upload_id),
               in_header("ServerSideEncryption", "x-amz-server-side-encryption",
                         &CreateMultipartUploadOutput::server_side_encryption),
               in_header("SSECustomerAlgorithm", "x-amz-server-side-encryption-customer-algorithm",
                         &CreateMultipartUploadOutput::sse_customer_algorithm),
               in_header("SSECustomerKeyMD5", "x-amz-server-side-encryption-customer-key-MD5",
                         &CreateMultipartUploadOutput::sse_customer_key_md5),
               in_header("SSEKMSKeyId", "x-amz-server-side-encryption-aws-kms-key-id",
                         &CreateMultipartUploadOutput::sse_kms_key_id),
               in_header("SSEKMSEncryptionContext", "x-amz-server-side-encryption-context",
                         &CreateMultipartUploadOutput::sse_kms_encryption_context),
               in_header("BucketKeyEnabled", "x-amz-server-side-encryption-bucket-key-enabled",
                         &CreateMultipartUploadOutput::bucket_key_enabled),
               in_header("RequestCharged", "x-amz-request-charged",
                         &CreateMultipartUploadOutput::request_charged),
               in_header("ChecksumAlgorithm", "x-amz-checksum-algorithm",
                         &CreateMultipartUploadOutput::checksum_algorithm),
               in_header("ChecksumType", "x-amz-checksum-type",
                         &CreateMultipartUploadOutput::checksum_type));
};

struct CreateMultipartUpload {
  using Request = CreateMultipartUploadRequest;
  using Response = CreateMultipartUploadOutput;
  static constexpr RestInfo info{.name = "CreateMultipartUpload",
                                 .method = "POST",
                                 .uri = "/{Bucket}/{Key+}?uploads",
                                 .root = "InitiateMultipartUploadResult",
                                 .idempotent = Idempotent::no};
};

struct UploadPartRequest {
  std::string bucket = {};
  std::string key = {};
  std::optional<std::int64_t> content_length = {};
  std::string content_md5 = {};
  std::string checksum_algorithm = {};
  std::string checksum_crc32 = {};
  std::string checksum_crc32c = {};
  std::string checksum_crc64nvme = {};
  std::string checksum_sha1 = {};
  std::string checksum_sha256 = {};
  std::optional<std::int64_t> part_number = {};
  std::string upload_id = {};
  std::string sse_customer_algorithm = {};
  std::string sse_customer_key = {};
  std::string sse_customer_key_md5 = {};
  std::string request_payer = {};
  std::string expected_bucket_owner = {};
  static constexpr auto shape = describe(
      "UploadPartRequest", in_uri("Bucket", &UploadPartRequest::bucket),
      in_uri("Key", &UploadPartRequest::key),
      in_header("ContentLength", "Content-Length", &UploadPartRequest::content_length),
      in_header("ContentMD5", "Content-MD5", &UploadPartRequest::content_md5),
      in_header("ChecksumAlgorithm", "x-amz-sdk-checksum-algorithm",
                &UploadPartRequest::checksum_algorithm),
      in_header("ChecksumCRC32", "x-amz-checksum-crc32", &UploadPartRequest::checksum_crc32),
      in_header("ChecksumCRC32C", "x-amz-checksum-crc32c", &UploadPartRequest::checksum_crc32c),
      in_header("ChecksumCRC64NVME", "x-amz-checksum-crc64nvme",
                &UploadPartRequest::checksum_crc64nvme),
      in_header("ChecksumSHA1", "x-amz-checksum-sha1", &UploadPartRequest::checksum_sha1),
      in_header("ChecksumSHA256", "x-amz-checksum-sha256", &UploadPartRequest::checksum_sha256),
      in_query("PartNumber", "partNumber", &UploadPartRequest::part_number),
      in_query("UploadId", "uploadId", &UploadPartRequest::upload_id),
      in_header("SSECustomerAlgorithm", "x-amz-server-side-encryption-customer-algorithm",
                &UploadPartRequest::sse_customer_algorithm),
      in_header("SSECustomerKey", "x-amz-server-side-encryption-customer-key",
                &UploadPartRequest::sse_customer_key),
      in_header("SSECustomerKeyMD5", "x-amz-server-side-encryption-customer-key-MD5",
                &UploadPartRequest::sse_customer_key_md5),
      in_header("RequestPayer", "x-amz-request-payer", &UploadPartRequest::request_payer),
      in_header("ExpectedBucketOwner", "x-amz-expected-bucket-owner",
                &UploadPartRequest::expected_bucket_owner));
};

struct UploadPartOutput {
  std::string server_side_encryption = {};
  std::string etag = {};
  std::string checksum_crc32 = {};
  std::string checksum_crc32c = {};
  std::string checksum_crc64nvme = {};
  std::string checksum_sha1 = {};
  std::string checksum_sha256 = {};
  std::string sse_customer_algorithm = {};
  std::string sse_customer_key_md5 = {};
  std::string sse_kms_key_id = {};
  std::optional<bool> bucket_key_enabled = {};
  std::string request_charged = {};
  static constexpr auto shape = describe(
      "UploadPartOutput",
      in_header("ServerSideEncryption", "x-amz-server-side-encryption",
                &UploadPartOutput::server_side_encryption),
      in_header("ETag", &UploadPartOutput::etag),
      in_header("ChecksumCRC32", "x-amz-checksum-crc32", &UploadPartOutput::checksum_crc32),
      in_header("ChecksumCRC32C", "x-amz-checksum-crc32c", &UploadPartOutput::checksum_crc32c),
      in_header("ChecksumCRC64NVME", "x-amz-checksum-crc64nvme",
                &UploadPartOutput::checksum_crc64nvme),
      in_header("ChecksumSHA1", "x-amz-checksum-sha1", &UploadPartOutput::checksum_sha1),
      in_header("ChecksumSHA256", "x-amz-checksum-sha256", &UploadPartOutput::checksum_sha256),
      in_header("SSECustomerAlgorithm", "x-amz-server-side-encryption-customer-algorithm",
                &UploadPartOutput::sse_customer_algorithm),
      in_header("SSECustomerKeyMD5", "x-amz-server-side-encryption-customer-key-MD5",
                &UploadPartOutput::sse_customer_key_md5),
      in_header("SSEKMSKeyId", "x-amz-server-side-encryption-aws-kms-key-id",
                &UploadPartOutput::sse_kms_key_id),
      in_header("BucketKeyEnabled", "x-amz-server-side-encryption-bucket-key-enabled",
                &UploadPartOutput::bucket_key_enabled),
      in_header("RequestCharged", "x-amz-request-charged", &UploadPartOutput::request_charged));
};

struct UploadPart {
  using Request = UploadPartRequest;
  using Response = UploadPartOutput;
  static constexpr RestInfo info{.name = "UploadPart", .method = "PUT", .uri = "/{Bucket}/{Key+}"};
};

struct UploadPartCopyRequest {
  std::string bucket = {};
  std::string key = {};
  std::string copy_source = {};
  std::string copy_source_if_match = {};
  std::optional<Timestamp> copy_source_if_modified_since = {};
  std::string copy_source_if_none_match = {};
  std::optional<Timestamp> copy_source_if_unmodified_since = {};
  std::string copy_source_range = {};
  std::optional<std::int64_t> part_number = {};
  std::string upload_id = {};
  std::string sse_customer_algorithm = {};
  std::string sse_customer_key = {};
  std::string sse_customer_key_md5 = {};
  std::string copy_source_sse_customer_algorithm = {};
  std::string copy_source_sse_customer_key = {};
  std::string copy_source_sse_customer_key_md5 = {};
  std::string request_payer = {};
  std::string expected_bucket_owner = {};
  std::string expected_source_bucket_owner = {};
  static constexpr auto shape = describe(
      "UploadPartCopyRequest", in_uri("Bucket", &UploadPartCopyRequest::bucket),
      in_uri("Key", &UploadPartCopyRequest::key),
      in_header("CopySource", "x-amz-copy-source", &UploadPartCopyRequest::copy_source),
      in_header("CopySourceIfMatch", "x-amz-copy-source-if-match",
                &UploadPartCopyRequest::copy_source_if_match),
      in_header("CopySourceIfModifiedSince", "x-amz-copy-source-if-modified-since",
                &UploadPartCopyRequest::copy_source_if_modified_since),
      in_header("CopySourceIfNoneMatch", "x-amz-copy-source-if-none-match",
                &UploadPartCopyRequest::copy_source_if_none_match),
      in_header("CopySourceIfUnmodifiedSince", "x-amz-copy-source-if-unmodified-since",
                &UploadPartCopyRequest::copy_source_if_unmodified_since),
      in_header("CopySourceRange", "x-amz-copy-source-range",
                &UploadPartCopyRequest::copy_source_range),
      in_query("PartNumber", "partNumber", &UploadPartCopyRequest::part_number),
      in_query("UploadId", "uploadId", &UploadPartCopyRequest::upload_id),
      in_header("SSECustomerAlgorithm", "x-amz-server-side-encryption-customer-algorithm",
                &UploadPartCopyRequest::sse_customer_algorithm),
      in_header("SSECustomerKey", "x-amz-server-side-encryption-customer-key",
                &UploadPartCopyRequest::sse_customer_key),
      in_header("SSECustomerKeyMD5", "x-amz-server-side-encryption-customer-key-MD5",
                &UploadPartCopyRequest::sse_customer_key_md5),
      in_header("CopySourceSSECustomerAlgorithm",
                "x-amz-copy-source-server-side-encryption-customer-algorithm",
                &UploadPartCopyRequest::copy_source_sse_customer_algorithm),
      in_header("CopySourceSSECustomerKey", "x-amz-copy-source-server-side-encryption-customer-key",
                &UploadPartCopyRequest::copy_source_sse_customer_key),
      in_header("CopySourceSSECustomerKeyMD5",
                "x-amz-copy-source-server-side-encryption-customer-key-MD5",
                &UploadPartCopyRequest::copy_source_sse_customer_key_md5),
      in_header("RequestPayer", "x-amz-request-payer", &UploadPartCopyRequest::request_payer),
      in_header("ExpectedBucketOwner", "x-amz-expected-bucket-owner",
                &UploadPartCopyRequest::expected_bucket_owner),
      in_header("ExpectedSourceBucketOwner", "x-amz-source-expected-bucket-owner",
                &UploadPartCopyRequest::expected_source_bucket_owner));
};

struct CopyPartResult {
  std::string etag = {};
  std::optional<Timestamp> last_modified = {};
  std::string checksum_crc32 = {};
  std::string checksum_crc32c = {};
  std::string checksum_crc64nvme = {};
  std::string checksum_sha1 = {};
  std::string checksum_sha256 = {};
  static constexpr auto shape =
      describe("CopyPartResult", field("ETag", &CopyPartResult::etag),
               field("LastModified", &CopyPartResult::last_modified),
               field("ChecksumCRC32", &CopyPartResult::checksum_crc32),
               field("ChecksumCRC32C", &CopyPartResult::checksum_crc32c),
               field("ChecksumCRC64NVME", &CopyPartResult::checksum_crc64nvme),
               field("ChecksumSHA1", &CopyPartResult::checksum_sha1),
               field("ChecksumSHA256", &CopyPartResult::checksum_sha256));
};

struct UploadPartCopyOutput {
  std::string copy_source_version_id = {};
  std::optional<CopyPartResult> copy_part_result = {};
  std::string server_side_encryption = {};
  std::string sse_customer_algorithm = {};
  std::string sse_customer_key_md5 = {};
  std::string sse_kms_key_id = {};
  std::optional<bool> bucket_key_enabled = {};
  std::string request_charged = {};
  static constexpr auto shape = describe(
      "UploadPartCopyOutput",
      in_header("CopySourceVersionId", "x-amz-copy-source-version-id",
                &UploadPartCopyOutput::copy_source_version_id),
      payload("CopyPartResult", &UploadPartCopyOutput::copy_part_result),
      in_header("ServerSideEncryption", "x-amz-server-side-encryption",
                &UploadPartCopyOutput::server_side_encryption),
      in_header("SSECustomerAlgorithm", "x-amz-server-side-encryption-customer-algorithm",
                &UploadPartCopyOutput::sse_customer_algorithm),
      in_header("SSECustomerKeyMD5", "x-amz-server-side-encryption-customer-key-MD5",
                &UploadPartCopyOutput::sse_customer_key_md5),
      in_header("SSEKMSKeyId", "x-amz-server-side-encryption-aws-kms-key-id",
                &UploadPartCopyOutput::sse_kms_key_id),
      in_header("BucketKeyEnabled", "x-amz-server-side-encryption-bucket-key-enabled",
                &UploadPartCopyOutput::bucket_key_enabled),
      in_header("RequestCharged", "x-amz-request-charged", &UploadPartCopyOutput::request_charged));
};

struct UploadPartCopy {
  using Request = UploadPartCopyRequest;
  using Response = UploadPartCopyOutput;
  static constexpr RestInfo info{
      .name = "UploadPartCopy", .method = "PUT", .uri = "/{Bucket}/{Key+}"};
};

struct CompletedPart {
  std::string etag = {};
  std::string checksum_crc32 = {};
  std::string checksum_crc32c = {};
  std::string checksum_crc64nvme = {};
  std::string checksum_sha1 = {};
  std::string checksum_sha256 = {};
  std::optional<std::int64_t> part_number = {};
  static constexpr auto shape =
      describe("CompletedPart", field("ETag", &CompletedPart::etag),
               field("ChecksumCRC32", &CompletedPart::checksum_crc32),
               field("ChecksumCRC32C", &CompletedPart::checksum_crc32c),
               field("ChecksumCRC64NVME", &CompletedPart::checksum_crc64nvme),
               field("ChecksumSHA1", &CompletedPart::checksum_sha1),
               field("ChecksumSHA256", &CompletedPart::checksum_sha256),
               field("PartNumber", &CompletedPart::part_number));
};

struct CompletedMultipartUpload {
  std::vector<CompletedPart> parts = {};
  static constexpr auto shape = describe(
      "CompletedMultipartUpload", flattened("Parts", "Part", &CompletedMultipartUpload::parts));
};

struct CompleteMultipartUploadRequest {
  std::string bucket = {};
  std::string key = {};
  std::optional<CompletedMultipartUpload> multipart_upload = {};
  std::string upload_id = {};
  std::string checksum_crc32 = {};
  std::string checksum_crc32c = {};
  std::string checksum_crc64nvme = {};
  std::string checksum_sha1 = {};
  std::string checksum_sha256 = {};
  std::string checksum_type = {};
  std::optional<std::int64_t> mpu_object_size = {};
  std::string request_payer = {};
  std::string expected_bucket_owner = {};
  std::string if_match = {};
  std::string if_none_match = {};
  std::string sse_customer_algorithm = {};
  std::string sse_customer_key = {};
  std::string sse_customer_key_md5 = {};
  static constexpr auto shape = describe(
      "CompleteMultipartUploadRequest", in_uri("Bucket", &CompleteMultipartUploadRequest::bucket),
      in_uri("Key", &CompleteMultipartUploadRequest::key),
      payload("MultipartUpload", "CompleteMultipartUpload",
              &CompleteMultipartUploadRequest::multipart_upload),
      in_query("UploadId", "uploadId", &CompleteMultipartUploadRequest::upload_id),
      in_header("ChecksumCRC32", "x-amz-checksum-crc32",
                &CompleteMultipartUploadRequest::checksum_crc32),
      in_header("ChecksumCRC32C", "x-amz-checksum-crc32c",
                &CompleteMultipartUploadRequest::checksum_crc32c),
      in_header("ChecksumCRC64NVME", "x-amz-checksum-crc64nvme",
                &CompleteMultipartUploadRequest::checksum_crc64nvme),
      in_header("ChecksumSHA1", "x-amz-checksum-sha1",
                &CompleteMultipartUploadRequest::checksum_sha1),
      in_header("ChecksumSHA256", "x-amz-checksum-sha256",
                &CompleteMultipartUploadRequest::checksum_sha256),
      in_header("ChecksumType", "x-amz-checksum-type",
                &CompleteMultipartUploadRequest::checksum_type),
      in_header("MpuObjectSize", "x-amz-mp-object-size",
                &CompleteMultipartUploadRequest::mpu_object_size),
      in_header("RequestPayer", "x-amz-request-payer",
                &CompleteMultipartUploadRequest::request_payer),
      in_header("ExpectedBucketOwner", "x-amz-expected-bucket-owner",
                &CompleteMultipartUploadRequest::expected_bucket_owner),
      in_header("IfMatch", "If-Match", &CompleteMultipartUploadRequest::if_match),
      in_header("IfNoneMatch", "If-None-Match", &CompleteMultipartUploadRequest::if_none_match),
      in_header("SSECustomerAlgorithm", "x-amz-server-side-encryption-customer-algorithm",
                &CompleteMultipartUploadRequest::sse_customer_algorithm),
      in_header("SSECustomerKey", "x-amz-server-side-encryption-customer-key",
                &CompleteMultipartUploadRequest::sse_customer_key),
      in_header("SSECustomerKeyMD5", "x-amz-server-side-encryption-customer-key-MD5",
                &CompleteMultipartUploadRequest::sse_customer_key_md5));
};

struct CompleteMultipartUploadOutput {
  std::string location = {};
  std::string bucket = {};
  std::string key = {};
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
  std::string sse_kms_key_id = {};
  std::optional<bool> bucket_key_enabled = {};
  std::string request_charged = {};
  static constexpr auto shape = describe(
      "CompleteMultipartUploadOutput", field("Location", &CompleteMultipartUploadOutput::location),
      field("Bucket", &CompleteMultipartUploadOutput::bucket),
      field("Key", &CompleteMultipartUploadOutput::key),
      in_header("Expiration", "x-amz-expiration", &CompleteMultipartUploadOutput::expiration),
      field("ETag", &CompleteMultipartUploadOutput::etag),
      field("ChecksumCRC32", &CompleteMultipartUploadOutput::checksum_crc32),
      field("ChecksumCRC32C", &CompleteMultipartUploadOutput::checksum_crc32c),
      field("ChecksumCRC64NVME", &CompleteMultipartUploadOutput::checksum_crc64nvme),
      field("ChecksumSHA1", &CompleteMultipartUploadOutput::checksum_sha1),
      field("ChecksumSHA256", &CompleteMultipartUploadOutput::checksum_sha256),
      field("ChecksumType", &CompleteMultipartUploadOutput::checksum_type),
      in_header("ServerSideEncryption", "x-amz-server-side-encryption",
                &CompleteMultipartUploadOutput::server_side_encryption),
      in_header("VersionId", "x-amz-version-id", &CompleteMultipartUploadOutput::version_id),
      in_header("SSEKMSKeyId", "x-amz-server-side-encryption-aws-kms-key-id",
                &CompleteMultipartUploadOutput::sse_kms_key_id),
      in_header("BucketKeyEnabled", "x-amz-server-side-encryption-bucket-key-enabled",
                &CompleteMultipartUploadOutput::bucket_key_enabled),
      in_header("RequestCharged", "x-amz-request-charged",
                &CompleteMultipartUploadOutput::request_charged));
};

struct CompleteMultipartUpload {
  using Request = CompleteMultipartUploadRequest;
  using Response = CompleteMultipartUploadOutput;
  static constexpr RestInfo info{.name = "CompleteMultipartUpload",
                                 .method = "POST",
                                 .uri = "/{Bucket}/{Key+}",
                                 .root = "CompleteMultipartUploadResult"};
};

struct AbortMultipartUploadRequest {
  std::string bucket = {};
  std::string key = {};
  std::string upload_id = {};
  std::string request_payer = {};
  std::string expected_bucket_owner = {};
  static constexpr auto shape = describe(
      "AbortMultipartUploadRequest", in_uri("Bucket", &AbortMultipartUploadRequest::bucket),
      in_uri("Key", &AbortMultipartUploadRequest::key),
      in_query("UploadId", "uploadId", &AbortMultipartUploadRequest::upload_id),
      in_header("RequestPayer", "x-amz-request-payer", &AbortMultipartUploadRequest::request_payer),
      in_header("ExpectedBucketOwner", "x-amz-expected-bucket-owner",
                &AbortMultipartUploadRequest::expected_bucket_owner));
};

struct AbortMultipartUploadOutput {
  std::string request_charged = {};
  static constexpr auto shape = describe("AbortMultipartUploadOutput",
                                         in_header("RequestCharged", "x-amz-request-charged",
                                                   &AbortMultipartUploadOutput::request_charged));
};

struct AbortMultipartUpload {
  using Request = AbortMultipartUploadRequest;
  using Response = AbortMultipartUploadOutput;
  static constexpr RestInfo info{
      .name = "AbortMultipartUpload", .method = "DELETE", .uri = "/{Bucket}/{Key+}", .status = 204};
};

struct ListPartsRequest {
  std::string bucket = {};
  std::string key = {};
  std::optional<std::int64_t> max_parts = {};
  std::optional<std::int64_t> part_number_marker = {};
  std::string upload_id = {};
  std::string request_payer = {};
  std::string expected_bucket_owner = {};
  std::string sse_customer_algorithm = {};
  std::string sse_customer_key = {};
  std::string sse_customer_key_md5 = {};
  static constexpr auto shape = describe(
      "ListPartsRequest", in_uri("Bucket", &ListPartsRequest::bucket),
      in_uri("Key", &ListPartsRequest::key),
      in_query("MaxParts", "max-parts", &ListPartsRequest::max_parts),
      in_query("PartNumberMarker", "part-number-marker", &ListPartsRequest::part_number_marker),
      in_query("UploadId", "uploadId", &ListPartsRequest::upload_id),
      in_header("RequestPayer", "x-amz-request-payer", &ListPartsRequest::request_payer),
      in_header("ExpectedBucketOwner", "x-amz-expected-bucket-owner",
                &ListPartsRequest::expected_bucket_owner),
      in_header("SSECustomerAlgorithm", "x-amz-server-side-encryption-customer-algorithm",
                &ListPartsRequest::sse_customer_algorithm),
      in_header("SSECustomerKey", "x-amz-server-side-encryption-customer-key",
                &ListPartsRequest::sse_customer_key),
      in_header("SSECustomerKeyMD5", "x-amz-server-side-encryption-customer-key-MD5",
                &ListPartsRequest::sse_customer_key_md5));
};

struct Part {
  std::optional<std::int64_t> part_number = {};
  std::optional<Timestamp> last_modified = {};
  std::string etag = {};
  std::optional<std::int64_t> size = {};
  std::string checksum_crc32 = {};
  std::string checksum_crc32c = {};
  std::string checksum_crc64nvme = {};
  std::string checksum_sha1 = {};
  std::string checksum_sha256 = {};
  static constexpr auto shape = describe(
      "Part", field("PartNumber", &Part::part_number), field("LastModified", &Part::last_modified),
      field("ETag", &Part::etag), field("Size", &Part::size),
      field("ChecksumCRC32", &Part::checksum_crc32),
      field("ChecksumCRC32C", &Part::checksum_crc32c),
      field("ChecksumCRC64NVME", &Part::checksum_crc64nvme),
      field("ChecksumSHA1", &Part::checksum_sha1), field("ChecksumSHA256", &Part::checksum_sha256));
};

struct ListPartsOutput {
  std::string bucket = {};
  std::string key = {};
  std::string upload_id = {};
  std::optional<std::int64_t> part_number_marker = {};
  std::optional<std::int64_t> next_part_number_marker = {};
  std::optional<std::int64_t> max_parts = {};
  std::optional<bool> is_truncated = {};
  std::vector<Part> parts = {};
  std::optional<Initiator> initiator = {};
  std::optional<Owner> owner = {};
  std::string storage_class = {};
  std::string request_charged = {};
  std::string checksum_algorithm = {};
  std::string checksum_type = {};
  static constexpr auto shape = describe(
      "ListPartsOutput", field("Bucket", &ListPartsOutput::bucket),
      field("Key", &ListPartsOutput::key), field("UploadId", &ListPartsOutput::upload_id),
      field("PartNumberMarker", &ListPartsOutput::part_number_marker),
      field("NextPartNumberMarker", &ListPartsOutput::next_part_number_marker),
      field("MaxParts", &ListPartsOutput::max_parts),
      field("IsTruncated", &ListPartsOutput::is_truncated),
      flattened("Parts", "Part", &ListPartsOutput::parts),
      field("Initiator", &ListPartsOutput::initiator), field("Owner", &ListPartsOutput::owner),
      field("StorageClass", &ListPartsOutput::storage_class),
      in_header("RequestCharged", "x-amz-request-charged", &ListPartsOutput::request_charged),
      field("ChecksumAlgorithm", &ListPartsOutput::checksum_algorithm),
      field("ChecksumType", &ListPartsOutput::checksum_type));
};

struct ListParts {
  using Request = ListPartsRequest;
  using Response = ListPartsOutput;
  static constexpr RestInfo info{
      .name = "ListParts", .method = "GET", .uri = "/{Bucket}/{Key+}", .root = "ListPartsResult"};
};

struct ListMultipartUploadsRequest {
  std::string bucket = {};
  std::string delimiter = {};
  std::string encoding_type = {};
  std::string key_marker = {};
  std::optional<std::int64_t> max_uploads = {};
  std::string prefix = {};
  std::string upload_id_marker = {};
  std::string expected_bucket_owner = {};
  std::string request_payer = {};
  static constexpr auto shape = describe(
      "ListMultipartUploadsRequest", in_uri("Bucket", &ListMultipartUploadsRequest::bucket),
      in_query("Delimiter", "delimiter", &ListMultipartUploadsRequest::delimiter),
      in_query("EncodingType", "encoding-type", &ListMultipartUploadsRequest::encoding_type),
      in_query("KeyMarker", "key-marker", &ListMultipartUploadsRequest::key_marker),
      in_query("MaxUploads", "max-uploads", &ListMultipartUploadsRequest::max_uploads),
      in_query("Prefix", "prefix", &ListMultipartUploadsRequest::prefix),
      in_query("UploadIdMarker", "upload-id-marker",
               &ListMultipartUploadsRequest::upload_id_marker),
      in_header("ExpectedBucketOwner", "x-amz-expected-bucket-owner",
                &ListMultipartUploadsRequest::expected_bucket_owner),
      in_header("RequestPayer", "x-amz-request-payer",
                &ListMultipartUploadsRequest::request_payer));
};

struct MultipartUpload {
  std::string upload_id = {};
  std::string key = {};
  std::optional<Timestamp> initiated = {};
  std::string storage_class = {};
  std::optional<Owner> owner = {};
  std::optional<Initiator> initiator = {};
  std::string checksum_algorithm = {};
  std::string checksum_type = {};
  static constexpr auto shape = describe(
      "MultipartUpload", field("UploadId", &MultipartUpload::upload_id),
      field("Key", &MultipartUpload::key), field("Initiated", &MultipartUpload::initiated),
      field("StorageClass", &MultipartUpload::storage_class),
      field("Owner", &MultipartUpload::owner), field("Initiator", &MultipartUpload::initiator),
      field("ChecksumAlgorithm", &MultipartUpload::checksum_algorithm),
      field("ChecksumType", &MultipartUpload::checksum_type));
};

struct ListMultipartUploadsOutput {
  std::optional<std::string> bucket = {};
  std::optional<std::string> key_marker = {};
  std::optional<std::string> upload_id_marker = {};
  std::string next_key_marker = {};
  std::optional<std::string> prefix = {};
  std::string delimiter = {};
  std::string next_upload_id_marker = {};
  std::optional<std::int64_t> max_uploads = {};
  std::optional<bool> is_truncated = {};
  std::vector<MultipartUpload> uploads = {};
  std::vector<CommonPrefix> common_prefixes = {};
  std::string encoding_type = {};
  std::string request_charged = {};
  static constexpr auto shape =
      describe("ListMultipartUploadsOutput", field("Bucket", &ListMultipartUploadsOutput::bucket),
               field("KeyMarker", &ListMultipartUploadsOutput::key_marker),
               field("UploadIdMarker", &ListMultipartUploadsOutput::upload_id_marker),
               field("NextKeyMarker", &ListMultipartUploadsOutput::next_key_marker),
               field("Prefix", &ListMultipartUploadsOutput::prefix),
               field("Delimiter", &ListMultipartUploadsOutput::delimiter),
               field("NextUploadIdMarker", &ListMultipartUploadsOutput::next_upload_id_marker),
               field("MaxUploads", &ListMultipartUploadsOutput::max_uploads),
               field("IsTruncated", &ListMultipartUploadsOutput::is_truncated),
               flattened("Uploads", "Upload", &ListMultipartUploadsOutput::uploads),
               flattened("CommonPrefixes", &ListMultipartUploadsOutput::common_prefixes),
               field("EncodingType", &ListMultipartUploadsOutput::encoding_type),
               in_header("RequestCharged", "x-amz-request-charged",
                         &ListMultipartUploadsOutput::request_charged));
};

struct ListMultipartUploads {
  using Request = ListMultipartUploadsRequest;
  using Response = ListMultipartUploadsOutput;
  static constexpr RestInfo info{.name = "ListMultipartUploads",
                                 .method = "GET",
                                 .uri = "/{Bucket}?uploads",
                                 .root = "ListMultipartUploadsResult"};
};

}  // namespace runctl::aws::s3
