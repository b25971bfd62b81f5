// Giving a machine back without losing what is on its volumes.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "fleet/data_volumes.hpp"
#include "journal/operation.hpp"
#include "volume/change.hpp"
#include "volume/facts.hpp"
#include "volume/session.hpp"

namespace runctl::fleet {

struct TerminatePlan {
  bool already_gone = false;
  std::vector<volume::DeviceMapping> data_volumes = {};  // stay, detached, when the machine goes
  bool unmount_first = false;
  std::optional<Error> refusal = {};
};

// Of what is to be uploaded from the machine's own disk (--unsafe-lose-results).
enum class Results : bool { kept, lost };

// The runs that these operations have started on the machine, or may have, and that upload their
// results from its own disk, where they have no checkpoint volume; but for those of which a
// workflow has seen the end, with everything uploaded. Pure.
[[nodiscard]] std::vector<std::string> started_uploads(
    std::span<const journal::Operation> operations, const InstanceId& instance);

// Rule S14: every data volume is unmounted first; one that would be deleted with the machine is a
// refusal, and so is a run whose results would go with the machine's disk, or may, when it cannot
// be asked.
[[nodiscard]] TerminatePlan plan_terminate(const PowerFacts& facts, Unmounting unmounting,
                                           Results results = Results::kept);

// Unmounts the data volumes (which refuses while anything uses one), terminates, and waits until
// the machine is gone and its data volumes are free again. Errors: conflict naming what is in use;
// deadline_exceeded; EC2's own refusals.
[[nodiscard]] Result<void> execute_terminate(const volume::Change& change, const PowerFacts& facts,
                                             const TerminatePlan& plan);

}  // namespace runctl::fleet
