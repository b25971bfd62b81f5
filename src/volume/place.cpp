#include "volume/place.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/json.hpp"
#include "volume/attach.hpp"
#include "volume/create.hpp"
#include "volume/plan_attach.hpp"

namespace runctl::volume {

Result<Placed> place(const Change& change, const VolumeFacts& volume, const InstanceFacts& instance,
                     const PlaceSpec& spec) {
  const Session& session = change.session;
  RUNCTL_TRY_LET(auto facts, read_attach_facts(session, volume, instance));
  facts.wanted_device = spec.device;
  facts.recent_devices = spec.recent_devices;
  auto plan = plan_attach(facts);
  if (!plan.refusal && spec.mount) plan.refusal = check_mount(volume, instance, *spec.mount);
  if (plan.refusal) return std::unexpected{*std::move(plan.refusal)};
  return execute_place(change, facts, plan, spec.mount);
}

Result<Placed> place_new(const Change& change, const VolumeId& volume,
                         const InstanceFacts& instance, const PlaceSpec& spec) {
  auto placed = [&]() -> Result<Placed> {
    RUNCTL_TRY_LET(const auto ready, wait_until_available(change.session, volume));
    return place(change, ready, instance, spec);
  }();
  if (!placed) placed.error().details.push_back(fmt::format("volume {} exists", volume));
  return placed;
}

Result<Placed> execute_place(const Change& change, const AttachFacts& facts, const AttachPlan& plan,
                             const std::optional<MountSpec>& wanted_mount) {
  const VolumeId& volume = facts.volume.id;
  const InstanceId& instance = facts.instance.id;
  // As it is now: what the plan rested on was read a while ago, and may have been sealed since.
  RUNCTL_TRY_LET(const auto attached,
                 plan.already_attached
                     ? wait_until_attached(change.session, volume, instance, plan.device)
                     : execute_attach(change, facts, plan));
  Placed placed{.device = plan.device, .already_attached = plan.already_attached};
  if (!wanted_mount) return placed;
  auto mounted = [&]() -> Result<Mounted> {
    if (auto refusal = check_mount(attached, facts.instance, *wanted_mount))
      return std::unexpected{*std::move(refusal)};
    return mount(change, attached, instance, *wanted_mount);
  }();
  if (!mounted) {
    // What failed is on the machine.
    mounted.error().details.push_back(fmt::format(
        "volume {} is attached to {} as {}, and not mounted", volume, instance, plan.device));
    return std::unexpected{std::move(mounted).error()};
  }
  placed.mounted = *std::move(mounted);
  return placed;
}

Result<void> check_target(const InstanceFacts& instance, const std::string& zone,
                          const std::optional<MountSpec>& mount) {
  const bool running = instance.state == InstanceState::running;
  if (!running && (mount || instance.state != InstanceState::stopped)) {
    auto off =
        fail(Errc::conflict,
             fmt::format("Instance {} is '{}', so that the new volume could not be {} there",
                         instance.id, name_of(instance.state), mount ? "mounted" : "attached"));
    off.error().hint = "Nothing was made. Start it first, or leave --instance out.";
    off.error().ways_out = {fmt::format("runctl aws start {} --wait", instance.id)};
    off.error().section = "EBS_CONCURRENT_ACCESS.md#instance-states";
    return off;
  }
  if (zone == instance.zone) return {};
  auto elsewhere = fail(Errc::conflict,
                        fmt::format("The new volume would be in zone {}, and instance {} is in {}",
                                    zone, instance.id, instance.zone));
  elsewhere.error().hint = "Nothing was made. A volume can be attached only within its own zone.";
  elsewhere.error().section = "EBS_CONCURRENT_ACCESS.md#wrong-zone";
  return elsewhere;
}

boost::json::object plan_of(const PlaceSpec& spec) {
  boost::json::object plan;
  if (spec.device) plan["device"] = *spec.device;
  if (!spec.mount) return plan;
  plan["mount_point"] = spec.mount->directory;
  if (spec.mount->format) plan["format"] = name_of(*spec.mount->format);
  if (spec.mount->access == node::Access::read_only) plan["read_only"] = true;
  return plan;
}

Result<PlaceSpec> read_plan(const boost::json::value& plan) {
  PlaceSpec spec{.device = string_at(plan, "device")};
  const auto directory = string_at(plan, "mount_point");
  if (!directory) return spec;
  spec.mount = MountSpec{.directory = *directory};
  if (const auto format = string_at(plan, "format")) {
    const auto filesystem = parse_filesystem(*format);
    if (!filesystem) return fail(Errc::corrupt, filesystem.error().message);
    spec.mount->format = *filesystem;
  }
  if (boolean_at(plan, "read_only").value_or(false)) spec.mount->access = node::Access::read_only;
  return spec;
}

std::string default_mount_point(const VolumeFacts& volume) {
  std::string name = tag_value(volume.tags, tag::name);
  std::ranges::replace_if(
      name,
      [](char c) {
        return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 c == '-' || c == '_');
      },
      '-');
  return "/mnt/" + (name.empty() ? volume.id.str() : name);
}

}  // namespace runctl::volume
