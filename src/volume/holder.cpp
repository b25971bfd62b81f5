#include "volume/holder.hpp"

#include <chrono>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "node/machine_facts.hpp"
#include "volume/machine.hpp"
#include "volume/plan_detach.hpp"
#include "volume/read.hpp"

namespace runctl::volume {
namespace {

// Whoever was refused waits for these words, which are an extra.
constexpr std::chrono::seconds description_patience{10};

Error refuse(std::string message, std::string hint, std::string_view anchor) {
  return Error{.code = Errc::conflict,
               .message = std::move(message),
               .hint = std::move(hint),
               .section = fmt::format("EBS_CONCURRENT_ACCESS.md#{}", anchor)};
}

Error nobody_has_it(const VolumeFacts& volume, const std::optional<InstanceId>& wanted,
                    std::string_view verb) {
  const std::string where = wanted ? fmt::format("instance {}", *wanted) : "any instance";
  Error error = refuse(
      fmt::format("Volume {} is not attached to {}, and so cannot be {}.", volume.id, where, verb),
      "A volume's content can be reached only through a machine that has it.", "volume-states");
  error.ways_out = {fmt::format("runctl aws ebs attach {} --instance {}", volume.id,
                                wanted ? wanted->str() : "INSTANCE")};
  return error;
}

Error several_have_it(const VolumeFacts& volume) {
  Error error = refuse(
      fmt::format("Volume {} is attached to {} instances.", volume.id, volume.attachments.size()),
      "Say which one is meant with --instance.", "multi-attach");
  for (const auto& attachment : volume.attachments) {
    error.details.push_back(fmt::format("attached to {}", attachment.instance));
  }
  return error;
}

Error is_off(const VolumeFacts& volume, const InstanceFacts& instance, std::string_view verb) {
  Error error =
      refuse(fmt::format("Instance {}, which has volume {}, is '{}': the volume cannot be {} there",
                         instance.id, volume.id, name_of(instance.state), verb),
             "Start it, or attach the volume to another machine.", "instance-states");
  error.ways_out = {fmt::format("runctl aws start {} --wait", instance.id)};
  return error;
}

std::string use_in_words(const node::MountFacts& mount) {
  return fmt::format("mounted:   at {}, {}{}", mount.mount_point,
                     mount.read_only ? "read-only" : "read-write",
                     mount.own_namespace ? "" : ", in a container or its like");
}

}  // namespace

Result<Holder> reachable_holder(const Session& session, const VolumeFacts& volume,
                                const std::optional<InstanceId>& wanted, std::string_view verb) {
  const AttachmentFacts* const meant = attachment_meant(volume, wanted);
  if (meant == nullptr) {
    const bool unclear = !wanted && volume.attachments.size() > 1;
    return std::unexpected{unclear ? several_have_it(volume) : nobody_has_it(volume, wanted, verb)};
  }
  RUNCTL_TRY_LET(auto instance, read_instance(session.aws, meant->instance, session.options()));
  if (instance.state != InstanceState::running) {
    return std::unexpected{is_off(volume, instance, verb)};
  }
  RUNCTL_TRY_LET(const bool online, session.shell.is_reachable(instance.id, session.stop));
  if (!online) {
    Error error = refuse(
        fmt::format("Instance {} has volume {} and cannot be reached.", instance.id, volume.id),
        "Its SSM agent does not answer.", "unreachable-machine");
    error.ways_out = {
        fmt::format("runctl aws wait {}   # when it has just been started", instance.id)};
    return std::unexpected{std::move(error)};
  }
  return Holder{.attachment = *meant, .instance = std::move(instance)};
}

void describe_use(const Session& session, const VolumeId& volume, const InstanceId& instance,
                  Error& refusal) {
  const auto online = session.shell.is_reachable(instance, session.stop);
  if (!online || !*online) return;
  const auto facts = node::inspect(machine_of(session, instance, description_patience));
  if (!facts) return;
  const auto* const device = node::find_volume(*facts, volume);
  if (device == nullptr) return;
  if (device->mounts.empty()) refusal.details.emplace_back("mounted:   nowhere");
  for (const auto& mount : device->mounts) refusal.details.push_back(use_in_words(mount));
  for (const auto& user : device->users) {
    refusal.details.push_back(fmt::format("used by:   process {} '{}' ({})", user.pid, user.command,
                                          join(user.what, ", ")));
  }
}

}  // namespace runctl::volume
