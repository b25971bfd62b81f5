// Deciding whether a volume may be attached to a machine, and how. Pure: facts in, plan out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "volume/facts.hpp"

namespace runctl::volume {

struct AttachFacts {
  VolumeFacts volume;
  InstanceFacts instance;
  std::optional<InstanceFacts> holder = {};  // when another machine has the volume
  InstanceTypeFacts type = {};
  std::optional<std::string> wanted_device = {};  // --device
  std::uint64_t nonce = 0;                        // varies the device name from attempt to attempt
  // Names that the volume had a short while ago: a late request about them may still act.
  std::vector<std::string> recent_devices = {};
};

// Exactly one of the three is set, but for `device`, which also says where an attached volume is.
struct AttachPlan {
  bool already_attached = false;
  std::string device = {};
  std::optional<Error> refusal = {};
};

// Rules S1, S3, S4, S5 of the product's contract.
[[nodiscard]] AttachPlan plan_attach(const AttachFacts& facts);

// What a read after AttachVolume says of the attempt to attach as `device` to `instance`.
// AttachVolume has no client token: the pair of instance and device name is what tells our attempt
// from another's.
enum class AttachOutcome : std::uint8_t {
  ours,        // our instance, our device name
  other_name,  // our instance, another device name: another process attached it there
  lost,        // another instance has it
  not_yet      // nobody has it, as far as this read can tell
};
[[nodiscard]] AttachOutcome classify_attach(const VolumeFacts& volume, const InstanceId& instance,
                                            const std::string& device);

// What stands against the use of a volume on `instance` as it is attached now: that it is on its
// way off, or that it is exclusive and another machine has it too, by whomever it was attached
// there (one that has Multi-Attach may be attached to both, and either could write). Pure.
[[nodiscard]] std::optional<Error> check_use(const VolumeFacts& volume, const InstanceId& instance);

// The refusal of a volume that `attachment`'s machine holds. `holder` adds its name, type and
// state.
[[nodiscard]] Error held_volume(const VolumeFacts& volume, const AttachmentFacts& attachment,
                                const std::optional<InstanceFacts>& holder,
                                const InstanceId& wanted_by);

}  // namespace runctl::volume
