// The data volumes of a machine that is about to be switched off (rule S14).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "fleet/spot.hpp"
#include "node/run.hpp"
#include "volume/change.hpp"
#include "volume/facts.hpp"

namespace runctl::fleet {

// What plans about a machine's power are made from.
struct PowerFacts {
  volume::InstanceFacts instance;
  bool agent_online = false;
  std::vector<node::UnfinishedRun> runs = {};  // as far as the machine could say
  bool runs_are_known = false;                 // it could
  // Of a machine that could not: those that may have the only copy of their results on its own
  // disk, by what the journal knows (started_uploads); their ids.
  std::vector<std::string> maybe_only_here = {};
  std::optional<SpotFacts> spot = {};  // of a spot machine, where its request matters
};

// How much of its care the user has waived by name (--unsafe-skip-unmount).
enum class Unmounting : bool { required, skipped };

// Errors: those of the reads. A machine that is off, or does not say what runs on it, has no
// `runs`, and they are not known.
[[nodiscard]] Result<PowerFacts> read_power_facts(const volume::Session& session,
                                                  const volume::InstanceFacts& instance);

// "end run …, which is running", a line each.
[[nodiscard]] std::vector<std::string> words_of(const std::vector<node::UnfinishedRun>& runs);

// All but the root volume.
[[nodiscard]] std::vector<volume::DeviceMapping> data_volumes_of(
    const volume::InstanceFacts& instance);

// The refusal of a machine that has data volumes and cannot be asked to unmount them. `verb` is the
// command's: "stop".
[[nodiscard]] Error unreachable(const volume::InstanceFacts& instance, std::string_view verb);

// Unmounts every one of them on the machine. Errors: conflict naming what is in use, and then the
// rest is left mounted; those of the machine.
[[nodiscard]] Result<void> quiesce_all(const volume::Change& change, const InstanceId& instance,
                                       const std::vector<volume::DeviceMapping>& data_volumes);

}  // namespace runctl::fleet
