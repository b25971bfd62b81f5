// Bringing a volume to a machine: attached and mounted there, whatever of it is so already.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/result.hpp"
#include "volume/change.hpp"
#include "volume/facts.hpp"
#include "volume/mount.hpp"
#include "volume/plan_attach.hpp"

namespace runctl::volume {

struct PlaceSpec {
  std::optional<MountSpec> mount = {};
  std::optional<std::string> device = {};        // the name that EC2 keeps; nothing: a free one
  std::vector<std::string> recent_devices = {};  // as in AttachFacts
};

// The same in the journal's words, so that another process can go on with it.
[[nodiscard]] boost::json::object plan_of(const PlaceSpec& spec);
// Errors: corrupt for a record that is none.
[[nodiscard]] Result<PlaceSpec> read_plan(const boost::json::value& plan);

struct Placed {
  std::string device;
  bool already_attached = false;
  std::optional<Mounted> mounted = {};
};

// Plans and executes an attach, and then the mount that is asked for. Errors: what plan_attach and
// check_mount refuse, and then nothing was touched; those of execute_attach and mount. An error
// after the attach says that the attachment stands.
[[nodiscard]] Result<Placed> place(const Change& change, const VolumeFacts& volume,
                                   const InstanceFacts& instance, const PlaceSpec& spec);

// The same for a volume that was just made: waits until it is available first. It exists and is
// paid for, and an error says so.
[[nodiscard]] Result<Placed> place_new(const Change& change, const VolumeId& volume,
                                       const InstanceFacts& instance, const PlaceSpec& spec);

// The second half of `place`, for a plan that was shown before: it is not refused.
[[nodiscard]] Result<Placed> execute_place(const Change& change, const AttachFacts& facts,
                                           const AttachPlan& plan,
                                           const std::optional<MountSpec>& wanted_mount);

// What stands against giving the machine a volume that is yet to be made in `zone`: found out
// before anything is made. Pure. Errors: conflict.
[[nodiscard]] Result<void> check_target(const InstanceFacts& instance, const std::string& zone,
                                        const std::optional<MountSpec>& mount);

// Where a volume is mounted when nobody said where: /mnt/ and its Name as far as a path can have
// it, or its id.
[[nodiscard]] std::string default_mount_point(const VolumeFacts& volume);

}  // namespace runctl::volume
