#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "emulator/ec2/modification_steps.hpp"
#include "emulator/ec2/spot_steps.hpp"
#include "emulator/ec2/state.hpp"
#include "emulator/ssm/actions.hpp"

namespace runctl::emulator::ec2 {
namespace {

using std::chrono::milliseconds;

// Terminated instances stay visible "for about an hour".
// Source: EC2 User Guide, "Terminate Amazon EC2 instances".
constexpr std::chrono::hours terminated_visible{1};
// After a failure of the hardware that repeating may cure.
constexpr milliseconds hardware_retry{1'000};

// Whether its devices are the hardware's: also of one that does not answer, or a volume could never
// be taken from it.
bool is_plugged_in(const State& state, const InstanceId& id) {
  const Instance* const instance = state.instances.find(id);
  return instance != nullptr && instance->state == InstanceState::running &&
         (instance->booted || instance->silent);
}

// Whether the hardware can plug and unplug there, or there is nothing to plug into.
bool takes_devices(const State& state, const InstanceId& id) {
  const Instance* const instance = state.instances.find(id);
  if (instance == nullptr) return true;
  if (instance->state == InstanceState::stopped) return true;
  return is_plugged_in(state, id);
}

std::optional<Timestamp> due_of(const State& state, const Attachment& attachment) {
  if (attachment.is_root || attachment.ordered || attachment.state == AttachmentState::attached ||
      !takes_devices(state, attachment.instance)) {
    return std::nullopt;
  }
  return attachment.due;
}

void keep_earlier(std::optional<Timestamp>& least, const std::optional<Timestamp>& due) {
  if (due && (!least || *due < *least)) least = due;
}

std::optional<Timestamp> due_of(const State& state, const Volume& volume) {
  switch (volume.state) {
    case VolumeState::creating:
      return volume.has_disk ? std::optional{volume.due} : std::nullopt;
    case VolumeState::deleting:
      return volume.ordered ? std::nullopt : std::optional{volume.due};
    case VolumeState::in_use: {
      if (volume.attachments.empty()) return volume.due;
      std::optional<Timestamp> least;
      for (const Attachment& a : volume.attachments) keep_earlier(least, due_of(state, a));
      return least;
    }
    case VolumeState::available:
    case VolumeState::error:
      return std::nullopt;
  }
  std::unreachable();
}

std::optional<Timestamp> due_of(const Snapshot& snapshot) {
  const bool goes_on = snapshot.state == SnapshotState::pending && snapshot.captured;
  return goes_on ? std::optional{snapshot.due} : std::nullopt;
}

std::optional<Timestamp> due_of(const Instance& instance) {
  switch (instance.state) {
    case InstanceState::pending:
      return instance.booted ? std::optional{instance.due} : std::nullopt;
    case InstanceState::stopping:
    case InstanceState::shutting_down:
      return instance.ordered ? std::nullopt : std::optional{instance.due};
    case InstanceState::terminated:
      return instance.due;
    case InstanceState::running:
      return instance.interruption;
    case InstanceState::stopped:
      return std::nullopt;
  }
  std::unreachable();
}

// Ids of the records with a step to take: the steps change the table.
template <class Id, class Record, class DueOf>
std::vector<Id> due_ids(const Table<Id, Record>& table, Timestamp now, const DueOf& due) {
  std::vector<Id> ids;
  for (const auto& [id, record] : table.all()) {
    if (const auto at = due(record); at && *at <= now) ids.push_back(id);
  }
  return ids;
}

void take_out(Turn& turn, Volume& volume, const Attachment& attachment) {
  std::erase_if(volume.attachments, [&](const Attachment& a) { return a == attachment; });
  if (volume.attachments.empty()) volume.due = turn.after(turn.pace.release);
}

void step_attachment(Turn& turn, const VolumeId& id, std::size_t index) {
  Volume& volume = turn.state.volumes.edit(id);
  Attachment& attachment = volume.attachments[index];
  if (is_plugged_in(turn.state, attachment.instance)) {
    attachment.ordered = true;
    if (attachment.state == AttachmentState::attaching) {
      turn.orders.emplace_back(Plug{id, attachment.instance, attachment.attempt});
    } else {
      turn.orders.emplace_back(Unplug{id, attachment.instance, attachment.attempt});
    }
  } else if (attachment.state == AttachmentState::attaching) {
    attachment.state = AttachmentState::attached;  // the machine finds it at its next start
  } else {
    take_out(turn, volume, Attachment{attachment});
  }
}

void step_volume(Turn& turn, const VolumeId& id) {
  const Volume& seen = *turn.state.volumes.find(id);
  if (seen.state == VolumeState::deleting) {
    if (!seen.has_disk) {
      turn.state.volumes.erase(id);
      return;
    }
    turn.state.volumes.edit(id).ordered = true;
    turn.orders.emplace_back(RemoveDisk{id});
  } else if (seen.attachments.empty()) {  // created, or released by the last instance
    turn.state.volumes.edit(id).state = VolumeState::available;
  } else {
    // From the end, since a step may take its entry out.
    for (std::size_t i = seen.attachments.size(); i-- > 0;) {
      const auto due = due_of(turn.state, seen.attachments[i]);
      if (due && *due <= turn.now) step_attachment(turn, id, i);
    }
  }
}

void step_instance(Turn& turn, const InstanceId& id) {
  if (turn.state.instances.find(id)->state == InstanceState::terminated) {
    turn.state.instances.erase(id);
    return;
  }
  if (turn.state.instances.find(id)->state == InstanceState::running) {
    interrupt(turn, id);
    return;
  }
  Instance& instance = turn.state.instances.edit(id);
  if (instance.state == InstanceState::pending) {
    instance.state = InstanceState::running;
    return;
  }
  const bool ends = instance.state == InstanceState::shutting_down;
  instance.ordered = true;
  turn.orders.emplace_back(Halt{id, ends ? Machines::Files::forget : Machines::Files::keep});
}

void end_instance(Turn& turn, const InstanceId& id) {
  Instance& instance = turn.state.instances.edit(id);
  instance.state = InstanceState::terminated;
  instance.booted = false;
  instance.ordered = false;
  instance.due = turn.now + terminated_visible;
  release_volumes(turn, id);
  follow_instance(turn, id);
}

// --- reports ---

// The attachment that a report is about, unless it has gone since.
std::optional<std::size_t> find_attempt(const Volume* volume, std::uint64_t attempt) {
  if (volume == nullptr) return std::nullopt;
  for (std::size_t i = 0; i < volume->attachments.size(); ++i) {
    if (volume->attachments[i].attempt == attempt) return i;
  }
  return std::nullopt;
}

void on_report(Turn& turn, const CreateDisk& order, const Report& report) {
  if (turn.state.volumes.find(order.volume) == nullptr) return;
  Volume& volume = turn.state.volumes.edit(order.volume);
  if (report.error) {
    volume.state = VolumeState::error;
  } else {
    volume.has_disk = true;
  }
}

void on_report(Turn& turn, const ResizeDisk& order, const Report& report) {
  on_resized(turn, order.volume, report);
}

void on_report(Turn& turn, const RemoveDisk& order, const Report& report) {
  if (!report.error) {
    turn.state.volumes.erase(order.volume);
  } else if (turn.state.volumes.find(order.volume) != nullptr) {
    Volume& volume = turn.state.volumes.edit(order.volume);
    volume.ordered = false;
    volume.due = turn.now + hardware_retry;
  }
}

void on_report(Turn& turn, const Capture& order, const Report& report) {
  if (turn.state.snapshots.find(order.snapshot) == nullptr) return;
  Snapshot& snapshot = turn.state.snapshots.edit(order.snapshot);
  if (report.error) {
    snapshot.state = SnapshotState::error;
    snapshot.message = report.error->message;
  } else {
    snapshot.captured = true;
  }
}

void on_report(Turn&, const RemoveCapture&, const Report&) {}

// An attachment whose device cannot appear stays `attaching`, as the stuck ones of EC2 do:
// detaching it is the way out.
void on_report(Turn& turn, const Plug& order, const Report& report) {
  const auto at = find_attempt(turn.state.volumes.find(order.volume), order.attempt);
  if (!at || report.error) return;
  const Attachment& seen = turn.state.volumes.find(order.volume)->attachments[*at];
  if (seen.state != AttachmentState::attaching) return;
  Attachment& attachment = turn.state.volumes.edit(order.volume).attachments[*at];
  attachment.state = AttachmentState::attached;
  attachment.ordered = false;
}

void on_report(Turn& turn, const Unplug& order, const Report& report) {
  const auto at = find_attempt(turn.state.volumes.find(order.volume), order.attempt);
  if (!at) return;
  Volume& volume = turn.state.volumes.edit(order.volume);
  Attachment& attachment = volume.attachments[*at];
  if (!report.error && report.unplugged == Unplugged::done) {
    take_out(turn, volume, Attachment{attachment});
    return;
  }
  attachment.state = AttachmentState::busy;
  attachment.ordered = false;
  attachment.due = turn.now + (report.error ? hardware_retry : turn.pace.busy_retry);
}

// Its agent answers, and what is attached to it appears.
void is_up(Turn& turn, const InstanceId& instance) {
  turn.state.instances.edit(instance).booted = true;
  turn.state.instances.edit(instance).silent = false;
  std::vector<std::pair<VolumeId, std::size_t>> held;
  for (const auto& [id, volume] : turn.state.volumes.all()) {
    for (std::size_t i = 0; i < volume.attachments.size(); ++i) {
      if (volume.attachments[i].instance == instance) held.emplace_back(id, i);
    }
  }
  for (const auto& [id, index] : held) {
    Attachment& attachment = turn.state.volumes.edit(id).attachments[index];
    if (attachment.is_root) {
      attachment.state = AttachmentState::attached;
    } else if (attachment.state == AttachmentState::attached) {
      turn.orders.emplace_back(Plug{id, instance, attachment.attempt});
    }
  }
}

void on_report(Turn& turn, const Boot& order, const Report& report) {
  const Instance* const seen = turn.state.instances.find(order.instance);
  if (seen == nullptr ||
      (seen->state != InstanceState::pending && seen->state != InstanceState::running)) {
    return;
  }
  if (report.error) {
    if (seen->state == InstanceState::running) {  // after a restart of the emulator
      turn.state.instances.edit(order.instance).silent = true;
      return;
    }
    Instance& instance = turn.state.instances.edit(order.instance);
    instance.reason_code = "Server.InternalError";
    instance.reason_message = "Server.InternalError: Internal error on launch";
    end_instance(turn, order.instance);
    return;
  }
  is_up(turn, order.instance);
}

// One that could not be rebooted stays silent, as an instance whose system does not come up.
void on_report(Turn& turn, const Reboot& order, const Report& report) {
  const Instance* const seen = turn.state.instances.find(order.instance);
  if (seen == nullptr || seen->state != InstanceState::running) return;
  Instance& instance = turn.state.instances.edit(order.instance);
  instance.ordered = false;
  instance.silent = report.error.has_value();
  if (!report.error) is_up(turn, order.instance);
}

// What the hardware had in hand for the instance's volumes died with it, and is to be done anew.
void stop_instance(Turn& turn, const InstanceId& id) {
  Instance& instance = turn.state.instances.edit(id);
  instance.state = InstanceState::stopped;
  instance.booted = false;
  instance.silent = false;
  instance.ordered = false;
  instance.interruption.reset();
  for (const auto& [volume_id, volume] : turn.state.volumes.all()) {
    for (std::size_t i = 0; i < volume.attachments.size(); ++i) {
      if (volume.attachments[i].instance != id || !volume.attachments[i].ordered) continue;
      turn.state.volumes.edit(volume_id).attachments[i].ordered = false;
    }
  }
}

void on_report(Turn& turn, const CutPower& order, const Report& report) {
  const Instance* const seen = turn.state.instances.find(order.instance);
  if (seen == nullptr || seen->state != InstanceState::running) return;
  if (report.error) {  // it runs on
    Instance& instance = turn.state.instances.edit(order.instance);
    instance.ordered = false;
    instance.booted = true;
    return;
  }
  stop_instance(turn, order.instance);
  Instance& instance = turn.state.instances.edit(order.instance);
  instance.reason = fmt::format("Server.InternalError ({})", iso8601(turn.now));
  instance.reason_code = "Server.InternalError";
  instance.reason_message = "Server.InternalError: The machine lost its power";
}

void on_report(Turn& turn, const Halt& order, const Report& report) {
  const Instance* const seen = turn.state.instances.find(order.instance);
  if (seen == nullptr) return;
  const bool ends = seen->state == InstanceState::shutting_down;
  // One that was told to end while it stopped has been told to halt again, for good.
  if (ends != (order.files == Machines::Files::forget)) return;
  if (report.error) {
    Instance& instance = turn.state.instances.edit(order.instance);
    instance.ordered = false;
    instance.due = turn.now + hardware_retry;
  } else if (ends) {
    end_instance(turn, order.instance);
  } else if (seen->state == InstanceState::stopping) {
    stop_instance(turn, order.instance);
  }
}

void on_report(Turn& turn, const RunCommand& order, const Report& report) {
  ssm::conclude(turn, order, report);
}

void on_report(Turn&, const StopCommand&, const Report&) {}

}  // namespace

void advance(Turn& turn) {
  const State& state = turn.state;
  expire_spot_requests(turn);
  const auto instances =
      due_ids(state.instances, turn.now, [](const Instance& i) { return due_of(i); });
  for (const InstanceId& id : instances) step_instance(turn, id);
  const auto volumes =
      due_ids(state.volumes, turn.now, [&](const Volume& v) { return due_of(state, v); });
  for (const VolumeId& id : volumes) step_volume(turn, id);
  const auto modified =
      due_ids(state.volumes, turn.now, [](const Volume& v) { return modification_due(v); });
  for (const VolumeId& id : modified) step_modification(turn, id);
  const auto snapshots =
      due_ids(state.snapshots, turn.now, [](const Snapshot& s) { return due_of(s); });
  for (const SnapshotId& id : snapshots) {
    Snapshot& snapshot = turn.state.snapshots.edit(id);
    snapshot.state = SnapshotState::completed;
    snapshot.completed = turn.now;
  }
}

void report(Turn& turn, const Order& order, const Report& report) {
  std::visit([&](const auto& known) { on_report(turn, known, report); }, order);
}

Result<void> cut_power(Turn& turn, const InstanceId& id) {
  const Instance* const seen = turn.state.instances.find(id);
  if (seen == nullptr) return fail(Errc::not_found, fmt::format("there is no instance {}", id));
  if (seen->state != InstanceState::running || !seen->booted) {
    return fail(Errc::conflict,
                fmt::format("{} is '{}'{}: only what runs can lose its power", id,
                            name_of(seen->state), seen->booted ? "" : " and not up"));
  }
  CutPower order{.instance = id, .volumes = {}};
  for (const auto& [volume_id, volume] : turn.state.volumes.all()) {
    const bool held = std::ranges::any_of(
        volume.attachments, [&](const Attachment& a) { return a.instance == id && !a.is_root; });
    if (held) order.volumes.push_back(volume_id);
  }
  Instance& instance = turn.state.instances.edit(id);
  instance.booted = false;
  instance.ordered = true;
  turn.orders.emplace_back(std::move(order));
  return {};
}

std::optional<Timestamp> next_due(const State& state) {
  std::optional<Timestamp> least;
  for (const auto& [id, volume] : state.volumes.all()) {
    keep_earlier(least, due_of(state, volume));
    keep_earlier(least, modification_due(volume));
  }
  for (const auto& [id, snapshot] : state.snapshots.all()) keep_earlier(least, due_of(snapshot));
  for (const auto& [id, instance] : state.instances.all()) keep_earlier(least, due_of(instance));
  keep_earlier(least, next_spot_expiry(state));
  return least;
}

// A volume that others still hold is not deleted: the last one attached decides.
// Source: ebs-facts, section 8 (DeleteOnTermination) and 13.
void release_volumes(Turn& turn, const InstanceId& instance) {
  std::vector<VolumeId> held;
  for (const auto& [id, volume] : turn.state.volumes.all()) {
    const auto ours = [&](const Attachment& a) { return a.instance == instance; };
    if (std::ranges::any_of(volume.attachments, ours)) held.push_back(id);
  }
  for (const VolumeId& id : held) {
    Volume& volume = turn.state.volumes.edit(id);
    const auto at = std::ranges::find(volume.attachments, instance, &Attachment::instance);
    const bool goes = at->delete_on_termination;
    take_out(turn, volume, Attachment{*at});
    if (volume.attachments.empty() && goes) {
      volume.state = VolumeState::deleting;
      volume.due = turn.after(turn.pace.delete_volume);
    }
  }
}

void recover(Turn& turn) {
  State& state = turn.state;
  std::vector<SnapshotId> lost;
  for (const auto& [id, snapshot] : state.snapshots.all()) {
    if (snapshot.state == SnapshotState::pending && !snapshot.captured) lost.push_back(id);
  }
  for (const SnapshotId& id : lost) {
    Snapshot& snapshot = state.snapshots.edit(id);
    snapshot.state = SnapshotState::error;
    snapshot.message = "the emulator ended while the snapshot was taken";
    turn.orders.emplace_back(RemoveCapture{id});
  }
  std::vector<VolumeId> held;
  std::vector<VolumeId> half_copied;
  for (const auto& [id, volume] : state.volumes.all()) {
    if (!volume.attachments.empty()) held.push_back(id);
    if (volume.state != VolumeState::creating || volume.has_disk) continue;
    if (volume.source_volume) {
      half_copied.push_back(id);
    } else {
      turn.orders.emplace_back(CreateDisk{id, volume.size, source_of(volume)});
    }
  }
  // The moment that it was to be a copy of is past.
  for (const VolumeId& id : half_copied) state.volumes.edit(id).state = VolumeState::error;
  for (const VolumeId& id : held) {
    for (Attachment& a : state.volumes.edit(id).attachments) a.attempt = ++state.last_attempt;
  }
  for (const auto& [id, instance] : state.instances.all()) {
    if (instance.state == InstanceState::pending || instance.state == InstanceState::running) {
      turn.orders.emplace_back(Boot{id});
    }
  }
  for (const auto& [id, command] : state.commands.all()) {
    for (const ssm::Invocation& invocation : command.invocations) {
      if (invocation.ended) continue;
      const auto instance = InstanceId::parse(invocation.instance);
      if (!instance) continue;
      const RunCommand ended{.command = id, .instance = *instance, .script = {}};
      report(turn, ended, {.error = Error{.message = "the emulator ended while the command ran"}});
    }
  }
}

}  // namespace runctl::emulator::ec2
