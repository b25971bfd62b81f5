// Changing a volume's size, type and speed while it is in use. Names are the service model's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aws/ec2/tags.hpp"
#include "aws/operation.hpp"
#include "aws/shape.hpp"

namespace runctl::aws::ec2 {

// The newest modification of one volume: modifying, optimizing, completed or failed. A new size can
// be used once it is past `modifying`.
struct VolumeModification {
  std::string volume_id = {};
  std::string modification_state = {};
  std::optional<std::string> status_message = {};  // why it failed
  std::optional<std::int64_t> progress = {};       // percent
  std::optional<Timestamp> start_time = {};
  std::optional<Timestamp> end_time = {};
  std::optional<std::int64_t> original_size = {};  // GiB, as target_size
  std::string original_volume_type = {};
  std::optional<std::int64_t> original_iops = {};
  std::optional<std::int64_t> original_throughput = {};  // MiB/s, as target_throughput
  std::optional<bool> original_multi_attach_enabled = {};
  std::optional<std::int64_t> target_size = {};
  std::string target_volume_type = {};
  std::optional<std::int64_t> target_iops = {};
  std::optional<std::int64_t> target_throughput = {};
  std::optional<bool> target_multi_attach_enabled = {};
  static constexpr auto shape = describe(
      "VolumeModification", field("VolumeId", "volumeId", &VolumeModification::volume_id),
      field("ModificationState", "modificationState", &VolumeModification::modification_state),
      field("StatusMessage", "statusMessage", &VolumeModification::status_message),
      field("Progress", "progress", &VolumeModification::progress),
      field("StartTime", "startTime", &VolumeModification::start_time),
      field("EndTime", "endTime", &VolumeModification::end_time),
      field("OriginalSize", "originalSize", &VolumeModification::original_size),
      field("OriginalVolumeType", "originalVolumeType", &VolumeModification::original_volume_type),
      field("OriginalIops", "originalIops", &VolumeModification::original_iops),
      field("OriginalThroughput", "originalThroughput", &VolumeModification::original_throughput),
      field("OriginalMultiAttachEnabled", "originalMultiAttachEnabled",
            &VolumeModification::original_multi_attach_enabled),
      field("TargetSize", "targetSize", &VolumeModification::target_size),
      field("TargetVolumeType", "targetVolumeType", &VolumeModification::target_volume_type),
      field("TargetIops", "targetIops", &VolumeModification::target_iops),
      field("TargetThroughput", "targetThroughput", &VolumeModification::target_throughput),
      field("TargetMultiAttachEnabled", "targetMultiAttachEnabled",
            &VolumeModification::target_multi_attach_enabled));
};

// What is left out stays as it is, but for the speed where the type changes.
struct ModifyVolumeRequest {
  std::string volume_id = {};
  std::optional<std::int64_t> size = {};  // GiB; never less than it is
  std::string volume_type = {};
  std::optional<std::int64_t> iops = {};
  std::optional<std::int64_t> throughput = {};  // MiB/s
  std::optional<bool> multi_attach_enabled = {};
  std::optional<bool> dry_run = {};
  static constexpr auto shape =
      describe("ModifyVolumeRequest", field("VolumeId", &ModifyVolumeRequest::volume_id),
               field("Size", &ModifyVolumeRequest::size),
               field("VolumeType", &ModifyVolumeRequest::volume_type),
               field("Iops", &ModifyVolumeRequest::iops),
               field("Throughput", &ModifyVolumeRequest::throughput),
               field("MultiAttachEnabled", &ModifyVolumeRequest::multi_attach_enabled),
               field("DryRun", &ModifyVolumeRequest::dry_run));
};

struct ModifyVolumeResult {
  std::optional<VolumeModification> volume_modification = {};
  static constexpr auto shape = describe(
      "ModifyVolumeResult",
      field("VolumeModification", "volumeModification", &ModifyVolumeResult::volume_modification));
};

struct DescribeVolumesModificationsRequest {
  std::vector<std::string> volume_ids = {};
  std::vector<Filter> filters = {};
  std::optional<std::int64_t> max_results = {};
  std::string next_token = {};
  std::optional<bool> dry_run = {};
  static constexpr auto shape =
      describe("DescribeVolumesModificationsRequest",
               field("VolumeIds", "VolumeId", &DescribeVolumesModificationsRequest::volume_ids),
               field("Filters", "Filter", &DescribeVolumesModificationsRequest::filters),
               field("MaxResults", &DescribeVolumesModificationsRequest::max_results),
               field("NextToken", &DescribeVolumesModificationsRequest::next_token),
               field("DryRun", &DescribeVolumesModificationsRequest::dry_run));
};

struct DescribeVolumesModificationsResult {
  std::vector<VolumeModification> volumes_modifications = {};
  std::string next_token = {};
  static constexpr auto shape =
      describe("DescribeVolumesModificationsResult",
               field("VolumesModifications", "volumeModificationSet",
                     &DescribeVolumesModificationsResult::volumes_modifications),
               field("NextToken", "nextToken", &DescribeVolumesModificationsResult::next_token));
};

// Each request counts towards the four that a volume may have in 24 hours, also one that changes
// nothing. Source: ebs-facts, section 5.
struct ModifyVolume {
  using Request = ModifyVolumeRequest;
  using Response = ModifyVolumeResult;
  static constexpr OperationInfo info{ec2_service, "ModifyVolume", Idempotent::no};
};

struct DescribeVolumesModifications {
  using Request = DescribeVolumesModificationsRequest;
  using Response = DescribeVolumesModificationsResult;
  static constexpr OperationInfo info{ec2_service, "DescribeVolumesModifications", Idempotent::yes};
};

}  // namespace runctl::aws::ec2
