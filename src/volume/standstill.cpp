#include "volume/standstill.hpp"

#include <utility>

#include <fmt/format.h>

#include "io/random.hpp"
#include "node/freeze.hpp"
#include "node/sync.hpp"
#include "volume/machine.hpp"
#include "volume/mount.hpp"
#include "volume/read.hpp"

namespace runctl::volume {
namespace {

// Writing back gigabytes takes a while on a slow volume; a thaw does not.
constexpr std::chrono::seconds freeze_patience{300};
constexpr std::chrono::seconds thaw_patience{30};

}  // namespace

Standstill::Standstill(Standstill&& other) noexcept
    : session_{other.session_},
      volume_{std::move(other.volume_)},
      token_{std::move(other.token_)},
      frozen_{std::exchange(other.frozen_, {})},
      why_{std::move(other.why_)},
      frozen_for_{other.frozen_for_} {}

Standstill::~Standstill() { end(); }

Result<Standstill> Standstill::begin(const Change& change, const VolumeFacts& volume,
                                     Freezing freezing) {
  Standstill still{change.session, volume.id, random_uuid(change.session.random)};
  if (volume.tags.contains(tag::needs_check)) {
    still.why_ = "it was pulled off a machine by force, and not checked since";
  }
  for (const AttachmentFacts& attachment : volume.attachments) {
    RUNCTL_TRY(still.hold(change, attachment, freezing));
  }
  return still;
}

Result<void> Standstill::hold(const Change& change, const AttachmentFacts& attachment,
                              Freezing freezing) {
  const Session& session = change.session;
  const InstanceId& instance = attachment.instance;
  RUNCTL_TRY_LET(const auto holder, read_instance(session.aws, instance, session.options()));
  if (holder.state == InstanceState::stopped || holder.state == InstanceState::terminated) {
    why_ = fmt::format("{} is {}, and whether it had unmounted the volume is not known", instance,
                       name_of(holder.state));
    return {};
  }
  RUNCTL_TRY_LET(const bool online, session.shell.is_reachable(instance, session.stop));
  if (!online) {
    why_ = fmt::format("{} cannot be reached", instance);
    return {};
  }
  if (freezing == Freezing::no) {
    why_ = "it was not to be frozen";
    RUNCTL_TRY_LET(const auto path, mounted_at(session, volume_, instance));
    if (!path) return {};
    session.progress(fmt::format("writing back what {} caches", instance));
    return node::sync(machine_of(session, instance, freeze_patience), *path);
  }
  session.progress(fmt::format("freezing {} on {}", volume_, instance));
  const boost::json::object what{
      {"volume", volume_.str()}, {"instance", instance.str()}, {"token", token_}};
  // Whether it took effect is not known after an error: then it is thawed too.
  frozen_.push_back(instance);
  RUNCTL_TRY_LET(const auto frozen, on_machine(change, "freeze", what, [&]() {
                   return node::freeze(machine_of(session, instance, freeze_patience),
                                       {.volume = volume_, .token = token_, .dead_man = dead_man});
                 }));
  if (frozen.state == node::Stillness::frozen) return {};
  frozen_.pop_back();
  if (frozen.state == node::Stillness::written_back) {
    why_ = fmt::format("on {} volumes are directories, which cannot be frozen", instance);
  }
  if (frozen.state == node::Stillness::in_use) {
    why_ = fmt::format("{} uses it by other ways than a mount of all of it (partitions, LVM)",
                       instance);
  }
  if (frozen.state == node::Stillness::not_mounted && frozen.journal != node::Journal::clean) {
    why_ = frozen.journal == node::Journal::dirty
               ? "its filesystem had not been unmounted cleanly"
               : "whether what is on it had been unmounted cleanly cannot be told";
  }
  return {};
}

void Standstill::end() {
  // The reverse order, so that the first to stand still is the last to go on.
  while (!frozen_.empty()) {
    const InstanceId instance = frozen_.back();
    frozen_.pop_back();
    Session unhurried{*session_};
    unhurried.deadline = std::chrono::steady_clock::time_point::max();
    unhurried.stop = {};
    const auto thawed = node::thaw(machine_of(unhurried, instance, thaw_patience), volume_, token_);
    if (!thawed) {
      why_ = fmt::format("{} did not say how the freeze ended ({}); it thaws by itself", instance,
                         thawed.error().message);
      continue;
    }
    if (!thawed->held) {
      why_ = fmt::format("{} had thawed it before the answer came", instance);
      continue;
    }
    frozen_for_ = std::max(frozen_for_.value_or(thawed->frozen), thawed->frozen);
  }
}

Result<void> thaw(const Session& session, const VolumeId& volume, const InstanceId& instance,
                  const std::string& token) {
  RUNCTL_TRY(node::thaw(machine_of(session, instance, thaw_patience), volume, token));
  return {};
}

}  // namespace runctl::volume
