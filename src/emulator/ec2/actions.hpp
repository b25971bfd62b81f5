// The actions of EC2: each checks a request against the state and changes the state, or refuses in
// AWS's words. Nothing is changed by an action that refuses. What is not modelled is refused, never
// ignored.
#pragma once

#include "aws/ec2/image.hpp"
#include "aws/ec2/instance.hpp"
#include "aws/ec2/instance_type.hpp"
#include "aws/ec2/modification.hpp"
#include "aws/ec2/network.hpp"
#include "aws/ec2/snapshot.hpp"
#include "aws/ec2/spot_request.hpp"
#include "aws/ec2/status.hpp"
#include "aws/ec2/tags.hpp"
#include "aws/ec2/volume.hpp"
#include "aws/ec2/volume_copy.hpp"
#include "aws/ec2/zone.hpp"
#include "base/result.hpp"
#include "emulator/ec2/state.hpp"

namespace runctl::emulator::ec2 {

namespace wire = aws::ec2;

[[nodiscard]] Result<wire::Volume> create_volume(Turn& turn,
                                                 const wire::CreateVolumeRequest& request);
[[nodiscard]] Result<wire::CopyVolumesResult> copy_volumes(Turn& turn,
                                                           const wire::CopyVolumesRequest& request);
[[nodiscard]] Result<wire::Return> delete_volume(Turn& turn,
                                                 const wire::DeleteVolumeRequest& request);
[[nodiscard]] Result<wire::DescribeVolumesResult> describe_volumes(
    Turn& turn, const wire::DescribeVolumesRequest& request);

[[nodiscard]] Result<wire::ModifyVolumeResult> modify_volume(
    Turn& turn, const wire::ModifyVolumeRequest& request);
[[nodiscard]] Result<wire::DescribeVolumesModificationsResult> describe_volumes_modifications(
    Turn& turn, const wire::DescribeVolumesModificationsRequest& request);

[[nodiscard]] Result<wire::VolumeAttachment> attach_volume(
    Turn& turn, const wire::AttachVolumeRequest& request);
[[nodiscard]] Result<wire::VolumeAttachment> detach_volume(
    Turn& turn, const wire::DetachVolumeRequest& request);

[[nodiscard]] Result<wire::Snapshot> create_snapshot(Turn& turn,
                                                     const wire::CreateSnapshotRequest& request);
[[nodiscard]] Result<wire::Return> delete_snapshot(Turn& turn,
                                                   const wire::DeleteSnapshotRequest& request);
[[nodiscard]] Result<wire::DescribeSnapshotsResult> describe_snapshots(
    Turn& turn, const wire::DescribeSnapshotsRequest& request);

[[nodiscard]] Result<wire::Reservation> run_instances(Turn& turn,
                                                      const wire::RunInstancesRequest& request);
[[nodiscard]] Result<wire::DescribeInstancesResult> describe_instances(
    Turn& turn, const wire::DescribeInstancesRequest& request);
[[nodiscard]] Result<wire::TerminateInstancesResult> terminate_instances(
    Turn& turn, const wire::TerminateInstancesRequest& request);
[[nodiscard]] Result<wire::StopInstancesResult> stop_instances(
    Turn& turn, const wire::StopInstancesRequest& request);
[[nodiscard]] Result<wire::StartInstancesResult> start_instances(
    Turn& turn, const wire::StartInstancesRequest& request);
[[nodiscard]] Result<wire::Return> reboot_instances(Turn& turn,
                                                    const wire::RebootInstancesRequest& request);
[[nodiscard]] Result<wire::Return> modify_instance_attribute(
    Turn& turn, const wire::ModifyInstanceAttributeRequest& request);

[[nodiscard]] Result<wire::DescribeSpotInstanceRequestsResult> describe_spot_instance_requests(
    Turn& turn, const wire::DescribeSpotInstanceRequestsRequest& request);
[[nodiscard]] Result<wire::CancelSpotInstanceRequestsResult> cancel_spot_instance_requests(
    Turn& turn, const wire::CancelSpotInstanceRequestsRequest& request);
[[nodiscard]] Result<wire::DescribeSpotPriceHistoryResult> describe_spot_price_history(
    Turn& turn, const wire::DescribeSpotPriceHistoryRequest& request);

[[nodiscard]] Result<wire::Return> create_tags(Turn& turn, const wire::CreateTagsRequest& request);
[[nodiscard]] Result<wire::Return> delete_tags(Turn& turn, const wire::DeleteTagsRequest& request);
[[nodiscard]] Result<wire::DescribeTagsResult> describe_tags(
    Turn& turn, const wire::DescribeTagsRequest& request);

[[nodiscard]] Result<wire::DescribeRegionsResult> describe_regions(
    Turn& turn, const wire::DescribeRegionsRequest& request);
[[nodiscard]] Result<wire::DescribeAvailabilityZonesResult> describe_availability_zones(
    Turn& turn, const wire::DescribeAvailabilityZonesRequest& request);
[[nodiscard]] Result<wire::DescribeInstanceTypesResult> describe_instance_types(
    Turn& turn, const wire::DescribeInstanceTypesRequest& request);

[[nodiscard]] Result<wire::DescribeImagesResult> describe_images(
    Turn& turn, const wire::DescribeImagesRequest& request);

[[nodiscard]] Result<wire::DescribeVpcsResult> describe_vpcs(
    Turn& turn, const wire::DescribeVpcsRequest& request);
[[nodiscard]] Result<wire::DescribeSubnetsResult> describe_subnets(
    Turn& turn, const wire::DescribeSubnetsRequest& request);
[[nodiscard]] Result<wire::DescribeSecurityGroupsResult> describe_security_groups(
    Turn& turn, const wire::DescribeSecurityGroupsRequest& request);

[[nodiscard]] Result<wire::DescribeVolumeStatusResult> describe_volume_status(
    Turn& turn, const wire::DescribeVolumeStatusRequest& request);
[[nodiscard]] Result<wire::DescribeInstanceStatusResult> describe_instance_status(
    Turn& turn, const wire::DescribeInstanceStatusRequest& request);

}  // namespace runctl::emulator::ec2
