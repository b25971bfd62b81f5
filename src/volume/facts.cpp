#include "volume/facts.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

namespace runctl::volume {
namespace {

constexpr std::array<std::pair<VolumeState, std::string_view>, 6> volume_states{{
    {VolumeState::creating, "creating"},
    {VolumeState::available, "available"},
    {VolumeState::in_use, "in-use"},
    {VolumeState::deleting, "deleting"},
    {VolumeState::deleted, "deleted"},
    {VolumeState::error, "error"},
}};
constexpr std::array<std::pair<AttachmentState, std::string_view>, 5> attachment_states{{
    {AttachmentState::attaching, "attaching"},
    {AttachmentState::attached, "attached"},
    {AttachmentState::detaching, "detaching"},
    {AttachmentState::detached, "detached"},
    {AttachmentState::busy, "busy"},
}};
constexpr std::array<std::pair<SnapshotState, std::string_view>, 5> snapshot_states{{
    {SnapshotState::pending, "pending"},
    {SnapshotState::completed, "completed"},
    {SnapshotState::error, "error"},
    {SnapshotState::recoverable, "recoverable"},
    {SnapshotState::recovering, "recovering"},
}};
constexpr std::array<std::pair<InstanceState, std::string_view>, 6> instance_states{{
    {InstanceState::pending, "pending"},
    {InstanceState::running, "running"},
    {InstanceState::shutting_down, "shutting-down"},
    {InstanceState::terminated, "terminated"},
    {InstanceState::stopping, "stopping"},
    {InstanceState::stopped, "stopped"},
}};

template <class Table, class State>
std::string_view look_up(const Table& table, State state) {
  for (const auto& [value, name] : table) {
    if (value == state) return name;
  }
  std::unreachable();
}

template <class Table>
auto parse_state(const Table& table, std::string_view text, std::string_view id)
    -> Result<typename Table::value_type::first_type> {
  for (const auto& [value, name] : table) {
    if (name == text) return value;
  }
  return fail(Errc::corrupt,
              fmt::format("EC2 says that {} is '{}', a state that does not exist", id, text));
}

Tags to_tags(const std::vector<aws::ec2::Tag>& wire) {
  Tags tags;
  for (const aws::ec2::Tag& tag : wire) tags[tag.key] = tag.value.value_or("");
  return tags;
}

Result<GiB> to_size(const std::optional<std::int64_t>& size, std::string_view id) {
  // 65,536 GiB is the largest volume there is (gp3, io2).
  if (!size || *size < 0 || *size > 65'536) {
    return fail(Errc::corrupt, fmt::format("EC2 gives {} no size that a volume can have", id));
  }
  return GiB{static_cast<unsigned>(*size)};
}

Result<AttachmentFacts> to_facts(const aws::ec2::VolumeAttachment& wire) {
  RUNCTL_TRY_LET(auto instance, InstanceId::parse(wire.instance_id));
  RUNCTL_TRY_LET(const auto state,
                 parse_state(attachment_states, wire.state, "the attachment of " + wire.volume_id));
  return AttachmentFacts{.instance = std::move(instance),
                         .device = wire.device,
                         .state = state,
                         .since = wire.attach_time,
                         .delete_on_termination = wire.delete_on_termination.value_or(false)};
}

std::string label(const std::string& id, const Tags& tags) {
  const std::string name = tag_value(tags, tag::name);
  return name.empty() ? id : fmt::format("{} ({})", id, name);
}

}  // namespace

std::string_view name_of(VolumeState state) { return look_up(volume_states, state); }
std::string_view name_of(AttachmentState state) { return look_up(attachment_states, state); }
std::string_view name_of(SnapshotState state) { return look_up(snapshot_states, state); }
std::string_view name_of(InstanceState state) { return look_up(instance_states, state); }

Result<VolumeFacts> to_facts(const aws::ec2::Volume& wire) {
  RUNCTL_TRY_LET(auto id, VolumeId::parse(wire.volume_id));
  RUNCTL_TRY_LET(const auto state, parse_state(volume_states, wire.state, wire.volume_id));
  RUNCTL_TRY_LET(const GiB size, to_size(wire.size, wire.volume_id));
  VolumeFacts facts{.id = std::move(id),
                    .size = size,
                    .type = wire.volume_type,
                    .zone = wire.availability_zone,
                    .state = state,
                    .multi_attach = wire.multi_attach_enabled.value_or(false),
                    .managed = wire.operated_by && wire.operated_by->managed.value_or(false),
                    .encrypted = wire.encrypted.value_or(false),
                    .iops = wire.iops,
                    .throughput = wire.throughput,
                    .created = wire.create_time,
                    .tags = to_tags(wire.tags)};
  if (!wire.snapshot_id.value_or("").empty()) {
    RUNCTL_TRY_LET(facts.source, SnapshotId::parse(*wire.snapshot_id));
  }
  if (!wire.source_volume_id.value_or("").empty()) {
    RUNCTL_TRY_LET(facts.source_volume, VolumeId::parse(*wire.source_volume_id));
  }
  for (const auto& attachment : wire.attachments) {
    // An attachment without an instance belongs to a managed resource; it cannot be acted upon.
    if (attachment.instance_id.empty()) {
      facts.managed = true;
      continue;
    }
    RUNCTL_TRY_LET(auto converted, to_facts(attachment));
    if (converted.state != AttachmentState::detached) facts.attachments.push_back(converted);
  }
  return facts;
}

Result<SnapshotFacts> to_facts(const aws::ec2::Snapshot& wire) {
  RUNCTL_TRY_LET(auto id, SnapshotId::parse(wire.snapshot_id));
  RUNCTL_TRY_LET(const auto state, parse_state(snapshot_states, wire.state, wire.snapshot_id));
  RUNCTL_TRY_LET(const GiB size, to_size(wire.volume_size, wire.snapshot_id));
  SnapshotFacts facts{.id = std::move(id),
                      .volume_size = size,
                      .state = state,
                      .progress = wire.progress,
                      .description = wire.description.value_or(""),
                      .state_message = wire.state_message,
                      .started = wire.start_time,
                      .tags = to_tags(wire.tags)};
  // A copied snapshot names the volume vol-ffffffff, which parses and is nobody's.
  if (const auto volume = VolumeId::parse(wire.volume_id)) facts.volume = *volume;
  return facts;
}

Result<InstanceFacts> to_facts(const aws::ec2::Instance& wire) {
  RUNCTL_TRY_LET(auto id, InstanceId::parse(wire.instance_id));
  RUNCTL_TRY_LET(const auto state, parse_state(instance_states, wire.state ? wire.state->name : "",
                                               wire.instance_id));
  InstanceFacts facts{.id = std::move(id),
                      .state = state,
                      .type = wire.instance_type,
                      .zone = wire.placement ? wire.placement->availability_zone : "",
                      .private_address = wire.private_ip_address,
                      .public_address = wire.public_ip_address,
                      .root_device = wire.root_device_name,
                      .lifecycle = wire.instance_lifecycle,
                      .spot_request = wire.spot_instance_request_id,
                      .reason_code = wire.state_reason ? wire.state_reason->code : "",
                      .reason = wire.state_reason ? wire.state_reason->message : "",
                      .launched = wire.launch_time,
                      .tags = to_tags(wire.tags)};
  for (const auto& mapping : wire.block_device_mappings) {
    if (!mapping.ebs) continue;
    RUNCTL_TRY_LET(auto volume, VolumeId::parse(mapping.ebs->volume_id));
    facts.devices.push_back(
        {.device = mapping.device_name,
         .volume = std::move(volume),
         .delete_on_termination = mapping.ebs->delete_on_termination.value_or(false)});
  }
  return facts;
}

std::string tag_value(const Tags& tags, std::string_view key) {
  const auto found = tags.find(key);
  return found == tags.end() ? std::string{} : found->second;
}

VolumeMode mode_of(const VolumeFacts& volume) {
  const std::string mode = tag_value(volume.tags, tag::mode);
  if (mode.empty() || mode == "exclusive") return VolumeMode::exclusive;
  if (mode == "cluster") return VolumeMode::cluster;
  return VolumeMode::sealed;
}

bool is_shared(const VolumeFacts& volume) {
  return volume.multi_attach && mode_of(volume) == VolumeMode::sealed;
}

bool is_copy(const VolumeFacts& volume) { return volume.source || volume.source_volume; }

const AttachmentFacts* attachment_to(const VolumeFacts& volume, const InstanceId& instance) {
  for (const AttachmentFacts& attachment : volume.attachments) {
    if (attachment.instance == instance) return &attachment;
  }
  return nullptr;
}

std::string label_of(const VolumeFacts& volume) { return label(volume.id.str(), volume.tags); }
std::string label_of(const InstanceFacts& instance) {
  return label(instance.id.str(), instance.tags);
}

}  // namespace runctl::volume
