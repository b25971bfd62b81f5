// Volumes and machines for this module's tests.
#pragma once

#include <string_view>

#include "volume/facts.hpp"

namespace runctl::volume::sample {

inline VolumeId volume_id(std::string_view digits = "0aaaaaaaaaaaaaaa1") {
  return VolumeId::parse("vol-" + std::string{digits}).value();
}
inline InstanceId instance_id(std::string_view digits = "0bbbbbbbbbbbbbbb1") {
  return InstanceId::parse("i-" + std::string{digits}).value();
}
inline SnapshotId snapshot_id() { return SnapshotId::parse("snap-0ccccccccccccccc1").value(); }

inline VolumeFacts free_volume() {
  return {.id = volume_id(),
          .size = GiB{8},
          .type = "gp3",
          .zone = "us-east-1a",
          .state = VolumeState::available};
}

inline InstanceFacts running_instance(InstanceId id = instance_id()) {
  return {.id = std::move(id),
          .state = InstanceState::running,
          .type = "t3.medium",
          .zone = "us-east-1a",
          .root_device = "/dev/xvda",
          .devices = {{.device = "/dev/xvda",
                       .volume = volume_id("0ddddddddddddddd1"),
                       .delete_on_termination = true}}};
}

inline VolumeFacts held_volume_by(const InstanceId& holder,
                                  AttachmentState state = AttachmentState::attached) {
  VolumeFacts volume = free_volume();
  volume.state = VolumeState::in_use;
  volume.attachments = {{.instance = holder, .device = "/dev/sdf", .state = state}};
  return volume;
}

}  // namespace runctl::volume::sample
