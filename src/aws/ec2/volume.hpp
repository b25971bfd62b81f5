// EBS volumes and their attachments. Members are those in use; names are the service model's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aws/ec2/tags.hpp"
#include "aws/operation.hpp"
#include "aws/shape.hpp"

namespace runctl::aws::ec2 {

struct VolumeAttachment {
  std::string volume_id = {};
  std::string instance_id = {};
  std::string device = {};
  std::string state = {};
  std::optional<Timestamp> attach_time = {};
  std::optional<bool> delete_on_termination = {};
  static constexpr auto shape =
      describe("VolumeAttachment", field("VolumeId", "volumeId", &VolumeAttachment::volume_id),
               field("InstanceId", "instanceId", &VolumeAttachment::instance_id),
               field("Device", "device", &VolumeAttachment::device),
               field("State", "status", &VolumeAttachment::state),
               field("AttachTime", "attachTime", &VolumeAttachment::attach_time),
               field("DeleteOnTermination", "deleteOnTermination",
                     &VolumeAttachment::delete_on_termination));
};

struct OperatorResponse {
  std::optional<bool> managed = {};
  std::string principal = {};
  static constexpr auto shape =
      describe("OperatorResponse", field("Managed", "managed", &OperatorResponse::managed),
               field("Principal", "principal", &OperatorResponse::principal));
};

struct Volume {
  std::string volume_id = {};
  std::optional<std::int64_t> size = {};
  std::optional<std::string> snapshot_id = {};
  std::optional<std::string> source_volume_id = {};  // of a copy (CopyVolumes)
  std::string availability_zone = {};
  std::string availability_zone_id = {};
  std::string state = {};
  std::optional<Timestamp> create_time = {};
  std::vector<VolumeAttachment> attachments = {};
  std::vector<Tag> tags = {};
  std::string volume_type = {};
  std::optional<std::int64_t> iops = {};
  std::optional<std::int64_t> throughput = {};
  std::optional<bool> encrypted = {};
  std::string kms_key_id = {};
  std::optional<bool> multi_attach_enabled = {};
  std::optional<std::int64_t> volume_initialization_rate = {};  // MiB/s
  std::optional<OperatorResponse> operated_by = {};
  static constexpr auto shape = describe(
      "Volume", field("VolumeId", "volumeId", &Volume::volume_id),
      field("Size", "size", &Volume::size), field("SnapshotId", "snapshotId", &Volume::snapshot_id),
      field("SourceVolumeId", "sourceVolumeId", &Volume::source_volume_id),
      field("AvailabilityZone", "availabilityZone", &Volume::availability_zone),
      field("AvailabilityZoneId", "availabilityZoneId", &Volume::availability_zone_id),
      field("State", "status", &Volume::state),
      field("CreateTime", "createTime", &Volume::create_time),
      field("Attachments", "attachmentSet", &Volume::attachments),
      field("Tags", "tagSet", &Volume::tags),
      field("VolumeType", "volumeType", &Volume::volume_type), field("Iops", "iops", &Volume::iops),
      field("Throughput", "throughput", &Volume::throughput),
      field("Encrypted", "encrypted", &Volume::encrypted),
      field("KmsKeyId", "kmsKeyId", &Volume::kms_key_id),
      field("MultiAttachEnabled", "multiAttachEnabled", &Volume::multi_attach_enabled),
      field("VolumeInitializationRate", "volumeInitializationRate",
            &Volume::volume_initialization_rate),
      field("Operator", "operator", &Volume::operated_by));
};

struct DescribeVolumesRequest {
  std::vector<std::string> volume_ids = {};
  std::vector<Filter> filters = {};
  std::optional<std::int64_t> max_results = {};
  std::string next_token = {};
  std::optional<bool> dry_run = {};
  static constexpr auto shape = describe(
      "DescribeVolumesRequest", field("VolumeIds", "VolumeId", &DescribeVolumesRequest::volume_ids),
      field("Filters", "Filter", &DescribeVolumesRequest::filters),
      field("MaxResults", "maxResults", &DescribeVolumesRequest::max_results),
      field("NextToken", "nextToken", &DescribeVolumesRequest::next_token),
      field("DryRun", "dryRun", &DescribeVolumesRequest::dry_run));
};

struct DescribeVolumesResult {
  std::string next_token = {};
  std::vector<Volume> volumes = {};
  static constexpr auto shape = describe(
      "DescribeVolumesResult", field("NextToken", "nextToken", &DescribeVolumesResult::next_token),
      field("Volumes", "volumeSet", &DescribeVolumesResult::volumes));
};

struct CreateVolumeRequest {
  std::string availability_zone = {};
  std::string availability_zone_id = {};
  std::optional<std::int64_t> size = {};
  std::string snapshot_id = {};
  std::string volume_type = {};
  std::optional<std::int64_t> iops = {};
  std::optional<std::int64_t> throughput = {};
  std::optional<bool> encrypted = {};
  std::string kms_key_id = {};
  std::optional<bool> multi_attach_enabled = {};
  std::optional<std::int64_t> volume_initialization_rate = {};  // MiB/s; only with a snapshot
  std::vector<TagSpecification> tag_specifications = {};
  std::string client_token = {};
  std::optional<bool> dry_run = {};
  static constexpr auto shape = describe(
      "CreateVolumeRequest", field("AvailabilityZone", &CreateVolumeRequest::availability_zone),
      field("AvailabilityZoneId", &CreateVolumeRequest::availability_zone_id),
      field("Size", &CreateVolumeRequest::size),
      field("SnapshotId", &CreateVolumeRequest::snapshot_id),
      field("VolumeType", &CreateVolumeRequest::volume_type),
      field("Iops", &CreateVolumeRequest::iops),
      field("Throughput", &CreateVolumeRequest::throughput),
      field("Encrypted", "encrypted", &CreateVolumeRequest::encrypted),
      field("KmsKeyId", &CreateVolumeRequest::kms_key_id),
      field("MultiAttachEnabled", &CreateVolumeRequest::multi_attach_enabled),
      field("VolumeInitializationRate", &CreateVolumeRequest::volume_initialization_rate),
      field("TagSpecifications", "TagSpecification", &CreateVolumeRequest::tag_specifications),
      field("ClientToken", &CreateVolumeRequest::client_token),
      field("DryRun", "dryRun", &CreateVolumeRequest::dry_run));
};

struct AttachVolumeRequest {
  std::string volume_id = {};
  std::string instance_id = {};
  std::string device = {};
  std::optional<bool> dry_run = {};
  static constexpr auto shape =
      describe("AttachVolumeRequest", field("VolumeId", &AttachVolumeRequest::volume_id),
               field("InstanceId", &AttachVolumeRequest::instance_id),
               field("Device", &AttachVolumeRequest::device),
               field("DryRun", "dryRun", &AttachVolumeRequest::dry_run));
};

struct DetachVolumeRequest {
  std::string volume_id = {};
  std::string instance_id = {};
  std::string device = {};
  std::optional<bool> force = {};
  std::optional<bool> dry_run = {};
  static constexpr auto shape = describe(
      "DetachVolumeRequest", field("VolumeId", &DetachVolumeRequest::volume_id),
      field("InstanceId", &DetachVolumeRequest::instance_id),
      field("Device", &DetachVolumeRequest::device), field("Force", &DetachVolumeRequest::force),
      field("DryRun", "dryRun", &DetachVolumeRequest::dry_run));
};

struct DeleteVolumeRequest {
  std::optional<bool> dry_run = {};
  std::string volume_id = {};
  static constexpr auto shape =
      describe("DeleteVolumeRequest", field("DryRun", "dryRun", &DeleteVolumeRequest::dry_run),
               field("VolumeId", &DeleteVolumeRequest::volume_id));
};

struct DescribeVolumes {
  using Request = DescribeVolumesRequest;
  using Response = DescribeVolumesResult;
  static constexpr OperationInfo info{ec2_service, "DescribeVolumes", Idempotent::yes};
};

// Idempotent by its client token, which the caller must set.
struct CreateVolume {
  using Request = CreateVolumeRequest;
  using Response = Volume;
  static constexpr OperationInfo info{ec2_service, "CreateVolume", Idempotent::yes};
};

struct AttachVolume {
  using Request = AttachVolumeRequest;
  using Response = VolumeAttachment;
  static constexpr OperationInfo info{ec2_service, "AttachVolume", Idempotent::no};
};

struct DetachVolume {
  using Request = DetachVolumeRequest;
  using Response = VolumeAttachment;
  static constexpr OperationInfo info{ec2_service, "DetachVolume", Idempotent::no};
};

struct DeleteVolume {
  using Request = DeleteVolumeRequest;
  using Response = Return;
  static constexpr OperationInfo info{ec2_service, "DeleteVolume", Idempotent::no};
};

}  // namespace runctl::aws::ec2
