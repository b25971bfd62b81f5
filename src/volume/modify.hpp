// Making a volume larger or faster while it is in use, and its filesystem with it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "node/grow.hpp"
#include "volume/change.hpp"
#include "volume/facts.hpp"

namespace runctl::volume {

// The newest modification of a volume. Source of the states: EC2's service model.
enum class ModificationState : std::uint8_t { modifying, optimizing, completed, failed };
struct ModificationFacts {
  ModificationState state = ModificationState::completed;
  std::string message = {};                   // why it failed
  std::optional<std::int64_t> progress = {};  // percent
  std::optional<GiB> size = {};               // what it is to end in
  std::string type = {};
  std::optional<std::int64_t> iops = {};
  std::optional<std::int64_t> throughput = {};  // MiB/s
};

// What is asked for; what is left out stays as it is.
struct ModifySpec {
  std::optional<GiB> size = {};
  std::optional<std::string> type = {};
  std::optional<std::int64_t> iops = {};
  std::optional<std::int64_t> throughput = {};  // MiB/s
};

struct ModifyPlan {
  bool is_as_asked = false;   // EC2 counts also a request that changes nothing: none is sent
  bool is_under_way = false;  // the same was asked for before, and cannot be used yet
  std::optional<Error> refusal = {};
};

// Refuses to make it smaller, what its type does not have, and another modification while one is
// not over. Source of the limits: docs, "Amazon EBS volume types" (ebs-facts 5). Pure.
[[nodiscard]] ModifyPlan plan_modify(const VolumeFacts& volume,
                                     const std::optional<ModificationFacts>& newest,
                                     const ModifySpec& spec);

// Errors: those of the read. Nothing for a volume that was never modified.
[[nodiscard]] Result<std::optional<ModificationFacts>> read_modification(const Session& session,
                                                                         const VolumeId& volume);

// Sends ModifyVolume once, and waits until the new size can be used: `optimizing` is enough. A lost
// answer is resolved by reading. Errors: EC2's own (at most 4 modifications in 24 hours); internal
// when EC2 says that it failed; deadline_exceeded.
[[nodiscard]] Result<ModificationFacts> execute_modify(const Change& change,
                                                       const VolumeFacts& volume,
                                                       const ModifyPlan& plan,
                                                       const ModifySpec& spec);

// What the growing of the filesystem came to.
struct Growth {
  std::optional<node::Grown> grown = {};
  std::string why_not = {};  // where there was nothing to grow, in words
};

// Grows the filesystem where the volume is mounted to write. A volume that no reachable machine has
// mounted is no error. Errors: those of the machine.
[[nodiscard]] Result<Growth> grow_filesystem(const Change& change, const VolumeFacts& volume,
                                             GiB size);

}  // namespace runctl::volume
