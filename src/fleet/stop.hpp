// Switching a machine off without losing what is on its volumes, and on again.
#pragma once

#include <optional>
#include <vector>

#include "base/result.hpp"
#include "fleet/data_volumes.hpp"
#include "volume/change.hpp"
#include "volume/facts.hpp"

namespace runctl::fleet {

struct StopPlan {
  bool already_stopped = false;                          // or on its way there
  std::vector<volume::DeviceMapping> data_volumes = {};  // stay attached
  bool unmount_first = false;
  std::optional<Error> refusal = {};
};

// Rule S14: every data volume is unmounted first. A spot machine whose request EC2 does not stop is
// refused before anything is unmounted.
[[nodiscard]] StopPlan plan_stop(const PowerFacts& facts, Unmounting unmounting);

// Unmounts the data volumes (which refuses while anything uses one), stops it, and waits until it
// is `stopped`. For a machine that is stopping already it only waits. Errors: conflict naming what
// is in use; deadline_exceeded; EC2's own refusals (a one-time spot instance cannot be stopped).
[[nodiscard]] Result<void> execute_stop(const volume::Change& change, const PowerFacts& facts,
                                        const StopPlan& plan);

struct StartPlan {
  bool already_running = false;
  std::optional<Error> refusal = {};
};

[[nodiscard]] StartPlan plan_start(const volume::InstanceFacts& instance);

// Sends the request; whoever needs the machine ready waits for it (fleet/launch.hpp).
[[nodiscard]] Result<void> execute_start(const volume::Change& change, const InstanceId& instance);

}  // namespace runctl::fleet
