// Renting a machine, and waiting until it can be used.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "volume/change.hpp"
#include "volume/facts.hpp"

namespace runctl::fleet {

// Amazon Linux 2023, resolved by EC2 itself when the instance is launched.
// Source: EC2 User Guide, "Reference AMIs using Systems Manager parameters".
inline constexpr std::string_view default_image =
    "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64";

struct LaunchSpec {
  std::string type = "t3.medium";
  std::string image{default_image};
  std::string zone = {};  // empty: EC2 chooses
  std::string key_name = {};
  std::vector<std::string> security_groups = {};
  std::string subnet = {};
  std::string instance_profile = {};
  volume::Tags tags = {};
};

// Launches one instance under a client token and with its tags in the same call, so that a lost
// reply rents nothing twice and a crash leaves no machine that nobody can find. Errors: EC2's own.
[[nodiscard]] Result<volume::InstanceFacts> launch(const volume::Change& change,
                                                   const LaunchSpec& spec);

// Waits until it is `running` and its SSM agent is online: only then can it be used.
// Errors: conflict when it ends instead of starting; deadline_exceeded, saying what is missing.
[[nodiscard]] Result<volume::InstanceFacts> wait_until_ready(const volume::Session& session,
                                                             const InstanceId& instance);

}  // namespace runctl::fleet
