// What is known of volumes, snapshots and machines, read from EC2 and held as plain values. Past
// this point an id is valid and a state is one of the documented ones.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/ec2/instance.hpp"
#include "aws/ec2/snapshot.hpp"
#include "aws/ec2/volume.hpp"
#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "base/time_text.hpp"
#include "base/units.hpp"

namespace runctl::volume {

// Source of the states: EC2's service model, VolumeState, VolumeAttachmentState, SnapshotState,
// InstanceStateName.
enum class VolumeState : std::uint8_t { creating, available, in_use, deleting, deleted, error };
enum class AttachmentState : std::uint8_t { attaching, attached, detaching, detached, busy };
enum class SnapshotState : std::uint8_t { pending, completed, error, recoverable, recovering };
enum class InstanceState : std::uint8_t {
  pending,
  running,
  shutting_down,
  terminated,
  stopping,
  stopped
};

[[nodiscard]] std::string_view name_of(VolumeState state);
[[nodiscard]] std::string_view name_of(AttachmentState state);
[[nodiscard]] std::string_view name_of(SnapshotState state);
[[nodiscard]] std::string_view name_of(InstanceState state);

using Tags = std::map<std::string, std::string, std::less<>>;

// Tags that runctl sets and trusts. EC2 tags have no compare-and-set, so none of them is a lock.
namespace tag {
inline constexpr std::string_view name = "Name";
inline constexpr std::string_view mode = "runctl:mode";  // exclusive | sealed | cluster
inline constexpr std::string_view is_protected = "runctl:protected";  // any value: never delete
// On a volume that runctl created without a snapshot: the UUID that its first filesystem will have.
inline constexpr std::string_view created_empty = "runctl:created-empty";
inline constexpr std::string_view operation = "runctl:operation";  // the one that made the resource
// On a volume that was pulled off a machine by force: a check comes before the next mount.
inline constexpr std::string_view needs_check = "runctl:needs-check";
inline constexpr std::string_view consistency = "runctl:consistency";  // of a snapshot
// SHA-256 of the manifest that was written when the volume was sealed; snapshots of it, and volumes
// made from those, carry it on.
inline constexpr std::string_view manifest = "runctl:manifest";
// The filesystem that a volume is to get at its first mount.
inline constexpr std::string_view filesystem = "runctl:filesystem";
}  // namespace tag

enum class VolumeMode : std::uint8_t { exclusive, sealed, cluster };

struct AttachmentFacts {
  InstanceId instance;
  std::string device;
  AttachmentState state = AttachmentState::attaching;
  std::optional<Timestamp> since = {};
  bool delete_on_termination = false;
  bool operator==(const AttachmentFacts&) const = default;
};

struct VolumeFacts {
  VolumeId id;
  GiB size = {};
  std::string type = {};
  std::string zone = {};
  VolumeState state = VolumeState::creating;
  std::optional<SnapshotId> source = {};       // the snapshot that it was made from
  std::optional<VolumeId> source_volume = {};  // the volume that it is a copy of (CopyVolumes)
  std::vector<AttachmentFacts> attachments = {};
  bool multi_attach = false;
  bool managed = false;  // another AWS service owns it
  bool encrypted = false;
  std::optional<std::int64_t> iops = {};
  std::optional<std::int64_t> throughput = {};  // MiB/s
  std::optional<Timestamp> created = {};
  Tags tags = {};
  bool operator==(const VolumeFacts&) const = default;
};

struct SnapshotFacts {
  SnapshotId id;
  std::optional<VolumeId> volume = {};
  GiB volume_size;
  SnapshotState state = SnapshotState::pending;
  std::string progress = {};  // "42%"
  std::string description = {};
  std::string state_message = {};
  std::optional<Timestamp> started = {};
  Tags tags = {};
};

struct DeviceMapping {
  std::string device;
  VolumeId volume;
  bool delete_on_termination = false;
};

struct InstanceFacts {
  InstanceId id;
  InstanceState state = InstanceState::pending;
  std::string type = {};
  std::string zone = {};
  std::string private_address = {};
  std::string public_address = {};
  std::string root_device = {};
  std::string lifecycle = {};     // "spot", or empty for on-demand
  std::string spot_request = {};  // "sir-…"
  std::string reason_code = {};   // why it went down: "Server.SpotInstanceTermination"
  std::string reason = {};        // the same in EC2's words
  std::vector<DeviceMapping> devices = {};
  std::optional<Timestamp> launched = {};
  Tags tags = {};
};

// What EC2 says of an instance's type; nothing where it is silent.
struct InstanceTypeFacts {
  std::optional<unsigned> attachment_limit = {};  // volumes in all, the root volume among them
  std::optional<bool> nitro = {};                 // Multi-Attach needs it (ebs-facts 8)
  std::optional<bool> takes_encrypted = {};
};

// Errors: corrupt when EC2 says something that its own model does not allow.
[[nodiscard]] Result<VolumeFacts> to_facts(const aws::ec2::Volume& volume);
[[nodiscard]] Result<SnapshotFacts> to_facts(const aws::ec2::Snapshot& snapshot);
[[nodiscard]] Result<InstanceFacts> to_facts(const aws::ec2::Instance& instance);

// The value of a tag, or "".
[[nodiscard]] std::string tag_value(const Tags& tags, std::string_view key);

// An unknown value counts as sealed: of all modes it allows the least.
[[nodiscard]] VolumeMode mode_of(const VolumeFacts& volume);

// Whether several machines may have it at once: sealed, so that all of them read, and with
// Multi-Attach on.
[[nodiscard]] bool is_shared(const VolumeFacts& volume);

// Whether its content came from another volume, by a snapshot or a copy.
[[nodiscard]] bool is_copy(const VolumeFacts& volume);

// The attachment to that instance, or null. Borrowed from `volume`.
[[nodiscard]] const AttachmentFacts* attachment_to(const VolumeFacts& volume,
                                                   const InstanceId& instance);

// "vol-… (datasets)" when it has a Name, else the id.
[[nodiscard]] std::string label_of(const VolumeFacts& volume);
[[nodiscard]] std::string label_of(const InstanceFacts& instance);

}  // namespace runctl::volume
