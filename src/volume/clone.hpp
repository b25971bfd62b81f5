// A copy of a volume in its own zone, of one moment (CopyVolumes).
#pragma once

#include <optional>

#include "base/result.hpp"
#include "volume/change.hpp"
#include "volume/facts.hpp"
#include "volume/snapshot.hpp"
#include "volume/standstill.hpp"

namespace runctl::volume {

struct CloneSpec {
  Tags tags = {};  // those that the user asked for, Name among them
  Freezing freezing = Freezing::yes;
};

// What stands against it: a volume that does not take copies in its state. Pure.
[[nodiscard]] std::optional<Error> check_clone(const VolumeFacts& source);

struct Cloned {
  VolumeFacts volume;
  Worth worth;
};

// Rule S9, as take_snapshot: the filesystem stands still for the one call, which names a client
// token and may be repeated. The copy has the source's type, size and speed, and is exclusive, also
// where the source is sealed; its tags say what it is worth and what it came from. Errors: EC2's
// own (CopyVolumesLimitExceeded while another copy of the volume is made); those of the machine.
// Nothing stays frozen after any of them.
[[nodiscard]] Result<Cloned> execute_clone(const Change& change, const VolumeFacts& source,
                                           const CloneSpec& spec);

}  // namespace runctl::volume
