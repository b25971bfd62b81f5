// Making volumes: empty ones, and from snapshots.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "volume/change.hpp"
#include "volume/facts.hpp"

namespace runctl::volume {

struct VolumeSpec {
  GiB size;
  std::string type = "gp3";
  std::string zone = {};
  std::optional<std::int64_t> iops = {};
  std::optional<std::int64_t> throughput = {};  // MiB/s
  bool multi_attach = false;
  bool encrypted = false;
  std::string kms_key = {};  // only with `encrypted`; empty: the account's default key
  // MiB/s at which AWS loads the blocks of `source`, for a fee; nothing: as they are read.
  std::optional<std::int64_t> initialization_rate = {};
  std::optional<SnapshotFacts> source = {};
  Tags tags = {};  // those that the user asked for, Name among them
};

// What stands against making it, before AWS is asked: size, IOPS and throughput beyond what the
// type has, Multi-Attach on a type that has none, a size below the snapshot's, a snapshot that is
// not complete. Source of the limits: docs, "Amazon EBS volume types" (ebs-facts 5).
[[nodiscard]] std::optional<Error> check_spec(const VolumeSpec& spec);

// What io1 and io2, which EC2 makes only with a number of IOPS, get when none was asked for: 3,000,
// as gp3 has them without asking, or what their size allows. Nothing for other types.
[[nodiscard]] std::optional<std::int64_t> default_iops(std::string_view type, GiB size);

// Creates it under a client token, so that a lost reply makes nothing twice, with its tags in the
// same call, so that a crash leaves no volume that nobody can find. A volume without a source is
// tagged as created empty: that is what allows it to be formatted later. Errors: EC2's own;
// internal when the new volume ends in the state `error` (KMS keys are checked late).
[[nodiscard]] Result<VolumeFacts> create_volume(const Change& change, const VolumeSpec& spec);

// Waits until it is `available`. Errors: internal when it ends in `error` or vanishes;
// deadline_exceeded.
[[nodiscard]] Result<VolumeFacts> wait_until_available(const Session& session, const VolumeId& id);

// The first zone of the region that takes resources.
[[nodiscard]] Result<std::string> default_zone(const Session& session);

}  // namespace runctl::volume
