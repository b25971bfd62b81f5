// Taking a volume off a machine, by the attach protocol: unmount, verify, one call, judged by
// reading.
#pragma once

#include "base/result.hpp"
#include "volume/change.hpp"
#include "volume/plan_detach.hpp"
#include "volume/session.hpp"

namespace runctl::volume {

[[nodiscard]] Result<DetachFacts> read_detach_facts(
    const Session& session, const VolumeFacts& volume,
    const std::optional<InstanceId>& wanted_instance);

// Carries out a plan that is neither refused nor done: unmounts on the machine (which refuses while
// anything uses the filesystem), sends DetachVolume once, and reads until three reads agree that
// the attachment is gone. Never detaches what is mounted, but by force: then a snapshot is taken
// first, and the volume tagged so that its next mount checks it (rule S8). Errors: conflict, naming
// the users, when the filesystem is in use, or when the machine holds the device
// (`busy`); deadline_exceeded, saying in which state it was left; EC2's own refusals.
[[nodiscard]] Result<void> execute_detach(const Change& change, const DetachFacts& facts,
                                          const DetachPlan& plan);

// Unmounts a volume everywhere on a machine, and says in what way out of it when something uses it.
[[nodiscard]] Result<void> quiesce(const Change& change, const VolumeId& volume,
                                   const InstanceId& instance);

}  // namespace runctl::volume
