// A machine on which a volume is filled: the one that has it, a named one, or one that is rented
// for the time of it and given back, however that ends.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/result.hpp"
#include "fleet/launch.hpp"
#include "volume/change.hpp"
#include "volume/facts.hpp"
#include "volume/mount.hpp"
#include "volume/seal.hpp"

namespace runctl::fleet {

struct PrewarmSpec {
  std::optional<volume::InstanceFacts> instance = {};  // --instance
  std::optional<volume::Filesystem> filesystem = {};   // for a volume that was created empty
  bool seals = false;
  LaunchSpec launch =
      {};  // of the temporary machine, where one is needed; the zone is the volume's
};

// Where the volume is filled, and what has to be undone there afterwards.
struct PrewarmPlan {
  volume::VolumeFacts volume;
  std::optional<volume::InstanceFacts> machine = {};  // nothing: one is rented
  bool attaches = false;
  bool mounts = false;
  volume::MountSpec mount = {};  // where it is to be mounted, or is
  bool seals = false;
  LaunchSpec launch = {};
};

// Reads what it takes; changes nothing. Errors: conflict for what stands against it before anything
// is rented: a sealed volume; one that another machine holds; a machine that cannot be reached or
// is elsewhere; one that has it mounted read-only; a filesystem that may not be made (rule S11);
// those of the reads.
[[nodiscard]] Result<PrewarmPlan> plan_prewarm(const volume::Session& session,
                                               const volume::VolumeFacts& volume,
                                               const PrewarmSpec& spec);

// The same in the journal's words, for `operations resume`. `source` is where the objects come
// from.
[[nodiscard]] boost::json::object plan_of(const PrewarmPlan& plan, const std::string& source);

// Fills the volume, which is mounted on that machine. Gives whether all is on it.
enum class Filling : bool { partial, complete };
using Fill = std::function<Result<Filling>(const volume::Change&, const InstanceId&)>;

struct Prewarmed {
  InstanceId machine;
  Filling filling = Filling::partial;
  std::optional<volume::Sealed> sealed = {};  // only what is complete is sealed
};

// Rents the machine, brings the volume there, fills it, and takes back what it did: unmounts what
// it mounted, detaches what it attached, terminates what it rented, also after an error, a time-out
// or a stop, for which it takes up to 15 minutes of its own. A volume that cannot be unmounted on a
// rented machine is marked to be checked before its next mount, and the machine ended all the same.
// Errors: those of launch, place, `fill` and execute_seal; what could not be taken back is among
// the details.
[[nodiscard]] Result<Prewarmed> execute_prewarm(const volume::Change& change,
                                                const PrewarmPlan& plan, const Fill& fill);

// Takes back what an interrupted execute_prewarm has done, from wherever it was, and says how it
// stands. Errors: precondition while a machine may still come into being; those of the steps.
[[nodiscard]] Result<std::string> take_back_prewarm(const volume::Change& change);

}  // namespace runctl::fleet
