// Giving a new machine its data volumes: existing ones, one from a snapshot, an empty one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/result.hpp"
#include "base/units.hpp"
#include "volume/change.hpp"
#include "volume/facts.hpp"
#include "volume/place.hpp"

namespace runctl::fleet {

struct DataVolumeSpec {
  std::vector<VolumeId> volumes = {};       // that exist
  std::optional<SnapshotId> snapshot = {};  // of which one is made
  std::optional<GiB> size = {};             // of an empty one, which gets an ext4
  std::string mount_point = {};             // of the only one; empty: each at its default
  node::Access access = node::Access::read_write;
  std::string name = {};         // the machine's, from which new volumes get theirs:
  std::string purpose = "data";  // of an empty one; its Name is NAME-PURPOSE
};

[[nodiscard]] bool is_empty(const DataVolumeSpec& spec);

// The same in the journal's words. Errors of read_data_volumes: corrupt.
[[nodiscard]] boost::json::object plan_of(const DataVolumeSpec& spec);
[[nodiscard]] Result<DataVolumeSpec> read_data_volumes(const boost::json::value& plan);

// What stands against it before a machine is rented: a volume that another machine holds or that
// cannot be attached, volumes of different zones or of another than `zone`. Gives the zone that the
// machine has to be in; `zone` where the volumes leave it open. Pure. Errors: conflict.
[[nodiscard]] Result<std::string> zone_for(const std::vector<volume::VolumeFacts>& volumes,
                                           const std::string& zone);

struct Provisioned {
  VolumeId volume;
  std::string mount_point;
  volume::Placed placed;
};

// The volumes that the operation has made, and no others, as they are: those whose tag is the token
// of one of its requests. In the order in which they were made, without those that are gone.
// Errors: those of the read.
[[nodiscard]] Result<std::vector<volume::VolumeFacts>> made_volumes(const volume::Change& change);

// Makes what is to be made, attaches and mounts it all; what an interrupted run of the same
// operation made already is taken. Errors: those of create_volume and place; what was done stays,
// and the error says so.
[[nodiscard]] Result<std::vector<Provisioned>> provision(const volume::Change& change,
                                                         const volume::InstanceFacts& instance,
                                                         const DataVolumeSpec& spec);

}  // namespace runctl::fleet
