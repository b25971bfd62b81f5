#include "node/sync.hpp"

namespace runctl::node {

Result<void> sync(const Machine& machine, const std::string& mount_point) {
  RUNCTL_TRY(run_script(machine, {.name = "sync", .parameters = {{"MOUNT_POINT", mount_point}}}));
  return {};
}

}  // namespace runctl::node
