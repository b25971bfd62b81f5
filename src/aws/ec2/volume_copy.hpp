// Copies of volumes in their own zone, without a snapshot between. Names are the service model's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aws/ec2/volume.hpp"

namespace runctl::aws::ec2 {

// Left out is what is not the source's: size, but neither type (gp2) nor tags (none).
// Source: docs, "Copy an Amazon EBS volume"; ebs-facts, section 12.
struct CopyVolumesRequest {
  std::string source_volume_id = {};
  std::optional<std::int64_t> size = {};  // GiB; at least the source's
  std::string volume_type = {};
  std::optional<std::int64_t> iops = {};
  std::optional<std::int64_t> throughput = {};
  std::optional<bool> multi_attach_enabled = {};
  std::vector<TagSpecification> tag_specifications = {};
  std::string client_token = {};
  std::optional<bool> dry_run = {};
  static constexpr auto shape = describe(
      "CopyVolumesRequest", field("SourceVolumeId", &CopyVolumesRequest::source_volume_id),
      field("Size", &CopyVolumesRequest::size),
      field("VolumeType", &CopyVolumesRequest::volume_type),
      field("Iops", &CopyVolumesRequest::iops),
      field("Throughput", &CopyVolumesRequest::throughput),
      field("MultiAttachEnabled", &CopyVolumesRequest::multi_attach_enabled),
      field("TagSpecifications", "TagSpecification", &CopyVolumesRequest::tag_specifications),
      field("ClientToken", &CopyVolumesRequest::client_token),
      field("DryRun", &CopyVolumesRequest::dry_run));
};

// A list, though one request makes one copy.
struct CopyVolumesResult {
  std::vector<Volume> volumes = {};
  static constexpr auto shape =
      describe("CopyVolumesResult", field("Volumes", "volumeSet", &CopyVolumesResult::volumes));
};

// Idempotent by its client token, which the caller must set.
struct CopyVolumes {
  using Request = CopyVolumesRequest;
  using Response = CopyVolumesResult;
  static constexpr OperationInfo info{ec2_service, "CopyVolumes", Idempotent::yes};
};

}  // namespace runctl::aws::ec2
