// Writing back what a machine caches.
#pragma once

#include <string>

#include "base/result.hpp"
#include "node/script.hpp"

namespace runctl::node {

// On return what was written below `mount_point` before is on its volume. Nothing is held back from
// being written meanwhile. Errors: internal when the machine cannot write it back; as run_script.
[[nodiscard]] Result<void> sync(const Machine& machine, const std::string& mount_point);

}  // namespace runctl::node
