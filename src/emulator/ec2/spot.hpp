// A spot request, and what becomes of its instance when EC2 wants the capacity back.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/strong_id.hpp"
#include "base/time_text.hpp"
#include "emulator/place.hpp"

namespace runctl::emulator::ec2 {

// Those that a request of RunInstances can be in: it is fulfilled or refused at once, never `open`.
// Source: EC2 User Guide, "Spot Instance request states".
enum class SpotState : std::uint8_t { active, closed, cancelled, disabled };

enum class InterruptionBehavior : std::uint8_t { terminate, stop, hibernate };

// AWS's spelling.
[[nodiscard]] std::string_view name_of(SpotState state);
[[nodiscard]] std::string_view name_of(InterruptionBehavior behavior);

// What a launch asks of the spot market.
struct SpotTerms {
  bool persistent = false;
  InterruptionBehavior behavior = InterruptionBehavior::terminate;
  std::string max_price = {};  // dollars an hour; "" for none
  std::optional<Timestamp> valid_until = {};

  bool operator==(const SpotTerms&) const = default;
};

// One an instance. It outlives the instance, as on EC2 (there for some days).
struct SpotRequest {
  InstanceId instance;
  SpotTerms terms = {};
  SpotState state = SpotState::active;
  std::string code = {};  // "fulfilled"
  std::string message = {};
  Timestamp updated = {};
  Timestamp created = {};
  std::string image = {};
  std::string instance_type = {};
  std::string key_name = {};
  std::string subnet = {};
  Zone zone = {};
  std::map<std::string, std::string> tags = {};

  bool operator==(const SpotRequest&) const = default;
};

// What the metadata service tells a machine that is to be interrupted.
struct SpotNotice {
  InterruptionBehavior action = InterruptionBehavior::terminate;
  Timestamp time = {};
};

}  // namespace runctl::emulator::ec2
