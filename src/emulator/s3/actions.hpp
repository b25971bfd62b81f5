// The actions of S3: each takes a call whose request has been decoded, and answers it.
#pragma once

#include "aws/s3/bucket.hpp"
#include "aws/s3/list.hpp"
#include "aws/s3/multipart.hpp"
#include "aws/s3/object.hpp"
#include "base/result.hpp"
#include "emulator/reply.hpp"
#include "emulator/s3/call.hpp"
#include "emulator/s3/list_v1.hpp"

namespace runctl::emulator::s3 {

namespace wire = aws::s3;

// Errors of all: S3's, with code and status in Error::remote; the store's.
[[nodiscard]] Result<Reply> list_buckets(Call& call, const wire::ListBucketsRequest& request);
[[nodiscard]] Result<Reply> create_bucket(Call& call, const wire::CreateBucketRequest& request);
[[nodiscard]] Result<Reply> delete_bucket(Call& call, const wire::DeleteBucketRequest& request);
[[nodiscard]] Result<Reply> head_bucket(Call& call, const wire::HeadBucketRequest& request);
[[nodiscard]] Result<Reply> get_bucket_location(Call& call,
                                                const wire::GetBucketLocationRequest& request);

[[nodiscard]] Result<Reply> list_objects_v1(Call& call, const ListObjectsRequest& request);
[[nodiscard]] Result<Reply> list_objects_v2(Call& call, const wire::ListObjectsV2Request& request);
[[nodiscard]] Result<Reply> list_object_versions(Call& call,
                                                 const wire::ListObjectVersionsRequest& request);

[[nodiscard]] Result<Reply> head_object(Call& call, const wire::HeadObjectRequest& request);
[[nodiscard]] Result<Reply> get_object(Call& call, const wire::GetObjectRequest& request);
[[nodiscard]] Result<Reply> put_object(Call& call, const wire::PutObjectRequest& request);
// An upload by a form, which says itself who signed it, and for what.
[[nodiscard]] Result<Reply> post_object(Call& call);
[[nodiscard]] Result<Reply> copy_object(Call& call, const wire::CopyObjectRequest& request);
[[nodiscard]] Result<Reply> delete_object(Call& call, const wire::DeleteObjectRequest& request);
[[nodiscard]] Result<Reply> delete_objects(Call& call, const wire::DeleteObjectsRequest& request);

[[nodiscard]] Result<Reply> create_multipart_upload(
    Call& call, const wire::CreateMultipartUploadRequest& request);
[[nodiscard]] Result<Reply> upload_part(Call& call, const wire::UploadPartRequest& request);
[[nodiscard]] Result<Reply> upload_part_copy(Call& call,
                                             const wire::UploadPartCopyRequest& request);
[[nodiscard]] Result<Reply> complete_multipart_upload(
    Call& call, const wire::CompleteMultipartUploadRequest& request);
[[nodiscard]] Result<Reply> abort_multipart_upload(
    Call& call, const wire::AbortMultipartUploadRequest& request);
[[nodiscard]] Result<Reply> list_parts(Call& call, const wire::ListPartsRequest& request);
[[nodiscard]] Result<Reply> list_multipart_uploads(
    Call& call, const wire::ListMultipartUploadsRequest& request);

}  // namespace runctl::emulator::s3
