// Machine images (AMIs). Members are those in use; names are the
// service model's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aws/ec2/tags.hpp"
#include "aws/operation.hpp"
#include "aws/shape.hpp"

namespace runctl::aws::ec2 {

struct Image {
  std::string image_id = {};
  std::string name = {};
  std::string description = {};
  std::string state = {};
  std::string owner_id = {};
  std::string owner_alias = {};
  std::string location = {};
  std::optional<bool> is_public = {};
  std::string architecture = {};
  std::string type = {};
  std::string platform_details = {};
  std::string creation_date = {};
  std::string root_device_name = {};
  std::string root_device_type = {};
  std::string virtualization_type = {};
  std::string hypervisor = {};
  std::vector<Tag> tags = {};
  static constexpr auto shape = describe(
      "Image", field("ImageId", "imageId", &Image::image_id), field("Name", "name", &Image::name),
      field("Description", "description", &Image::description),
      field("State", "imageState", &Image::state),
      field("OwnerId", "imageOwnerId", &Image::owner_id),
      field("ImageOwnerAlias", "imageOwnerAlias", &Image::owner_alias),
      field("ImageLocation", "imageLocation", &Image::location),
      field("Public", "isPublic", &Image::is_public),
      field("Architecture", "architecture", &Image::architecture),
      field("ImageType", "imageType", &Image::type),
      field("PlatformDetails", "platformDetails", &Image::platform_details),
      field("CreationDate", "creationDate", &Image::creation_date),
      field("RootDeviceName", "rootDeviceName", &Image::root_device_name),
      field("RootDeviceType", "rootDeviceType", &Image::root_device_type),
      field("VirtualizationType", "virtualizationType", &Image::virtualization_type),
      field("Hypervisor", "hypervisor", &Image::hypervisor), field("Tags", "tagSet", &Image::tags));
};

struct DescribeImagesRequest {
  std::vector<std::string> image_ids = {};
  std::vector<std::string> owners = {};
  std::vector<std::string> executable_users = {};
  std::optional<bool> include_deprecated = {};
  std::vector<Filter> filters = {};
  std::optional<std::int64_t> max_results = {};
  std::string next_token = {};
  std::optional<bool> dry_run = {};
  static constexpr auto shape = describe(
      "DescribeImagesRequest", field("ImageIds", "ImageId", &DescribeImagesRequest::image_ids),
      field("Owners", "Owner", &DescribeImagesRequest::owners),
      field("ExecutableUsers", "ExecutableBy", &DescribeImagesRequest::executable_users),
      field("IncludeDeprecated", &DescribeImagesRequest::include_deprecated),
      field("Filters", "Filter", &DescribeImagesRequest::filters),
      field("MaxResults", &DescribeImagesRequest::max_results),
      field("NextToken", &DescribeImagesRequest::next_token),
      field("DryRun", "dryRun", &DescribeImagesRequest::dry_run));
};

struct DescribeImagesResult {
  std::vector<Image> images = {};
  std::string next_token = {};
  static constexpr auto shape =
      describe("DescribeImagesResult", field("Images", "imagesSet", &DescribeImagesResult::images),
               field("NextToken", "nextToken", &DescribeImagesResult::next_token));
};

struct DescribeImages {
  using Request = DescribeImagesRequest;
  using Response = DescribeImagesResult;
  static constexpr OperationInfo info{ec2_service, "DescribeImages", Idempotent::yes};
};

}  // namespace runctl::aws::ec2
