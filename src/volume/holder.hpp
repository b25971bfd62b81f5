// The machine that has a volume, where it can be asked about it.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "volume/facts.hpp"
#include "volume/session.hpp"

namespace runctl::volume {

struct Holder {
  AttachmentFacts attachment;
  InstanceFacts instance;
};

// The machine named, or the only one that has it. `verb` is what cannot be done otherwise:
// "verified". Errors: conflict when no machine has it, when several have it and none is named, when
// the machine is off or its agent does not answer, each with the way out; those of the reads.
[[nodiscard]] Result<Holder> reachable_holder(const Session& session, const VolumeFacts& volume,
                                              const std::optional<InstanceId>& wanted,
                                              std::string_view verb);

// Adds to a refusal what the machine itself says of the volume: where it is mounted, how, and who
// uses it. Adds nothing where the machine cannot be asked.
void describe_use(const Session& session, const VolumeId& volume, const InstanceId& instance,
                  Error& refusal);

}  // namespace runctl::volume
