// The network that every account has in every region from the start, and the only one here: a VPC,
// a subnet in each zone, a security group. Pure functions of the place.
#pragma once

#include <string>
#include <vector>

#include "emulator/place.hpp"

namespace runctl::emulator::ec2 {

struct DefaultSubnet {
  std::string id;
  Zone zone;
  std::string cidr;
};

[[nodiscard]] std::string default_vpc(const Place& place);
[[nodiscard]] std::vector<DefaultSubnet> default_subnets(const Place& place);
[[nodiscard]] std::string default_security_group(const Place& place);

// An id that looks like AWS's and is the same whenever it is asked for.
[[nodiscard]] std::string stable_id(std::string_view prefix, const Place& place,
                                    std::string_view name);

}  // namespace runctl::emulator::ec2
