// Attaching a volume to a machine, by the attach protocol: one call, its outcome judged by reading.
#pragma once

#include <string>

#include "base/result.hpp"
#include "volume/change.hpp"
#include "volume/plan_attach.hpp"
#include "volume/session.hpp"

namespace runctl::volume {

// Reads what plan_attach needs, the holder of a held volume among it.
// Errors: not_found; those of aws::Client::call.
[[nodiscard]] Result<AttachFacts> read_attach_facts(const Session& session,
                                                    const VolumeFacts& volume,
                                                    const InstanceFacts& instance);

// Carries out a plan that is neither refused nor done: sends AttachVolume once, then reads until
// three reads agree that our attachment is `attached`, the only one, and Multi-Attach as it was
// planned. Errors: conflict, naming the winner, when another machine has it (nothing of the
// winner's is touched); deadline_exceeded with effect `unknown` when nothing could be seen while
// the request can still act; EC2's own refusals.
[[nodiscard]] Result<VolumeFacts> execute_attach(const Change& change, const AttachFacts& facts,
                                                 const AttachPlan& plan);

// Waits until the attachment to `instance` is `attached`. Volume.State says nothing of that: it is
// `in-use` from the first moment on.
[[nodiscard]] Result<VolumeFacts> wait_until_attached(const Session& session,
                                                      const VolumeId& volume,
                                                      const InstanceId& instance,
                                                      const std::string& device);

}  // namespace runctl::volume
