// Tags and filters, which every resource of EC2 has. Members are those in use; names are the
// service model's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aws/operation.hpp"
#include "aws/shape.hpp"

namespace runctl::aws::ec2 {

struct Tag {
  std::string key = {};
  std::optional<std::string> value = {};
  static constexpr auto shape =
      describe("Tag", field("Key", "key", &Tag::key), field("Value", "value", &Tag::value));
};

struct Filter {
  std::string name = {};
  std::vector<std::string> values = {};
  static constexpr auto shape =
      describe("Filter", field("Name", &Filter::name), field("Values", "Value", &Filter::values));
};

struct TagSpecification {
  std::string resource_type = {};
  std::vector<Tag> tags = {};
  static constexpr auto shape = describe(
      "TagSpecification", field("ResourceType", "resourceType", &TagSpecification::resource_type),
      field("Tags", "Tag", &TagSpecification::tags));
};

struct CreateTagsRequest {
  std::optional<bool> dry_run = {};
  std::vector<std::string> resources = {};
  std::vector<Tag> tags = {};
  static constexpr auto shape =
      describe("CreateTagsRequest", field("DryRun", "dryRun", &CreateTagsRequest::dry_run),
               field("Resources", "ResourceId", &CreateTagsRequest::resources),
               field("Tags", "Tag", &CreateTagsRequest::tags));
};

// A tag without a value stands for the key, whatever its value.
struct DeleteTagsRequest {
  std::optional<bool> dry_run = {};
  std::vector<std::string> resources = {};
  std::vector<Tag> tags = {};
  static constexpr auto shape =
      describe("DeleteTagsRequest", field("DryRun", "dryRun", &DeleteTagsRequest::dry_run),
               field("Resources", "resourceId", &DeleteTagsRequest::resources),
               field("Tags", "tag", &DeleteTagsRequest::tags));
};

// The answer of operations that answer nothing else. The model leaves it out; the service sends it.
struct Return {
  std::optional<bool> value = {};
  static constexpr auto shape = describe("Return", field("Return", "return", &Return::value));
};

struct CreateTags {
  using Request = CreateTagsRequest;
  using Response = Return;
  static constexpr OperationInfo info{ec2_service, "CreateTags", Idempotent::yes};
};

struct DeleteTags {
  using Request = DeleteTagsRequest;
  using Response = Return;
  static constexpr OperationInfo info{ec2_service, "DeleteTags", Idempotent::yes};
};

struct TagDescription {
  std::string key = {};
  std::string resource_id = {};
  std::string resource_type = {};
  std::string value = {};
  static constexpr auto shape =
      describe("TagDescription", field("Key", "key", &TagDescription::key),
               field("ResourceId", "resourceId", &TagDescription::resource_id),
               field("ResourceType", "resourceType", &TagDescription::resource_type),
               field("Value", "value", &TagDescription::value));
};

struct DescribeTagsRequest {
  std::vector<Filter> filters = {};
  std::optional<std::int64_t> max_results = {};
  std::string next_token = {};
  std::optional<bool> dry_run = {};
  static constexpr auto shape =
      describe("DescribeTagsRequest", field("Filters", "Filter", &DescribeTagsRequest::filters),
               field("MaxResults", "maxResults", &DescribeTagsRequest::max_results),
               field("NextToken", "nextToken", &DescribeTagsRequest::next_token),
               field("DryRun", "dryRun", &DescribeTagsRequest::dry_run));
};

struct DescribeTagsResult {
  std::vector<TagDescription> tags = {};
  std::string next_token = {};
  static constexpr auto shape =
      describe("DescribeTagsResult", field("Tags", "tagSet", &DescribeTagsResult::tags),
               field("NextToken", "nextToken", &DescribeTagsResult::next_token));
};

struct DescribeTags {
  using Request = DescribeTagsRequest;
  using Response = DescribeTagsResult;
  static constexpr OperationInfo info{ec2_service, "DescribeTags", Idempotent::yes};
};

}  // namespace runctl::aws::ec2
