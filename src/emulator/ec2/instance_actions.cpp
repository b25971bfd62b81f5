#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "emulator/ec2/actions.hpp"
#include "emulator/ec2/catalogue.hpp"
#include "emulator/ec2/filters.hpp"
#include "emulator/ec2/instance_steps.hpp"
#include "emulator/ec2/lookup.hpp"
#include "emulator/ec2/network.hpp"
#include "emulator/ec2/once.hpp"
#include "emulator/ec2/spot_rules.hpp"
#include "emulator/ec2/spot_steps.hpp"
#include "emulator/ec2/views.hpp"
#include "emulator/refusal.hpp"

namespace runctl::emulator::ec2 {
namespace {

// The instances of one RunInstances are real machines here.
constexpr std::int64_t most_instances = 20;
constexpr GiB root_size{8};
constexpr std::string_view root_device = "/dev/xvda";

bool has_id_form(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  const auto digits = text.substr(prefix.size());
  return (digits.size() == 8 || digits.size() == 17) &&
         digits.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// There is one image, the emulator's own host, whatever its name: an AMI's id or a public
// parameter. Source: EC2 User Guide, "Reference AMIs using Systems Manager parameters".
Result<void> check_image(const std::string& image) {
  if (image.empty()) return missing("ImageId");
  if (image.starts_with("resolve:ssm:") && image.size() > 12) return {};
  if (has_id_form(image, "ami-")) return {};
  return refuse("InvalidAMIID.Malformed",
                fmt::format(R"(Invalid id: "{}" (expecting "ami-..."))", image));
}

Result<void> check_placement(const wire::Placement& placement) {
  if (!placement.availability_zone.empty() && !placement.availability_zone_id.empty()) {
    return refuse("InvalidParameterCombination",
                  "AvailabilityZone and AvailabilityZoneId cannot both be specified");
  }
  if (!placement.tenancy.empty() && placement.tenancy != "default") {
    return refuse("UnsupportedOperation", "The emulator has no tenancy other than default");
  }
  return {};
}

// The subnet that is named, else the default one of the zone that is named, else the first.
Result<DefaultSubnet> subnet_for(const Place& place, const wire::RunInstancesRequest& request) {
  const wire::Placement placement = request.placement.value_or(wire::Placement{});
  RUNCTL_TRY(check_placement(placement));
  auto subnets = default_subnets(place);
  if (!request.subnet_id.empty()) {
    std::erase_if(subnets, [&](const DefaultSubnet& s) { return s.id != request.subnet_id; });
    if (subnets.empty()) {
      return refuse("InvalidSubnetID.NotFound",
                    fmt::format("The subnet ID '{}' does not exist", request.subnet_id));
    }
  }
  const bool any_zone =
      placement.availability_zone.empty() && placement.availability_zone_id.empty();
  for (DefaultSubnet& subnet : subnets) {
    const bool is_in = subnet.zone.name == placement.availability_zone ||
                       subnet.zone.id == placement.availability_zone_id;
    if (any_zone || is_in) return std::move(subnet);
  }
  return refuse("InvalidParameterValue",
                fmt::format("Invalid availability zone: [{}{}]", placement.availability_zone,
                            placement.availability_zone_id));
}

Result<void> check_groups(const Place& place, const wire::RunInstancesRequest& request) {
  for (const std::string& group : request.security_group_ids) {
    if (group != default_security_group(place)) {
      return refuse("InvalidGroup.NotFound",
                    fmt::format("The security group '{}' does not exist", group));
    }
  }
  return {};
}

// The tags for what the launch makes: "instance", "volume", "spot-instances-request".
Result<Tags> launch_tags(std::string_view type, const wire::RunInstancesRequest& request) {
  constexpr std::array<std::string_view, 3> allowed{"instance", "volume", "spot-instances-request"};
  const std::span all{allowed};
  return tags_for(type, request.tag_specifications,
                  request.instance_market_options ? all : all.first(2));
}

// Checks the parameters; what it returns is what every instance of the launch has in common.
// There are no instance profiles to look it up among: whatever name is given, exists.
std::optional<std::string> profile_of(const Place& place,
                                      const wire::RunInstancesRequest& request) {
  if (!request.iam_instance_profile) return std::nullopt;
  const auto& profile = *request.iam_instance_profile;
  if (!profile.arn.empty() || profile.name.empty()) return profile.arn;
  return fmt::format("arn:aws:iam::{}:instance-profile/{}", place.account, profile.name);
}

Result<Instance> template_for(Turn& turn, const wire::RunInstancesRequest& request) {
  RUNCTL_TRY(check_image(request.image_id));
  if (!request.min_count) return missing("MinCount");
  if (!request.max_count) return missing("MaxCount");
  if (*request.min_count < 1 || *request.max_count < *request.min_count) {
    return refuse("InvalidParameterValue",
                  fmt::format("MinCount {} and MaxCount {} are no range from 1 up",
                              *request.min_count, *request.max_count));
  }
  if (*request.min_count > most_instances) {
    return refuse("InstanceLimitExceeded",
                  fmt::format("The emulator starts at most {} instances at once", most_instances));
  }
  const std::string type = request.instance_type.empty() ? "m1.small" : request.instance_type;
  if (instance_type_named(type) == nullptr) {
    return refuse("InvalidParameterValue",
                  fmt::format("Invalid value '{}' for InstanceType.", type));
  }
  RUNCTL_TRY_LET(DefaultSubnet subnet, subnet_for(turn.place, request));
  RUNCTL_TRY(check_groups(turn.place, request));
  RUNCTL_TRY_LET(Tags tags, launch_tags("instance", request));
  return Instance{.id = new_id(turn, InstanceIdKind::prefix, turn.state.instances),
                  .reservation = "r-" + random_hex(turn.random, 17),
                  .image = request.image_id,
                  .type = type,
                  .key_name = request.key_name,
                  .subnet = std::move(subnet.id),
                  .client_token = request.client_token,
                  .instance_profile = profile_of(turn.place, request),
                  .zone = std::move(subnet.zone),
                  .launched = turn.now,
                  .tags = std::move(tags)};
}

void launch(Turn& turn, Instance instance, const Tags& volume_tags) {
  const InstanceId id = instance.id;
  Volume root{.id = new_id(turn, VolumeIdKind::prefix, turn.state.volumes),
              .size = root_size,
              .type = "gp2",
              .iops = gp2_iops(root_size.count),
              .zone = instance.zone,
              .created = turn.now,
              .state = VolumeState::in_use,
              .tags = volume_tags};
  root.attachments.push_back({.instance = id,
                              .device = std::string{root_device},
                              .attached = turn.now,
                              .delete_on_termination = true,
                              .is_root = true});
  const VolumeId root_id = root.id;
  turn.state.volumes.put(root_id, std::move(root));
  instance.due = turn.after(turn.pace.boot);
  turn.state.instances.put(id, std::move(instance));
  turn.orders.emplace_back(Boot{id});
}

using I = wire::Instance;
// Source: EC2 API reference, DescribeInstances; those that are not here are refused.
constexpr auto instance_filters = std::to_array<FilterField<I>>({
    {"instance-state-name", [](const I& i) { return std::vector{i.state->name}; }},
    {"instance-state-code", [](const I& i) { return std::vector{std::to_string(*i.state->code)}; }},
    {"instance-id", [](const I& i) { return std::vector{i.instance_id}; }},
    {"instance-type", [](const I& i) { return std::vector{i.instance_type}; }},
    {"image-id", [](const I& i) { return std::vector{i.image_id}; }},
    {"client-token", [](const I& i) { return std::vector{i.client_token}; }},
    {"availability-zone", [](const I& i) { return std::vector{i.placement->availability_zone}; }},
    {"subnet-id", [](const I& i) { return std::vector{i.subnet_id}; }},
    {"vpc-id", [](const I& i) { return std::vector{i.vpc_id}; }},
    {"key-name", [](const I& i) { return std::vector{i.key_name}; }},
    {"instance-lifecycle", [](const I& i) { return std::vector{i.instance_lifecycle}; }},
    {"spot-instance-request-id",
     [](const I& i) { return std::vector{i.spot_instance_request_id}; }},
    {"private-ip-address", [](const I& i) { return std::vector{i.private_ip_address}; }},
    {"block-device-mapping.volume-id",
     [](const I& i) {
       std::vector<std::string> ids;
       ids.reserve(i.block_device_mappings.size());
       for (const auto& mapping : i.block_device_mappings) ids.push_back(mapping.ebs->volume_id);
       return ids;
     }},
});

std::vector<wire::Reservation> grouped(const std::vector<I>& instances, const Turn& turn) {
  std::map<std::string, wire::Reservation> reservations;
  for (const I& instance : instances) {
    const auto id = InstanceId::parse(instance.instance_id);
    const std::string& name = turn.state.instances.find(*id)->reservation;
    wire::Reservation& reservation = reservations[name];
    reservation.reservation_id = name;
    reservation.owner_id = turn.place.account;
    reservation.instances.push_back(instance);
  }
  std::vector<wire::Reservation> list;
  list.reserve(reservations.size());
  for (auto& [name, reservation] : reservations) list.push_back(std::move(reservation));
  return list;
}

Result<std::vector<InstanceId>> existing_instances(const State& state,
                                                   const std::vector<std::string>& texts) {
  std::vector<InstanceId> ids;
  for (const std::string& text : texts) {
    RUNCTL_TRY_LET(InstanceId id, existing_instance(state, text));
    ids.push_back(std::move(id));
  }
  return ids;
}

// The user's word that the instance is to stop or to end.
constexpr Cause users_word{.initiator = "User initiated",
                           .code = "Client.UserInitiatedShutdown",
                           .message = "User initiated shutdown"};

std::unexpected<Error> wrong_state(const InstanceId& id, InstanceState state,
                                   std::string_view goal) {
  return refuse(
      "IncorrectInstanceState",
      fmt::format("The instance '{}' is not in a state from which it can be {}: it is '{}'.", id,
                  goal, name_of(state)));
}

// Applies `change` to each instance; the answer tells of each before and after.
template <class Change>
Result<std::vector<wire::InstanceStateChange>> change_states(Turn& turn,
                                                             const std::vector<std::string>& texts,
                                                             const Change& change) {
  if (texts.empty()) return missing("InstanceId");
  RUNCTL_TRY_LET(const auto ids, existing_instances(turn.state, texts));
  std::vector<wire::InstanceStateChange> changes;
  for (const InstanceId& id : ids) {
    const InstanceState before = turn.state.instances.find(id)->state;
    RUNCTL_TRY(change(id));
    changes.push_back({.current_state = view_of(turn.state.instances.find(id)->state),
                       .instance_id = id.str(),
                       .previous_state = view_of(before)});
  }
  return changes;
}

}  // namespace

Result<wire::Reservation> run_instances(Turn& turn, const wire::RunInstancesRequest& request) {
  return once<wire::RunInstances>(turn, request, [&]() -> Result<wire::Reservation> {
    RUNCTL_TRY_LET(const Instance common, template_for(turn, request));
    RUNCTL_TRY_LET(const Tags volume_tags, launch_tags("volume", request));
    RUNCTL_TRY_LET(const auto spot, spot_terms_of(turn, request));
    if (spot) RUNCTL_TRY(check_spot_price(*spot, common.type, common.zone.name));
    RUNCTL_TRY_LET(const Tags spot_tags, launch_tags("spot-instances-request", request));
    wire::Reservation reservation{
        .reservation_id = common.reservation, .owner_id = turn.place.account, .instances = {}};
    const std::int64_t count = std::min(*request.max_count, most_instances);
    for (std::int64_t i = 0; i < count; ++i) {
      Instance instance = common;
      if (i > 0) instance.id = new_id(turn, InstanceIdKind::prefix, turn.state.instances);
      const InstanceId id = instance.id;
      if (spot) instance.spot_request = open_spot_request(turn, instance, *spot, spot_tags);
      launch(turn, std::move(instance), volume_tags);
      reservation.instances.push_back(view_of(*turn.state.instances.find(id), turn));
    }
    return reservation;
  });
}

Result<wire::DescribeInstancesResult> describe_instances(
    Turn& turn, const wire::DescribeInstancesRequest& request) {
  RUNCTL_TRY_LET(const auto wanted, existing_instances(turn.state, request.instance_ids));
  std::vector<I> instances;
  for (const auto& [id, instance] : turn.state.instances.all()) {
    if (!wanted.empty() && std::ranges::find(wanted, id) == wanted.end()) continue;
    instances.push_back(view_of(instance, turn));
  }
  RUNCTL_TRY(keep_matching<I>(instances, request.filters, instance_filters));
  wire::DescribeInstancesResult result;
  RUNCTL_TRY_LET(result.next_token,
                 page_of(instances, request, request.instance_ids, &I::instance_id));
  result.reservations = grouped(instances, turn);
  return result;
}

Result<wire::TerminateInstancesResult> terminate_instances(
    Turn& turn, const wire::TerminateInstancesRequest& request) {
  RUNCTL_TRY_LET(
      auto changes, change_states(turn, request.instance_ids, [&](const InstanceId& id) {
        const InstanceState before = turn.state.instances.find(id)->state;
        if (before == InstanceState::terminated || before == InstanceState::shutting_down) {
          return Result<void>{};
        }
        put_down(turn, id, InstanceState::shutting_down, users_word);
        return Result<void>{};
      }));
  return wire::TerminateInstancesResult{.terminating_instances = std::move(changes)};
}

Result<wire::StopInstancesResult> stop_instances(Turn& turn,
                                                 const wire::StopInstancesRequest& request) {
  RUNCTL_TRY_LET(
      auto changes,
      change_states(turn, request.instance_ids, [&](const InstanceId& id) -> Result<void> {
        const InstanceState before = turn.state.instances.find(id)->state;
        if (before == InstanceState::stopping || before == InstanceState::stopped) return {};
        if (before != InstanceState::running) return wrong_state(id, before, "stopped");
        RUNCTL_TRY(check_spot_stop(turn.state, *turn.state.instances.find(id)));
        put_down(turn, id, InstanceState::stopping, users_word);
        return {};
      }));
  return wire::StopInstancesResult{.stopping_instances = std::move(changes)};
}

Result<wire::StartInstancesResult> start_instances(Turn& turn,
                                                   const wire::StartInstancesRequest& request) {
  RUNCTL_TRY_LET(
      auto changes,
      change_states(turn, request.instance_ids, [&](const InstanceId& id) -> Result<void> {
        const InstanceState before = turn.state.instances.find(id)->state;
        if (before == InstanceState::pending || before == InstanceState::running) return {};
        if (before != InstanceState::stopped) return wrong_state(id, before, "started");
        RUNCTL_TRY(check_spot_start(turn.state, *turn.state.instances.find(id)));
        start_again(turn, id);
        return {};
      }));
  return wire::StartInstancesResult{.starting_instances = std::move(changes)};
}

// Source: EC2 API reference, RebootInstances: it only queues the reboot, and the instance stays
// `running`; those that have ended are passed over.
Result<wire::Return> reboot_instances(Turn& turn, const wire::RebootInstancesRequest& request) {
  if (request.instance_ids.empty()) return missing("InstanceId");
  RUNCTL_TRY_LET(const auto ids, existing_instances(turn.state, request.instance_ids));
  for (const InstanceId& id : ids) {
    const Instance& seen = *turn.state.instances.find(id);
    if (seen.state == InstanceState::terminated) continue;
    if (seen.state != InstanceState::running) {
      return refuse("IncorrectState", fmt::format("Instance '{}' is not 'running'.", id));
    }
    if (seen.ordered) continue;  // it reboots already
    Instance& instance = turn.state.instances.edit(id);
    instance.booted = false;
    instance.ordered = true;
    turn.orders.emplace_back(Reboot{id});
  }
  return wire::Return{.value = true};
}

Result<wire::Return> modify_instance_attribute(
    Turn& turn, const wire::ModifyInstanceAttributeRequest& request) {
  RUNCTL_TRY_LET(const InstanceId id, existing_instance(turn.state, request.instance_id));
  if (request.block_device_mappings.empty()) {
    return refuse("InvalidParameterCombination", "No attributes specified.");
  }
  for (const auto& mapping : request.block_device_mappings) {
    if (!mapping.ebs || !mapping.ebs->delete_on_termination)
      return missing("Ebs.DeleteOnTermination");
    std::optional<VolumeId> held;
    for (const auto& [volume_id, volume] : turn.state.volumes.all()) {
      for (const Attachment& a : volume.attachments) {
        if (a.instance == id && a.device == mapping.device_name) held = volume_id;
      }
    }
    const bool other =
        held && !mapping.ebs->volume_id.empty() && mapping.ebs->volume_id != held->str();
    if (!held || other) {
      return refuse("InvalidInstanceAttributeValue",
                    fmt::format("No device is currently mapped at {}", mapping.device_name));
    }
    for (Attachment& a : turn.state.volumes.edit(*held).attachments) {
      if (a.instance == id) a.delete_on_termination = *mapping.ebs->delete_on_termination;
    }
  }
  return wire::Return{.value = true};
}

}  // namespace runctl::emulator::ec2
