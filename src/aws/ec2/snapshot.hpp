// EBS snapshots. Members are those in use; names are the service model's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aws/ec2/tags.hpp"
#include "aws/operation.hpp"
#include "aws/shape.hpp"

namespace runctl::aws::ec2 {

struct Snapshot {
  std::string snapshot_id = {};
  std::string volume_id = {};
  std::string state = {};
  std::string state_message = {};
  std::optional<Timestamp> start_time = {};
  std::optional<Timestamp> completion_time = {};
  std::string progress = {};
  std::string owner_id = {};
  std::optional<std::string> description = {};
  std::optional<std::int64_t> volume_size = {};
  std::vector<Tag> tags = {};
  std::optional<bool> encrypted = {};
  std::string storage_tier = {};
  static constexpr auto shape =
      describe("Snapshot", field("SnapshotId", "snapshotId", &Snapshot::snapshot_id),
               field("VolumeId", "volumeId", &Snapshot::volume_id),
               field("State", "status", &Snapshot::state),
               field("StateMessage", "statusMessage", &Snapshot::state_message),
               field("StartTime", "startTime", &Snapshot::start_time),
               field("CompletionTime", "completionTime", &Snapshot::completion_time),
               field("Progress", "progress", &Snapshot::progress),
               field("OwnerId", "ownerId", &Snapshot::owner_id),
               field("Description", "description", &Snapshot::description),
               field("VolumeSize", "volumeSize", &Snapshot::volume_size),
               field("Tags", "tagSet", &Snapshot::tags),
               field("Encrypted", "encrypted", &Snapshot::encrypted),
               field("StorageTier", "storageTier", &Snapshot::storage_tier));
};

struct CreateSnapshotRequest {
  std::string volume_id = {};
  std::optional<std::string> description = {};
  std::vector<TagSpecification> tag_specifications = {};
  std::optional<bool> dry_run = {};
  static constexpr auto shape = describe(
      "CreateSnapshotRequest", field("VolumeId", &CreateSnapshotRequest::volume_id),
      field("Description", &CreateSnapshotRequest::description),
      field("TagSpecifications", "TagSpecification", &CreateSnapshotRequest::tag_specifications),
      field("DryRun", "dryRun", &CreateSnapshotRequest::dry_run));
};

struct DescribeSnapshotsRequest {
  std::vector<std::string> snapshot_ids = {};
  std::vector<std::string> owner_ids = {};
  std::vector<Filter> filters = {};
  std::optional<std::int64_t> max_results = {};
  std::string next_token = {};
  std::optional<bool> dry_run = {};
  static constexpr auto shape =
      describe("DescribeSnapshotsRequest",
               field("SnapshotIds", "SnapshotId", &DescribeSnapshotsRequest::snapshot_ids),
               field("OwnerIds", "Owner", &DescribeSnapshotsRequest::owner_ids),
               field("Filters", "Filter", &DescribeSnapshotsRequest::filters),
               field("MaxResults", &DescribeSnapshotsRequest::max_results),
               field("NextToken", &DescribeSnapshotsRequest::next_token),
               field("DryRun", "dryRun", &DescribeSnapshotsRequest::dry_run));
};

struct DescribeSnapshotsResult {
  std::string next_token = {};
  std::vector<Snapshot> snapshots = {};
  static constexpr auto shape =
      describe("DescribeSnapshotsResult",
               field("NextToken", "nextToken", &DescribeSnapshotsResult::next_token),
               field("Snapshots", "snapshotSet", &DescribeSnapshotsResult::snapshots));
};

struct DeleteSnapshotRequest {
  std::optional<bool> dry_run = {};
  std::string snapshot_id = {};
  static constexpr auto shape =
      describe("DeleteSnapshotRequest", field("DryRun", "dryRun", &DeleteSnapshotRequest::dry_run),
               field("SnapshotId", &DeleteSnapshotRequest::snapshot_id));
};

struct CreateSnapshot {
  using Request = CreateSnapshotRequest;
  using Response = Snapshot;
  static constexpr OperationInfo info{ec2_service, "CreateSnapshot", Idempotent::no};
};

struct DescribeSnapshots {
  using Request = DescribeSnapshotsRequest;
  using Response = DescribeSnapshotsResult;
  static constexpr OperationInfo info{ec2_service, "DescribeSnapshots", Idempotent::yes};
};

struct DeleteSnapshot {
  using Request = DeleteSnapshotRequest;
  using Response = Return;
  static constexpr OperationInfo info{ec2_service, "DeleteSnapshot", Idempotent::no};
};

}  // namespace runctl::aws::ec2
