#include "emulator/ec2/catalogue.hpp"

#include <algorithm>
#include <array>

namespace runctl::emulator::ec2 {
namespace {

using T = InstanceType;
constexpr Hypervisor nitro = Hypervisor::nitro;
constexpr Hypervisor xen = Hypervisor::xen;
constexpr LimitType shared = LimitType::shared;
constexpr LimitType dedicated = LimitType::dedicated;

// Shared: 28 slots, less one for the network interface and one for each local disk and accelerator.
// Source: EBS User Guide, "Amazon EBS volume limits for Amazon EC2 instances"; sizes from the EC2
// instance types guide. Sorted by name.
constexpr auto types = std::to_array<InstanceType>({
    T{"c5.4xlarge", 16, 32768, nitro, shared, 27, true},
    T{"c5.9xlarge", 36, 73728, nitro, shared, 27, true},
    T{"c5.large", 2, 4096, nitro, shared, 27, true},
    T{"c5.xlarge", 4, 8192, nitro, shared, 27, true},
    T{"c6i.4xlarge", 16, 32768, nitro, shared, 27, true},
    T{"c6i.large", 2, 4096, nitro, shared, 27, true},
    T{"g4dn.12xlarge", 48, 196608, nitro, shared, 22, true},
    T{"g4dn.2xlarge", 8, 32768, nitro, shared, 25, true},
    T{"g4dn.4xlarge", 16, 65536, nitro, shared, 25, true},
    T{"g4dn.xlarge", 4, 16384, nitro, shared, 25, true},
    T{"g5.12xlarge", 48, 196608, nitro, shared, 22, true},
    T{"g5.2xlarge", 8, 32768, nitro, shared, 25, true},
    T{"g5.48xlarge", 192, 786432, nitro, shared, 9, true},
    T{"g5.xlarge", 4, 16384, nitro, shared, 25, true},
    T{"g6.12xlarge", 48, 196608, nitro, dedicated, 32, true},
    T{"g6.48xlarge", 192, 786432, nitro, dedicated, 32, true},
    T{"g6.xlarge", 4, 16384, nitro, dedicated, 24, true},
    T{"m1.small", 1, 1740, xen, shared, 39, false},
    T{"m4.large", 2, 8192, xen, shared, 39, true},
    T{"m4.xlarge", 4, 16384, xen, shared, 39, true},
    T{"m5.12xlarge", 48, 196608, nitro, shared, 27, true},
    T{"m5.24xlarge", 96, 393216, nitro, shared, 27, true},
    T{"m5.2xlarge", 8, 32768, nitro, shared, 27, true},
    T{"m5.4xlarge", 16, 65536, nitro, shared, 27, true},
    T{"m5.large", 2, 8192, nitro, shared, 27, true},
    T{"m5.xlarge", 4, 16384, nitro, shared, 27, true},
    T{"m6i.4xlarge", 16, 65536, nitro, shared, 27, true},
    T{"m6i.large", 2, 8192, nitro, shared, 27, true},
    T{"m6i.xlarge", 4, 16384, nitro, shared, 27, true},
    T{"m7i.4xlarge", 16, 65536, nitro, dedicated, 32, true},
    T{"m7i.large", 2, 8192, nitro, dedicated, 32, true},
    T{"m7i.xlarge", 4, 16384, nitro, dedicated, 32, true},
    T{"p3.2xlarge", 8, 62464, xen, shared, 39, true},
    T{"p3.8xlarge", 32, 249856, xen, shared, 39, true},
    T{"p4d.24xlarge", 96, 1179648, nitro, dedicated, 28, true},
    T{"p5.48xlarge", 192, 2097152, nitro, dedicated, 32, true},
    T{"r5.4xlarge", 16, 131072, nitro, shared, 27, true},
    T{"r5.large", 2, 16384, nitro, shared, 27, true},
    T{"t2.large", 2, 8192, xen, shared, 39, true},
    T{"t2.medium", 2, 4096, xen, shared, 39, true},
    T{"t2.micro", 1, 1024, xen, shared, 39, true},
    T{"t3.2xlarge", 8, 32768, nitro, shared, 27, true},
    T{"t3.large", 2, 8192, nitro, shared, 27, true},
    T{"t3.medium", 2, 4096, nitro, shared, 27, true},
    T{"t3.micro", 2, 1024, nitro, shared, 27, true},
    T{"t3.nano", 2, 512, nitro, shared, 27, true},
    T{"t3.small", 2, 2048, nitro, shared, 27, true},
    T{"t3.xlarge", 4, 16384, nitro, shared, 27, true},
    T{"trn1.2xlarge", 8, 32768, nitro, shared, 26, true},
    T{"trn1.32xlarge", 128, 524288, nitro, shared, 23, true},
});

}  // namespace

const InstanceType* instance_type_named(std::string_view name) {
  const auto* const at = std::ranges::find(types, name, &InstanceType::name);
  return at == types.end() ? nullptr : at;
}

std::span<const InstanceType> instance_types() { return types; }

}  // namespace runctl::emulator::ec2
