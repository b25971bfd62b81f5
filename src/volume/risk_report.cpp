#include "volume/risk_report.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "volume/prices.hpp"

namespace runctl::volume {
namespace {

// A snapshot that is older than a day misses a day of training.
constexpr std::chrono::hours fresh{24};
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
                        : "use a volume without Multi-Attach, or compare: runctl aws ebs advise";
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
  return Risk{.id = "lazy-load",
              .scenario = "Training reads it for the first time",
              .effect = fmt::format("slow: blocks come from snapshot {} as they are read first",
                                    *facts.volume.source),
              .level = RiskLevel::low,
              .way_out = "read it once before the run (docs/EBS_OPTIMIZATION.md#warm-up)"};
}

std::optional<Risk> other_zone(const RiskFacts& facts) {
  return Risk{.id = "other-zone",
              .scenario = fmt::format("A machine outside {} needs it", facts.volume.zone),
              .effect = "it cannot have it: a volume lives in one zone",
              .level = RiskLevel::low,
              .way_out = "a snapshot restores into every zone of the region"};
}

constexpr std::array scenarios{
    lost_hardware, second_machine, terminated_machine, stuck_attachment, pulled_while_mounted,
    deleted,       failing_disk,   forgotten,          lazy_blocks,      other_zone};

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
