#include "volume/modify.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "aws/ec2/modification.hpp"
#include "volume/create.hpp"
#include "volume/holder.hpp"
#include "volume/lost_reply.hpp"
#include "volume/machine.hpp"
#include "volume/read.hpp"
#include "volume/wait.hpp"

namespace runctl::volume {
namespace {

// The device is waited for, and a filesystem of terabytes grown.
constexpr std::chrono::seconds grow_patience{300};

constexpr std::string_view once_mounted = "once it is mounted, run this again with the same size";

Error refuse(Errc code, std::string message, std::string hint) {
  return Error{.code = code,
               .message = std::move(message),
               .hint = std::move(hint),
               .section = "EBS_OPTIMIZATION.md#changing-a-volume"};
}

Result<ModificationState> parse_state(std::string_view text, const VolumeId& volume) {
  constexpr std::array<std::pair<std::string_view, ModificationState>, 4> names{{
      {"modifying", ModificationState::modifying},
      {"optimizing", ModificationState::optimizing},
      {"completed", ModificationState::completed},
      {"failed", ModificationState::failed},
  }};
  for (const auto& [name, state] : names) {
    if (name == text) return state;
  }
  return fail(Errc::corrupt,
              fmt::format("EC2 says that the modification of {} is '{}'", volume, text));
}

Result<ModificationFacts> to_facts(const aws::ec2::VolumeModification& wire,
                                   const VolumeId& volume) {
  ModificationFacts facts{.message = wire.status_message.value_or(""),
                          .progress = wire.progress,
                          .type = wire.target_volume_type,
                          .iops = wire.target_iops,
                          .throughput = wire.target_throughput};
  RUNCTL_TRY_LET(facts.state, parse_state(wire.modification_state, volume));
  if (wire.target_size && *wire.target_size > 0) {
    facts.size = GiB{static_cast<unsigned>(*wire.target_size)};
  }
  return facts;
}

// Whether each member that is asked for is so already.
template <class Facts>
bool is_as(const ModifySpec& spec, const Facts& facts, std::optional<GiB> size) {
  return (!spec.size || spec.size == size) && (!spec.type || *spec.type == facts.type) &&
         (!spec.iops || spec.iops == facts.iops) &&
         (!spec.throughput || spec.throughput == facts.throughput);
}

// The volume as it would be, for the limits of its type.
VolumeSpec outcome_of(const VolumeFacts& volume, const ModifySpec& spec) {
  VolumeSpec outcome{.size = spec.size.value_or(volume.size),
                     .type = spec.type.value_or(volume.type),
                     .zone = volume.zone,
                     .iops = spec.iops,
                     .throughput = spec.throughput,
                     .multi_attach = volume.multi_attach};
  const bool same_type = outcome.type == volume.type;
  const bool has_chosen_speed = outcome.type == "gp3" || outcome.type.starts_with("io");
  if (same_type && has_chosen_speed && !outcome.iops) outcome.iops = volume.iops;
  if (same_type && outcome.type == "gp3" && !outcome.throughput) {
    outcome.throughput = volume.throughput;
  }
  return outcome;
}

// After a lost answer: waits for the modification to be seen, for as long as the request may act.
Result<void> resolve(const Session& session, const VolumeFacts& volume, const ModifySpec& spec) {
  session.progress("the answer was lost; reading whether the volume is modified");
  const auto seen = wait_for<bool>(
      session, {.max_delay = std::chrono::seconds{5}, .budget = signature_life},
      fmt::format("volume {} to be modified", volume.id), [&]() -> Result<std::optional<bool>> {
        RUNCTL_TRY_LET(const auto newest, read_modification(session, volume.id));
        return newest && is_as(spec, *newest, newest->size) ? std::optional{true} : std::nullopt;
      });
  if (seen) return {};
  return std::unexpected{
      lost_reply(seen.error(), "ModifyVolume", volume.id, "the volume is as it was")};
}

Result<ModificationFacts> wait_until_usable(const Session& session, const VolumeFacts& volume,
                                            const ModifySpec& spec) {
  auto usable = wait_for<ModificationFacts>(
      session, {.max_delay = std::chrono::seconds{5}, .budget = std::chrono::hours{6}},
      fmt::format("volume {} to be modified", volume.id),
      [&]() -> Result<std::optional<ModificationFacts>> {
        RUNCTL_TRY_LET(auto seen, read_modification(session, volume.id));
        // Straight after the request an older one may be seen.
        if (!seen || !is_as(spec, *seen, seen->size)) return std::nullopt;
        session.progress(fmt::format("modifying {}: {} %", volume.id, seen->progress.value_or(0)));
        if (seen->state == ModificationState::failed) {
          return fail(Errc::internal,
                      fmt::format("EC2 could not modify volume {}: {}", volume.id, seen->message));
        }
        if (seen->state == ModificationState::modifying) return std::nullopt;
        return *std::move(seen);
      });
  if (!usable && usable.error().code == Errc::deadline_exceeded) {
    usable.error().effect = Effect::applied;
    usable.error().hint = fmt::format(
        "It goes on by itself. Run the command again to wait for it and to grow the filesystem; "
        "how "
        "it stands: runctl aws ebs show {}",
        volume.id);
  }
  return usable;
}

}  // namespace

Result<std::optional<ModificationFacts>> read_modification(const Session& session,
                                                           const VolumeId& volume) {
  const auto answer = session.aws.call<aws::ec2::DescribeVolumesModifications>(
      {.volume_ids = {volume.str()}}, session.options());
  if (!answer) {
    // Said of a volume that was never modified.
    const auto& remote = answer.error().remote;
    if (remote && remote->code == "InvalidVolumeModification.NotFound") return std::nullopt;
    return std::unexpected{answer.error()};
  }
  if (answer->volumes_modifications.empty()) return std::nullopt;
  RUNCTL_TRY_LET(auto facts, to_facts(answer->volumes_modifications.front(), volume));
  return facts;
}

ModifyPlan plan_modify(const VolumeFacts& volume, const std::optional<ModificationFacts>& newest,
                       const ModifySpec& spec) {
  ModifyPlan plan;
  if (spec.size && *spec.size < volume.size) {
    plan.refusal = refuse(Errc::invalid_argument,
                          fmt::format("Volume {} has {} GiB, and a volume cannot be made smaller",
                                      volume.id, volume.size.count),
                          "Make a smaller one, and copy the files over.");
    return plan;
  }
  if (volume.state != VolumeState::available && volume.state != VolumeState::in_use) {
    plan.refusal = refuse(
        Errc::conflict,
        fmt::format("Volume {} is '{}', and cannot be modified", volume.id, name_of(volume.state)),
        "Only a volume that is available or in use can.");
    return plan;
  }
  const bool is_running = newest && (newest->state == ModificationState::modifying ||
                                     newest->state == ModificationState::optimizing);
  const bool is_wanted = is_running && is_as(spec, *newest, newest->size);
  if (is_wanted && newest->state == ModificationState::modifying) {
    plan.is_under_way = true;
    return plan;
  }
  if (is_wanted || is_as(spec, volume, volume.size)) {
    plan.is_as_asked = true;
    return plan;
  }
  if (is_running) {
    plan.refusal =
        refuse(Errc::conflict,
               fmt::format("Volume {} is still being modified ({} %)", volume.id,
                           newest->progress.value_or(0)),
               "EC2 takes the next modification once this one is 'completed', which takes hours "
               "for a large volume.");
    return plan;
  }
  plan.refusal = check_spec(outcome_of(volume, spec));
  return plan;
}

Result<ModificationFacts> execute_modify(const Change& change, const VolumeFacts& volume,
                                         const ModifyPlan& plan, const ModifySpec& spec) {
  const Session& session = change.session;
  if (!plan.is_under_way) {
    aws::ec2::ModifyVolumeRequest request{.volume_id = volume.id.str(),
                                          .volume_type = spec.type.value_or(""),
                                          .iops = spec.iops,
                                          .throughput = spec.throughput};
    if (spec.size) request.size = spec.size->count;
    session.progress(fmt::format("modifying {}", volume.id));
    auto sent = send<aws::ec2::ModifyVolume>(change, request);
    if (!sent && sent.error().effect == Effect::not_applied) {
      if (sent.error().remote && sent.error().remote->code == "VolumeModificationRateExceeded") {
        sent.error().hint =
            "A volume takes 4 modifications in 24 hours; those that changed nothing count too.";
      }
      return std::unexpected{std::move(sent).error()};
    }
    if (!sent) {
      RUNCTL_TRY(resolve(session, volume, spec));
      change.recorder.settle(journal::Outcome::applied, "seen by reading");
    }
  }
  return wait_until_usable(session, volume, spec);
}

Result<Growth> grow_filesystem(const Change& change, const VolumeFacts& volume, GiB size) {
  const Session& session = change.session;
  const auto holder = reachable_holder(session, volume, std::nullopt, "grown");
  if (!holder && holder.error().code == Errc::conflict) {
    std::string why =
        volume.attachments.empty() ? "no machine has the volume" : holder.error().message;
    if (why.ends_with('.')) why.pop_back();
    return Growth{.why_not = fmt::format("{}; {}", why, once_mounted)};
  }
  if (!holder) return std::unexpected{holder.error()};
  const InstanceId& instance = holder->instance.id;
  session.progress(fmt::format("growing the filesystem on {}", volume.id));
  auto grown = on_machine(change, "grow",
                          {{"volume", volume.id.str()}, {"instance", instance.str()}}, [&]() {
                            return node::grow(machine_of(session, instance, grow_patience),
                                              {.volume = volume.id, .size = size});
                          });
  if (grown) return Growth{.grown = *std::move(grown)};
  const auto& remote = grown.error().remote;
  if (remote && remote->code == "not_mounted") {
    return Growth{.why_not = fmt::format("{}; {}", grown.error().message, once_mounted)};
  }
  if (remote && remote->code == "not_possible") return Growth{.why_not = grown.error().message};
  return std::unexpected{std::move(grown).error()};
}

}  // namespace runctl::volume
