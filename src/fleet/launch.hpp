// Renting a machine, and waiting until it can be used.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "volume/change.hpp"
#include "volume/facts.hpp"

namespace runctl::fleet {

// Amazon Linux 2023, resolved by EC2 itself when the instance is launched.
// Source: EC2 User Guide, "Reference AMIs using Systems Manager parameters".
inline constexpr std::string_view default_image =
    "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64";

enum class Market : std::uint8_t { on_demand, spot };

// "on-demand", "spot".
[[nodiscard]] std::string_view name_of(Market market);

// A spot launch makes a one-time request, which EC2 fulfils or refuses at once, and whose machine
// ends when it is interrupted: the default of RunInstances, and the only one without a machine that
// EC2 starts again by itself.
struct LaunchSpec {
  std::string type = "t3.medium";
  std::string image{default_image};
  std::string zone = {};  // empty: EC2 chooses
  std::string key_name = {};
  std::vector<std::string> security_groups = {};
  std::string subnet = {};
  std::string instance_profile = {};
  Market market = Market::on_demand;
  std::string spot_max_price = {};  // dollars an hour, in digits; "" pays the market's price
  volume::Tags tags = {};
};

// Launches one instance under a client token and with its tags in the same call, so that a lost
// reply rents nothing twice and a crash leaves no machine that nobody can find. Errors: EC2's own.
[[nodiscard]] Result<volume::InstanceFacts> launch(const volume::Change& change,
                                                   const LaunchSpec& spec);

// The same under a token of the caller's, which is also the runctl:operation tag of the machine and
// of its spot request. No other launch may have it.
[[nodiscard]] Result<volume::InstanceFacts> launch_as(const volume::Change& change,
                                                      const LaunchSpec& spec,
                                                      const std::string& token);

// Waits until it is `running` and its SSM agent is online: only then can it be used.
// Errors: conflict when it ends instead of starting; deadline_exceeded, saying what is missing.
[[nodiscard]] Result<volume::InstanceFacts> wait_until_ready(const volume::Session& session,
                                                             const InstanceId& instance);

}  // namespace runctl::fleet
