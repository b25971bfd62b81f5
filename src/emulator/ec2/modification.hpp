// A change of a volume's size, type and speed, under way or past.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time_text.hpp"
#include "base/units.hpp"

namespace runctl::emulator::ec2 {

enum class ModificationState : std::uint8_t { modifying, optimizing, completed, failed };

[[nodiscard]] std::string_view name_of(ModificationState state);

// What of a volume can be modified.
struct VolumeShape {
  GiB size = {};
  std::string type = {};
  std::optional<std::int64_t> iops = {};
  std::optional<std::int64_t> throughput = {};
  bool multi_attach = false;

  bool operator==(const VolumeShape&) const = default;
};

struct Modification {
  VolumeShape original = {};
  VolumeShape target = {};
  ModificationState state = ModificationState::modifying;
  std::string message = {};  // why it failed
  Timestamp started = {};
  Timestamp optimizing = {};  // since when
  std::optional<Timestamp> ended = {};
  Timestamp due = {};
  bool ordered = false;  // the hardware works on it; not kept on disk

  bool operator==(const Modification&) const = default;
};

}  // namespace runctl::emulator::ec2
