#include "emulator/ec2/views.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "emulator/ec2/network.hpp"

namespace runctl::emulator::ec2 {
namespace {

namespace wire = aws::ec2;

// An address of the zone's default subnet that stays with the instance.
std::string private_address(const Instance& instance) {
  const std::string digest = sha256(instance.id.str());
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(digest[at]); };
  const int zone = instance.zone.name.back() - 'a';
  return fmt::format("172.31.{}.{}", 16 * zone + byte(0) % 16, byte(1) % 250 + 4);
}

std::string dashed(std::string address) {
  std::ranges::replace(address, '.', '-');
  return address;
}

// `busy` exists in the volume view alone. Source: ebs-facts, section 1.
std::string_view instance_side(AttachmentState state) {
  return name_of(state == AttachmentState::busy ? AttachmentState::detaching : state);
}

std::vector<wire::InstanceBlockDeviceMapping> mappings_of(const InstanceId& id,
                                                          const State& state) {
  std::vector<wire::InstanceBlockDeviceMapping> mappings;
  for (const auto& [volume_id, volume] : state.volumes.all()) {
    for (const Attachment& a : volume.attachments) {
      if (a.instance != id) continue;
      mappings.push_back(
          {.device_name = a.device,
           .ebs = wire::EbsInstanceBlockDevice{.volume_id = volume_id.str(),
                                               .status = std::string{instance_side(a.state)},
                                               .attach_time = a.attached,
                                               .delete_on_termination = a.delete_on_termination}});
    }
  }
  std::ranges::sort(mappings, {}, &wire::InstanceBlockDeviceMapping::device_name);
  return mappings;
}

}  // namespace

std::vector<wire::Tag> view_of(const Tags& tags) {
  std::vector<wire::Tag> view;
  for (const auto& [key, value] : tags) view.push_back({.key = key, .value = value});
  return view;
}

std::int64_t gp2_iops(std::int64_t size_gib) {
  return std::clamp<std::int64_t>(3 * size_gib, 100, 16'000);
}

wire::VolumeAttachment view_of(const VolumeId& volume, const Attachment& attachment) {
  return {.volume_id = volume.str(),
          .instance_id = attachment.instance.str(),
          .device = attachment.device,
          .state = std::string{name_of(attachment.state)},
          .attach_time = attachment.attached,
          .delete_on_termination = attachment.delete_on_termination};
}

wire::Volume view_of(const Volume& volume) {
  wire::Volume view{.volume_id = volume.id.str(),
                    .size = volume.size.count,
                    .snapshot_id = volume.source ? volume.source->str() : "",
                    .source_volume_id = {},
                    .availability_zone = volume.zone.name,
                    .availability_zone_id = volume.zone.id,
                    .state = std::string{name_of(volume.state)},
                    .create_time = volume.created,
                    .attachments = {},
                    .tags = view_of(volume.tags),
                    .volume_type = volume.type,
                    .iops = volume.iops,
                    .throughput = volume.throughput,
                    .encrypted = volume.encrypted,
                    .kms_key_id = volume.kms_key,
                    .multi_attach_enabled = volume.multi_attach,
                    .volume_initialization_rate = volume.initialization_rate,
                    .operated_by = wire::OperatorResponse{.managed = false}};
  if (volume.source_volume) view.source_volume_id = volume.source_volume->str();
  for (const Attachment& a : volume.attachments) view.attachments.push_back(view_of(volume.id, a));
  return view;
}

wire::Snapshot view_of(const Snapshot& snapshot, const Place& place, Timestamp now) {
  std::int64_t percent = snapshot.state == SnapshotState::completed ? 100 : 0;
  if (snapshot.state == SnapshotState::pending && snapshot.due > snapshot.started) {
    percent = std::clamp<std::int64_t>(
        100 * (now - snapshot.started).count() / (snapshot.due - snapshot.started).count(), 0, 99);
  }
  return {.snapshot_id = snapshot.id.str(),
          .volume_id = snapshot.volume.str(),
          .state = std::string{name_of(snapshot.state)},
          .state_message = snapshot.message,
          .start_time = snapshot.started,
          .completion_time = snapshot.completed,
          .progress = fmt::format("{}%", percent),
          .owner_id = place.account,
          .description = snapshot.description,
          .volume_size = snapshot.size.count,
          .tags = view_of(snapshot.tags),
          .encrypted = snapshot.encrypted,
          .storage_tier = "standard"};
}

// Codes: InstanceState in the service model.
wire::InstanceState view_of(InstanceState state) {
  std::int64_t code = 0;
  switch (state) {
    case InstanceState::pending:
      code = 0;
      break;
    case InstanceState::running:
      code = 16;
      break;
    case InstanceState::shutting_down:
      code = 32;
      break;
    case InstanceState::terminated:
      code = 48;
      break;
    case InstanceState::stopping:
      code = 64;
      break;
    case InstanceState::stopped:
      code = 80;
      break;
  }
  return {.code = code, .name = std::string{name_of(state)}};
}

wire::Instance view_of(const Instance& instance, const Turn& turn) {
  wire::Instance view{.instance_id = instance.id.str(),
                      .image_id = instance.image,
                      .state = view_of(instance.state),
                      .state_transition_reason = instance.reason,
                      .instance_type = instance.type,
                      .key_name = instance.key_name,
                      .launch_time = instance.launched,
                      .placement = wire::Placement{.availability_zone = instance.zone.name,
                                                   .availability_zone_id = instance.zone.id,
                                                   .tenancy = "default"},
                      .architecture = "x86_64",
                      .root_device_name = "/dev/xvda",
                      .root_device_type = "ebs",
                      .block_device_mappings = mappings_of(instance.id, turn.state),
                      .client_token = instance.client_token,
                      .hypervisor = "xen",  // the API says xen for Nitro instances too
                      .virtualization_type = "hvm",
                      .tags = view_of(instance.tags)};
  if (instance.spot_request) {
    view.instance_lifecycle = "spot";
    view.spot_instance_request_id = *instance.spot_request;
  }
  if (instance.instance_profile) {
    view.iam_instance_profile = wire::IamInstanceProfile{.arn = *instance.instance_profile};
  }
  if (!instance.reason_code.empty()) {
    view.state_reason =
        wire::StateReason{.code = instance.reason_code, .message = instance.reason_message};
  }
  if (instance.state != InstanceState::terminated) {
    view.private_ip_address = private_address(instance);
    view.private_dns_name = fmt::format("ip-{}.ec2.internal", dashed(view.private_ip_address));
    view.subnet_id = instance.subnet;
    view.vpc_id = default_vpc(turn.place);
    view.security_groups = {
        {.group_id = default_security_group(turn.place), .group_name = "default"}};
  }
  return view;
}

}  // namespace runctl::emulator::ec2
