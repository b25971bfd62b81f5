// What one account has in one region, and how it changes with time.
//
// Pure: no clock, no disk and no network here. What the hardware must do comes out as orders, and
// what it did goes in as reports.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/strong_id.hpp"
#include "base/time_text.hpp"
#include "base/units.hpp"
#include "emulator/ec2/modification.hpp"
#include "emulator/ec2/spot.hpp"
#include "emulator/hardware/hardware.hpp"
#include "emulator/pace.hpp"
#include "emulator/place.hpp"
#include "emulator/ssm/state.hpp"
#include "emulator/table.hpp"
#include "io/random.hpp"

namespace runctl::emulator::ec2 {

using Tags = std::map<std::string, std::string>;

enum class VolumeState : std::uint8_t { creating, available, in_use, deleting, error };
enum class AttachmentState : std::uint8_t { attaching, attached, detaching, busy };
enum class SnapshotState : std::uint8_t { pending, completed, error };
enum class InstanceState : std::uint8_t {
  pending,
  running,
  stopping,
  stopped,
  shutting_down,
  terminated
};

// AWS's spelling: "in-use".
[[nodiscard]] std::string_view name_of(VolumeState state);
[[nodiscard]] std::string_view name_of(AttachmentState state);
[[nodiscard]] std::string_view name_of(SnapshotState state);
[[nodiscard]] std::string_view name_of(InstanceState state);

// In every record: `due` is when its next step by time may be taken, and `ordered` that the
// hardware works on that step. What the hardware was asked for dies with the process, so `ordered`
// is not kept on disk.
struct Attachment {
  InstanceId instance;
  std::string device = {};
  AttachmentState state = AttachmentState::attaching;
  Timestamp attached = {};
  Timestamp due = {};
  bool delete_on_termination = false;
  bool is_root = false;
  bool ordered = false;
  // Tells a late report on an earlier attachment to the same instance from one on this.
  std::uint64_t attempt = 0;

  bool operator==(const Attachment&) const = default;
};

struct Volume {
  VolumeId id;
  GiB size = {};
  std::string type = {};
  std::optional<std::int64_t> iops = {};
  std::optional<std::int64_t> throughput = {};
  bool encrypted = false;
  std::string kms_key = {};
  bool multi_attach = false;
  Zone zone = {};
  std::optional<SnapshotId> source = {};
  std::optional<VolumeId> source_volume = {};  // of a copy
  std::optional<std::int64_t> initialization_rate = {};
  Timestamp created = {};
  VolumeState state = VolumeState::creating;
  std::vector<Attachment> attachments = {};
  Tags tags = {};
  std::optional<Timestamp> last_snapshot = {};
  std::optional<Modification> modification = {};  // the newest
  std::vector<Timestamp> modified = {};           // when, the oldest first: AWS counts them
  // Root volumes have none: an instance's root is the hardware's own.
  bool has_disk = false;
  Timestamp due = {};
  bool ordered = false;

  bool operator==(const Volume&) const = default;
};

struct Snapshot {
  SnapshotId id;
  VolumeId volume;
  GiB size = {};
  std::string description = {};
  bool encrypted = false;
  Timestamp started = {};
  SnapshotState state = SnapshotState::pending;
  std::string message = {};  // why it failed
  bool captured = false;
  Tags tags = {};
  Timestamp due = {};
  std::optional<Timestamp> completed = {};

  bool operator==(const Snapshot&) const = default;
};

struct Instance {
  InstanceId id;
  std::string reservation = {};
  std::string image = {};
  std::string type = {};
  std::string key_name = {};
  std::string subnet = {};
  std::string client_token = {};
  std::optional<std::string> instance_profile = {};  // ARN
  Zone zone = {};
  Timestamp launched = {};
  InstanceState state = InstanceState::pending;
  std::string reason = {};       // "User initiated (…)"
  std::string reason_code = {};  // "Client.UserInitiatedShutdown"
  std::string reason_message = {};
  Tags tags = {};
  std::optional<std::string> spot_request = {};  // none: on-demand
  std::optional<Timestamp> interruption = {};    // when EC2 takes the spot instance back
  Timestamp due = {};
  bool booted = false;  // its agent answers; not kept on disk
  bool silent = false;  // it did not come up, and will not by itself; not kept on disk
  bool ordered = false;

  bool operator==(const Instance&) const = default;
};

// A client token, and what was answered to its first use.
struct Token {
  std::string fingerprint = {};  // of the parameters
  std::string answer = {};       // JSON

  bool operator==(const Token&) const = default;
};

// What the volume's disk is made of.
[[nodiscard]] DiskSource source_of(const Volume& volume);

// --- orders to the hardware, and its reports ---

struct CreateDisk {
  VolumeId volume;
  GiB size;
  DiskSource source;
};
struct ResizeDisk {
  VolumeId volume;
  GiB size;
};
struct RemoveDisk {
  VolumeId volume;
};
struct Capture {
  SnapshotId snapshot;
  VolumeId volume;
};
struct RemoveCapture {
  SnapshotId snapshot;
};
struct Plug {
  VolumeId volume;
  InstanceId instance;
  std::uint64_t attempt;
};
struct Unplug {
  VolumeId volume;
  InstanceId instance;
  std::uint64_t attempt;
};
struct Boot {
  InstanceId instance;
};
struct Reboot {
  InstanceId instance;
};
struct CutPower {
  InstanceId instance;
  std::vector<VolumeId> volumes;  // that it has
};
struct Halt {
  InstanceId instance;
  Machines::Files files;
};
struct RunCommand {
  std::string command;
  InstanceId instance;
  MachineCommand script;
  std::chrono::milliseconds delivery{0};  // how long the agent takes to fetch it
};
// Ends the command on that machine, with all that it has started there.
struct StopCommand {
  std::string command;
  InstanceId instance;
};

using Order = std::variant<CreateDisk, ResizeDisk, RemoveDisk, Capture, RemoveCapture, Plug, Unplug,
                           Boot, Reboot, CutPower, Halt, RunCommand, StopCommand>;

// "plug", for the event log.
[[nodiscard]] std::string_view name_of(const Order& order);
// Whether the answer to the request that gave the order must wait for it: the client may write on
// as soon as it has that answer, and what it writes must not be in the copy.
[[nodiscard]] bool precedes_answer(const Order& order);
// The ids that the order is about; orders that share one are carried out one after the other.
[[nodiscard]] std::vector<std::string> ids_of(const Order& order);

struct Report {
  std::optional<Error> error = {};
  Unplugged unplugged = Unplugged::done;
  MachineOutcome outcome = {};
};

// --- the state and its transitions ---

struct State {
  Table<VolumeId, Volume> volumes = {};
  Table<SnapshotId, Snapshot> snapshots = {};
  Table<InstanceId, Instance> instances = {};
  Table<std::string, SpotRequest> spot_requests = {};  // by "sir-…"
  Table<std::string, Token> tokens = {};               // by "RunInstances/TOKEN"
  Table<std::string, ssm::Command> commands = {};
  std::uint64_t last_attempt = 0;
};

// What a fault has done to a machine's agent.
struct Agent {
  bool offline = false;
  std::chrono::milliseconds delivery{0};
};

// Everything that one transition works on. `now` must not go back from one to the next.
struct Turn {
  State& state;
  const Place& place;
  Timestamp now;
  const Pace& pace;
  Random& random;
  std::vector<Order>& orders;    // appended to
  bool stuck_attaching = false;  // a fault: what is attached now never becomes `attached`
  std::function<Agent(const InstanceId&)> agents = {};  // none: all are well

  [[nodiscard]] Timestamp after(std::chrono::milliseconds least) const {
    return now + draw(pace, least, random);
  }
};

// Takes every step that is due. Source of the order of states: ebs-facts, section 1.
void advance(Turn& turn);

// The hardware has done, or could not do, what `order` says.
void report(Turn& turn, const Order& order, const Report& report);

// After a restart: orders again what was under way, and boots what was running.
void recover(Turn& turn);

// The instance loses its power: it ends as `stopped`, without a word to its system, and keeps its
// volumes. Errors: not_found; conflict when it does not run.
[[nodiscard]] Result<void> cut_power(Turn& turn, const InstanceId& id);

// When `advance` will next have something to do; nothing when only requests or reports can change
// anything.
[[nodiscard]] std::optional<Timestamp> next_due(const State& state);

// Takes the instance's attachments away and its root volume with it, as its end does.
void release_volumes(Turn& turn, const InstanceId& instance);

}  // namespace runctl::emulator::ec2
