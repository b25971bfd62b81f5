// Records as EC2's answers show them.
#pragma once

#include "aws/ec2/instance.hpp"
#include "aws/ec2/snapshot.hpp"
#include "aws/ec2/volume.hpp"
#include "emulator/ec2/state.hpp"

namespace runctl::emulator::ec2 {

[[nodiscard]] std::vector<aws::ec2::Tag> view_of(const Tags& tags);
// What gp2 gives by its size: 3 IOPS per GiB, at least 100, at most 16,000. Source: ebs-facts,
// section 5.
[[nodiscard]] std::int64_t gp2_iops(std::int64_t size_gib);

[[nodiscard]] aws::ec2::VolumeAttachment view_of(const VolumeId& volume,
                                                 const Attachment& attachment);
[[nodiscard]] aws::ec2::Volume view_of(const Volume& volume);
// Progress follows `now`.
[[nodiscard]] aws::ec2::Snapshot view_of(const Snapshot& snapshot, const Place& place,
                                         Timestamp now);
[[nodiscard]] aws::ec2::InstanceState view_of(InstanceState state);
[[nodiscard]] aws::ec2::Instance view_of(const Instance& instance, const Turn& turn);

}  // namespace runctl::emulator::ec2
