// Buckets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aws/codec_rest.hpp"
#include "aws/s3/common.hpp"
#include "aws/shape.hpp"

namespace runctl::aws::s3 {

struct ListBucketsRequest {
  std::optional<std::int64_t> max_buckets = {};
  std::string continuation_token = {};
  std::string prefix = {};
  std::string bucket_region = {};
  static constexpr auto shape = describe(
      "ListBucketsRequest", in_query("MaxBuckets", "max-buckets", &ListBucketsRequest::max_buckets),
      in_query("ContinuationToken", "continuation-token", &ListBucketsRequest::continuation_token),
      in_query("Prefix", "prefix", &ListBucketsRequest::prefix),
      in_query("BucketRegion", "bucket-region", &ListBucketsRequest::bucket_region));
};

struct Bucket {
  std::string name = {};
  std::optional<Timestamp> creation_date = {};
  std::string bucket_region = {};
  static constexpr auto shape = describe("Bucket", field("Name", &Bucket::name),
                                         field("CreationDate", &Bucket::creation_date),
                                         field("BucketRegion", &Bucket::bucket_region));
};

struct ListBucketsOutput {
  std::vector<Bucket> buckets = {};
  std::optional<Owner> owner = {};
  std::string continuation_token = {};
  std::string prefix = {};
  static constexpr auto shape = describe(
      "ListBucketsOutput", listed("Buckets", "Buckets", "Bucket", &ListBucketsOutput::buckets),
      field("Owner", &ListBucketsOutput::owner),
      field("ContinuationToken", &ListBucketsOutput::continuation_token),
      field("Prefix", &ListBucketsOutput::prefix));
};

struct ListBuckets {
  using Request = ListBucketsRequest;
  using Response = ListBucketsOutput;
  static constexpr RestInfo info{
      .name = "ListBuckets", .method = "GET", .uri = "/", .root = "ListAllMyBucketsResult"};
};

struct CreateBucketConfiguration {
  std::string location_constraint = {};
  static constexpr auto shape =
      describe("CreateBucketConfiguration",
               field("LocationConstraint", &CreateBucketConfiguration::location_constraint));
};

struct CreateBucketRequest {
  std::string bucket = {};
  std::string acl = {};
  std::optional<CreateBucketConfiguration> create_bucket_configuration = {};
  static constexpr auto shape = describe(
      "CreateBucketRequest", in_uri("Bucket", &CreateBucketRequest::bucket),
      in_header("ACL", "x-amz-acl", &CreateBucketRequest::acl),
      payload("CreateBucketConfiguration", &CreateBucketRequest::create_bucket_configuration));
};

struct CreateBucketOutput {
  std::string location = {};
  static constexpr auto shape =
      describe("CreateBucketOutput", in_header("Location", &CreateBucketOutput::location));
};

struct CreateBucket {
  using Request = CreateBucketRequest;
  using Response = CreateBucketOutput;
  static constexpr RestInfo info{.name = "CreateBucket", .method = "PUT", .uri = "/{Bucket}"};
};

struct DeleteBucketRequest {
  std::string bucket = {};
  std::string expected_bucket_owner = {};
  static constexpr auto shape =
      describe("DeleteBucketRequest", in_uri("Bucket", &DeleteBucketRequest::bucket),
               in_header("ExpectedBucketOwner", "x-amz-expected-bucket-owner",
                         &DeleteBucketRequest::expected_bucket_owner));
};

struct DeleteBucket {
  using Request = DeleteBucketRequest;
  using Response = Nothing;
  static constexpr RestInfo info{
      .name = "DeleteBucket", .method = "DELETE", .uri = "/{Bucket}", .status = 204};
};

struct HeadBucketRequest {
  std::string bucket = {};
  std::string expected_bucket_owner = {};
  static constexpr auto shape =
      describe("HeadBucketRequest", in_uri("Bucket", &HeadBucketRequest::bucket),
               in_header("ExpectedBucketOwner", "x-amz-expected-bucket-owner",
                         &HeadBucketRequest::expected_bucket_owner));
};

struct HeadBucketOutput {
  std::string bucket_region = {};
  static constexpr auto shape =
      describe("HeadBucketOutput",
               in_header("BucketRegion", "x-amz-bucket-region", &HeadBucketOutput::bucket_region));
};

struct HeadBucket {
  using Request = HeadBucketRequest;
  using Response = HeadBucketOutput;
  static constexpr RestInfo info{.name = "HeadBucket", .method = "HEAD", .uri = "/{Bucket}"};
};

struct GetBucketLocationRequest {
  std::string bucket = {};
  std::string expected_bucket_owner = {};
  static constexpr auto shape =
      describe("GetBucketLocationRequest", in_uri("Bucket", &GetBucketLocationRequest::bucket),
               in_header("ExpectedBucketOwner", "x-amz-expected-bucket-owner",
                         &GetBucketLocationRequest::expected_bucket_owner));
};

struct GetBucketLocationOutput {
  std::optional<std::string> location_constraint = {};
  static constexpr auto shape =
      describe("GetBucketLocationOutput",
               root_text("LocationConstraint", &GetBucketLocationOutput::location_constraint));
};

struct GetBucketLocation {
  using Request = GetBucketLocationRequest;
  using Response = GetBucketLocationOutput;
  static constexpr RestInfo info{.name = "GetBucketLocation",
                                 .method = "GET",
                                 .uri = "/{Bucket}?location",
                                 .root = "LocationConstraint"};
};

}  // namespace runctl::aws::s3
