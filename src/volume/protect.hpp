// Keeping a volume from being deleted.
#pragma once

#include "base/result.hpp"
#include "volume/change.hpp"
#include "volume/facts.hpp"

namespace runctl::volume {

enum class Protection : bool { off, on };

[[nodiscard]] Protection protection_of(const VolumeFacts& volume);

// Sets or takes away the tag that plan_delete goes by. runctl's own rule: AWS itself, and other
// tools, delete a protected volume like any other. Errors: EC2's own.
[[nodiscard]] Result<void> execute_protect(const Change& change, const VolumeId& volume,
                                           Protection protection);

}  // namespace runctl::volume
