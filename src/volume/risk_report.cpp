#include "volume/risk_report.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "volume/machine.hpp"
#include "volume/prices.hpp"

namespace runctl::volume {
namespace {

// A snapshot that is older than a day misses a day of training.
constexpr std::chrono::hours fresh{24};
// Looking at all processes of a busy machine takes seconds.
constexpr std::chrono::seconds machine_patience{30};
// AWS attaches within seconds; longer than this it does not end by itself (attach-protocol a.6).
constexpr std::chrono::seconds stuck{90};

std::optional<Timestamp> newest_copy(const RiskFacts& facts) {
  std::optional<Timestamp> newest;
  for (const SnapshotFacts& snapshot : facts.snapshots) {
    if (snapshot.state != SnapshotState::completed || !snapshot.started) continue;
    if (!newest || *snapshot.started > *newest) newest = snapshot.started;
  }
  return newest;
}

std::string snapshot_command(const VolumeFacts& volume) {
  return fmt::format("runctl aws ebs snapshot {} --wait", volume.id);
}

std::optional<Risk> lost_hardware(const RiskFacts& facts) {
  if (facts.volume.state != VolumeState::error) return std::nullopt;
  return Risk{.id = "error-state",
              .scenario = "It is in the state 'error'",
              .effect = "AWS lost the hardware behind it, and with it what it held",
              .level = RiskLevel::critical,
              .way_out = newest_copy(facts) ? "restore its newest snapshot: runctl aws ebs "
                                              "snapshots --volume " +
                                                  facts.volume.id.str()
                                            : "there is no snapshot to restore"};
}

bool is_mounted(const node::DeviceFacts& device, bool read_only) {
  return std::ranges::any_of(
      device.mounts, [&](const node::MountFacts& mount) { return mount.read_only == read_only; });
}

// Machines that have it mounted so.
std::vector<std::string> mounted_on(const RiskFacts& facts, bool read_only) {
  std::vector<std::string> machines;
  for (const InsideFacts& inside : facts.inside) {
    if (inside.device && is_mounted(*inside.device, read_only)) {
      machines.push_back(inside.instance.str());
    }
  }
  return machines;
}

// The worst that a machine can say: somebody writes what others rely on.
std::optional<Risk> written_behind_others(const RiskFacts& facts) {
  const auto writers = mounted_on(facts, false);
  if (writers.empty()) return std::nullopt;
  const std::string names = join(writers, ", ");
  if (mode_of(facts.volume) == VolumeMode::sealed) {
    return Risk{.id = "sealed-written",
                .scenario = fmt::format("It is sealed, and {} has it mounted read-write", names),
                .effect =
                    "readers see a filesystem that changes under them, and its manifest no "
                    "longer holds",
                .level = RiskLevel::critical,
                .way_out = fmt::format("runctl aws ebs unmount {} --instance {}, then verify it",
                                       facts.volume.id, writers.front())};
  }
  const auto readers = mounted_on(facts, true);
  if (writers.size() + readers.size() < 2) return std::nullopt;
  return Risk{
      .id = "shared-now",
      .scenario = fmt::format("{} has it mounted read-write beside {} other", names,
                              writers.size() + readers.size() - 1),
      .effect = writers.size() > 1 ? "each writes from its own memory: the filesystem is "
                                     "being destroyed now"
                                   : "the readers see nonsense, and a read-only mount can "
                                     "write too",
      .level = RiskLevel::critical,
      .way_out = fmt::format("stop the writers, then: runctl aws ebs detach {} --instance {}",
                             facts.volume.id, writers.front())};
}

std::optional<Risk> read_only_that_writes(const RiskFacts& facts) {
  for (const InsideFacts& inside : facts.inside) {
    if (!inside.device || inside.device->read_only) continue;
    if (!is_mounted(*inside.device, true) || is_mounted(*inside.device, false)) continue;
    return Risk{.id = "read-only-mount",
                .scenario = fmt::format("{} has it mounted read-only, and its device is not",
                                        inside.instance),
                .effect = "such a mount can write: a journal is replayed, and it can be remounted",
                .level = facts.volume.multi_attach ? RiskLevel::high : RiskLevel::low,
                .way_out = fmt::format("runctl aws ebs unmount {}, then mount it with --read-only",
                                       facts.volume.id)};
  }
  return std::nullopt;
}

std::optional<Risk> silent_machine(const RiskFacts& facts) {
  for (const InsideFacts& inside : facts.inside) {
    if (inside.device || inside.why_not.empty()) continue;
    return Risk{.id = "silent-machine",
                .scenario = fmt::format("{} cannot be asked: {}", inside.instance, inside.why_not),
                .effect = "what it has mounted and not yet written is not known",
                .level = RiskLevel::medium,
                .way_out = fmt::format("runctl aws ebs snapshot {}   # keeps what has reached it",
                                       facts.volume.id)};
  }
  return std::nullopt;
}

std::optional<Risk> pulled_by_force(const RiskFacts& facts) {
  if (!facts.volume.tags.contains(tag::needs_check)) return std::nullopt;
  return Risk{
      .id = "needs-check",
      .scenario = "It was pulled off a machine by force, and not checked since",
      .effect = "what that machine had not written back is lost; its filesystem may be broken",
      .level = RiskLevel::high,
      .way_out = "its next mount to write checks it (runctl aws ebs mount)"};
}

std::optional<Risk> second_machine(const RiskFacts& facts) {
  const VolumeFacts& volume = facts.volume;
  Risk risk{.id = "second-machine", .scenario = "Another machine attaches it"};
  if (!volume.multi_attach) {
    risk.effect = volume.attachments.empty()
                      ? "one gets it, and EC2 refuses every other"
                      : fmt::format("EC2 refuses: {} has it, and it has no Multi-Attach",
                                    volume.attachments.front().instance);
    return risk;
  }
  switch (mode_of(volume)) {
    case VolumeMode::sealed:
      risk.effect = "it reads: a sealed volume is read-only at every machine's device";
      risk.level = RiskLevel::low;
      risk.way_out = "attach it with runctl only: other tools attach it read-write";
      return risk;
    case VolumeMode::cluster:
      risk.effect = "both can write: only a cluster filesystem survives that";
      risk.level = RiskLevel::medium;
      return risk;
    case VolumeMode::exclusive:
      break;
  }
  const bool shared = volume.attachments.size() > 1;
  risk.effect = shared ? fmt::format(
                             "{} machines have it now, each can write, and ext4 and XFS do "
                             "not survive two writers; a mount with `ro` writes too",
                             volume.attachments.size())
                       : "EC2 allows it (Multi-Attach), both can write, and ext4 and XFS do not "
                         "survive that; runctl refuses, other tools do not";
  risk.level = shared ? RiskLevel::critical : RiskLevel::high;
  risk.way_out = shared ? "stop the writers and detach all machines but one (runctl aws ebs detach "
                          "VOLUME --instance INSTANCE)"
                        : fmt::format(
                              "seal it once it is filled (runctl aws ebs seal {}), or "
                              "compare: runctl aws ebs advise",
                              volume.id);
  return risk;
}

std::optional<Risk> terminated_machine(const RiskFacts& facts) {
  const VolumeFacts& volume = facts.volume;
  for (const AttachmentFacts& attachment : volume.attachments) {
    const bool root = std::ranges::any_of(facts.holders, [&](const InstanceFacts& holder) {
      return holder.id == attachment.instance && holder.root_device == attachment.device;
    });
    if (!attachment.delete_on_termination || root) continue;
    return Risk{.id = "terminate",
                .scenario = fmt::format("Instance {} is terminated", attachment.instance),
                .effect = "the volume is deleted with it (delete-on-termination is set)",
                .level = newest_copy(facts) ? RiskLevel::high : RiskLevel::critical,
                .way_out = fmt::format(
                    "runctl aws ebs detach {}   # attached again later, it stays", volume.id)};
  }
  if (volume.attachments.empty()) return std::nullopt;
  return Risk{.id = "terminate",
              .scenario = "Its machine is terminated",
              .effect = "the volume stays; what the machine had not yet written is lost",
              .level = RiskLevel::low,
              .way_out = "runctl aws terminate unmounts first; other tools do not"};
}

std::optional<Risk> pulled_while_mounted(const RiskFacts& facts) {
  for (const AttachmentFacts& attachment : facts.volume.attachments) {
    if (attachment.state == AttachmentState::busy) {
      return Risk{.id = "detach",
                  .scenario = "It is being detached, and its machine holds it ('busy')",
                  .effect = "it stays so until the machine lets go; forced, data is lost",
                  .level = RiskLevel::high,
                  .way_out = fmt::format("runctl aws ebs detach {}   # names what uses it",
                                         facts.volume.id)};
    }
  }
  if (facts.volume.attachments.empty()) return std::nullopt;
  if (!facts.inside.empty() && std::ranges::all_of(facts.inside, [](const InsideFacts& inside) {
        return inside.device && inside.device->mounts.empty();
      })) {
    return Risk{.id = "detach",
                .scenario = "It is detached",
                .effect = "no machine has it mounted: nothing is lost"};
  }
  return Risk{
      .id = "detach",
      .scenario = "It is detached while it is mounted",
      .effect = "the detach hangs ('busy'); forced, the filesystem needs repair",
      .level = RiskLevel::medium,
      .way_out = fmt::format("runctl aws ebs detach {}   # unmounts first", facts.volume.id)};
}

std::optional<Risk> stuck_attachment(const RiskFacts& facts) {
  for (const AttachmentFacts& attachment : facts.volume.attachments) {
    const bool long_ago = attachment.since && facts.now - *attachment.since > stuck;
    if (attachment.state != AttachmentState::attaching || !long_ago) continue;
    return Risk{.id = "stuck-attaching",
                .scenario = fmt::format("It has been 'attaching' to {} for {}", attachment.instance,
                                        duration_in_words(facts.now - *attachment.since)),
                .effect = "it does not become usable by waiting",
                .level = RiskLevel::high,
                .way_out = fmt::format("runctl aws ebs detach {}   # then attach it again",
                                       facts.volume.id)};
  }
  return std::nullopt;
}

std::optional<Risk> deleted(const RiskFacts& facts) {
  const VolumeFacts& volume = facts.volume;
  Risk risk{.id = "delete", .scenario = "Somebody deletes it"};
  if (!volume.attachments.empty()) {
    risk.effect = "EC2 refuses while it is attached";
    return risk;
  }
  const bool is_protected = volume.tags.contains(tag::is_protected);
  const bool copied = newest_copy(facts).has_value();
  risk.effect = is_protected ? "runctl refuses (protected); other tools delete it"
                : copied     ? "what was written since its newest snapshot is gone"
                             : "everything is gone: it has no completed snapshot";
  risk.level = copied ? RiskLevel::low : is_protected ? RiskLevel::medium : RiskLevel::high;
  risk.way_out = copied && is_protected ? ""
                 : is_protected         ? snapshot_command(volume)
                                        : fmt::format("runctl aws ebs protect {}", volume.id);
  return risk;
}

std::optional<Risk> failing_disk(const RiskFacts& facts) {
  const VolumeFacts& volume = facts.volume;
  // Source: docs, "Amazon EBS volume types": durability.
  const bool is_io2 = volume.type == "io2";
  Risk risk{.id = "disk-failure",
            .scenario = fmt::format("Its disk fails (about {} % of such volumes a year)",
                                    is_io2 ? "0.001" : "0.1 to 0.2"),
            .way_out = snapshot_command(volume)};
  const auto newest = newest_copy(facts);
  if (!newest) {
    risk.effect = "everything is gone: it has no completed snapshot";
    risk.level = is_io2 ? RiskLevel::medium : RiskLevel::high;
    return risk;
  }
  const auto age = facts.now - *newest;
  risk.effect = fmt::format("what was written since its newest snapshot, {} ago, is gone",
                            duration_in_words(age));
  const bool is_written = !volume.attachments.empty();
  risk.level = is_written && age > fresh ? RiskLevel::medium : RiskLevel::low;
  if (risk.level == RiskLevel::low) risk.way_out.clear();
  return risk;
}

std::optional<Risk> forgotten(const RiskFacts& facts) {
  const VolumeFacts& volume = facts.volume;
  if (!volume.attachments.empty()) return std::nullopt;
  const auto price = volume_per_month({.type = volume.type,
                                       .size = volume.size,
                                       .iops = volume.iops,
                                       .throughput = volume.throughput});
  return Risk{.id = "unused",
              .scenario = "Nobody uses it",
              .effect = price ? fmt::format("it goes on costing about {} a month", dollars(*price))
                              : "it goes on costing",
              .level = RiskLevel::low,
              .way_out = "keep it as a snapshot, which costs less, and delete it"};
}

std::optional<Risk> lazy_blocks(const RiskFacts& facts) {
  if (!facts.volume.source) return std::nullopt;
  return Risk{
      .id = "lazy-load",
      .scenario = "Training reads it for the first time",
      .effect = fmt::format("slow: blocks come from snapshot {} as they are read first",
                            *facts.volume.source),
      .level = RiskLevel::low,
      .way_out = fmt::format("runctl aws ebs warm {}   # once it is attached", facts.volume.id)};
}

std::optional<Risk> other_zone(const RiskFacts& facts) {
  return Risk{.id = "other-zone",
              .scenario = fmt::format("A machine outside {} needs it", facts.volume.zone),
              .effect = "it cannot have it: a volume lives in one zone",
              .level = RiskLevel::low,
              .way_out = "a snapshot restores into every zone of the region"};
}

constexpr std::array scenarios{lost_hardware,         written_behind_others,
                               pulled_by_force,       silent_machine,
                               read_only_that_writes, second_machine,
                               terminated_machine,    stuck_attachment,
                               pulled_while_mounted,  deleted,
                               failing_disk,          forgotten,
                               lazy_blocks,           other_zone};

}  // namespace

std::string_view name_of(RiskLevel level) {
  switch (level) {
    case RiskLevel::none:
      return "none";
    case RiskLevel::low:
      return "low";
    case RiskLevel::medium:
      return "medium";
    case RiskLevel::high:
      return "high";
    case RiskLevel::critical:
      return "critical";
  }
  std::unreachable();
}

std::vector<InsideFacts> ask_machines(const Session& session, const VolumeFacts& volume,
                                      const std::vector<InstanceFacts>& holders) {
  std::vector<InsideFacts> all;
  for (const InstanceFacts& holder : holders) {
    if (holder.state != InstanceState::running) continue;
    InsideFacts inside{.instance = holder.id};
    session.progress(fmt::format("asking {}", holder.id));
    const auto online = session.shell.is_reachable(holder.id, session.stop);
    if (!online || !*online) {
      inside.why_not = online ? "its SSM agent does not answer" : online.error().message;
      all.push_back(std::move(inside));
      continue;
    }
    const auto facts = node::inspect(machine_of(session, holder.id, machine_patience));
    if (!facts) {
      inside.why_not = facts.error().message;
    } else if (const auto* device = node::find_volume(*facts, volume.id)) {
      inside.device = *device;
    }
    all.push_back(std::move(inside));
  }
  return all;
}

std::vector<Risk> risk_report(const RiskFacts& facts) {
  std::vector<Risk> risks;
  for (const auto scenario : scenarios) {
    auto risk = scenario(facts);
    if (!risk) continue;
    const auto place =
        std::ranges::upper_bound(risks, risk->level, std::ranges::greater{}, &Risk::level);
    risks.insert(place, *std::move(risk));
  }
  return risks;
}

}  // namespace runctl::volume
