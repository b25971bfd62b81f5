// The instance types that the emulator knows. Volume types are in aws/ec2/volume_limits.hpp.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace runctl::emulator::ec2 {

enum class Hypervisor : std::uint8_t { nitro, xen };
enum class LimitType : std::uint8_t { shared, dedicated };

struct InstanceType {
  std::string_view name;
  std::int64_t vcpus = 0;
  std::int64_t memory_mib = 0;
  Hypervisor hypervisor = Hypervisor::nitro;
  LimitType limit_type = LimitType::shared;
  std::int64_t ebs_attachments = 27;  // the root volume among them
  bool current_generation = true;
};

// Null pointer for a type that is not in the table.
[[nodiscard]] const InstanceType* instance_type_named(std::string_view name);

// In the order of their names.
[[nodiscard]] std::span<const InstanceType> instance_types();

}  // namespace runctl::emulator::ec2
