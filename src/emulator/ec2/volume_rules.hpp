// What a volume of each type may be: the same for one that is made, copied or modified.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "aws/ec2/volume_limits.hpp"
#include "base/result.hpp"
#include "emulator/ec2/state.hpp"

namespace runctl::emulator::ec2 {

// Errors: UnknownVolumeType.
[[nodiscard]] Result<const aws::ec2::VolumeLimits*> existing_type(std::string_view name);

struct WantedShape {
  std::optional<std::int64_t> size = {};        // GiB; else the volume's own
  std::optional<std::int64_t> iops = {};        // else the type's default, where it has one
  std::optional<std::int64_t> throughput = {};  // MiB/s; the same
  bool multi_attach = false;
};

// Gives the volume the type and what is wanted of it. Errors: InvalidParameterValue,
// InvalidParameterCombination and MissingParameter, as EC2 words them; then part of it may be set.
// Source of the limits: ebs-facts, section 5.
[[nodiscard]] Result<void> set_shape(Volume& volume, const aws::ec2::VolumeLimits& type,
                                     const WantedShape& wanted);

}  // namespace runctl::emulator::ec2
