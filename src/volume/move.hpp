// Handing a volume over from one machine to another: quiesced, unmounted, detached, attached,
// mounted.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "volume/change.hpp"
#include "volume/detach.hpp"
#include "volume/mount.hpp"
#include "volume/plan_attach.hpp"
#include "volume/plan_detach.hpp"

namespace runctl::volume {

struct MoveFacts {
  DetachFacts from;  // of the volume as it is
  AttachFacts to;    // of the volume as it will be once it is free
  bool target_online = false;
  // Where the machine that has it now has it mounted.
  std::optional<std::string> mounted_at = {};
  std::optional<std::string> wanted_directory = {};  // --mount
};

struct MovePlan {
  bool already_there = false;
  DetachPlan detach = {};  // `already_detached` when nobody has it
  AttachPlan attach = {};
  std::optional<MountSpec> mount =
      {};  // nothing for a volume that is not mounted, and is not to be
  std::optional<Error> refusal = {};
};

// Reads both machines. Errors: those of the reads.
[[nodiscard]] Result<MoveFacts> read_move_facts(const Session& session, const VolumeFacts& volume,
                                                const InstanceFacts& target);

// Nothing is taken off one machine that the other will not be given: what stands against the
// attach and the mount is found out before. Pure.
[[nodiscard]] MovePlan plan_move(const MoveFacts& facts);

struct Moved {
  std::string device;
  std::optional<Mounted> mounted = {};
};

// Carries out a plan that is not refused, from wherever the volume is now: a hand-off that was
// interrupted at any step goes on. Errors: those of execute_detach, execute_attach and mount; they
// say where the volume is.
[[nodiscard]] Result<Moved> execute_move(const Change& change, const MoveFacts& facts,
                                         const MovePlan& plan);

}  // namespace runctl::volume
