// Deleting a volume.
#pragma once

#include "base/result.hpp"
#include "volume/change.hpp"
#include "volume/facts.hpp"

namespace runctl::volume {

// Reads the volume again and deletes it only when nothing of what the plan rested on has changed.
// Errors: precondition when it has; EC2's own refusals.
[[nodiscard]] Result<void> execute_delete(const Change& change, const VolumeFacts& planned);

}  // namespace runctl::volume
