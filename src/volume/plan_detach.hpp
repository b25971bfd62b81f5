// Deciding whether a volume may be detached, from which machine, and what has to be done there
// first.
#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "volume/facts.hpp"

namespace runctl::volume {

// Whether the user has said, by the name of the option, that the volume may be pulled off a machine
// that cannot be asked (--unsafe-force).
enum class Force : bool { no, yes };

struct DetachFacts {
  VolumeFacts volume;
  std::optional<InstanceId> wanted_instance = {};  // --instance
  std::optional<InstanceFacts> holder = {};        // of the attachment that is meant
  bool agent_online = false;  // the holder can be asked what it does with the volume
  Force force = Force::no;
};

struct DetachPlan {
  bool already_detached = false;
  std::optional<AttachmentFacts> attachment = {};
  bool unmount_first =
      false;  // the machine runs: its filesystem is taken down before the device goes
  // What the machine had not written back is lost. Never set for one that can be asked, or is off.
  bool by_force = false;
  std::optional<Error> refusal = {};
};

// Rules S7 and S8. A stopped machine needs no unmount (docs: Detach an Amazon EBS volume from an
// Amazon EC2 instance).
[[nodiscard]] DetachPlan plan_detach(const DetachFacts& facts);

// The attachment that a detach would act upon: the one named, or the only one. Null when there is
// none, or it is not clear which.
[[nodiscard]] const AttachmentFacts* attachment_meant(const VolumeFacts& volume,
                                                      const std::optional<InstanceId>& wanted);

}  // namespace runctl::volume
