#include "volume/attach.hpp"

#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "volume/lost_reply.hpp"
#include "volume/read.hpp"
#include "volume/wait.hpp"

namespace runctl::volume {
namespace {

// EC2 attaches within seconds; what takes longer than this is stuck. Source: the design's attach
// protocol, (a) 6; kubernetes#31891.
constexpr std::chrono::seconds stuck_after{90};
// After a plain answer EC2 knows; what is seen until then is old (docs: eventual consistency).
constexpr std::chrono::seconds stale_reads{15};

Result<VolumeFacts> read_again(const Session& session, const VolumeId& id) {
  return read_volume(session.aws, id, session.options());
}

// Another machine has it: says which.
std::unexpected<Error> lost_to_another(const Session& session, const VolumeFacts& volume,
                                       const InstanceId& wanted_by) {
  const AttachmentFacts& winner = volume.attachments.front();
  std::optional<InstanceFacts> holder;
  if (auto read = read_instance(session.aws, winner.instance, session.options())) holder = *read;
  return std::unexpected{held_volume(volume, winner, holder, wanted_by)};
}

// The state of the world after AttachVolume was sent, in as many reads as it takes to be sure.
struct Judgement {
  AttachOutcome outcome = AttachOutcome::not_yet;
  VolumeFacts volume;
  bool operator==(const Judgement& other) const {
    return outcome == other.outcome && volume.attachments == other.volume.attachments;
  }
};

Result<Judgement> judge(const Session& session, const AttachFacts& facts, const std::string& device,
                        std::chrono::seconds patience) {
  return wait_until_agreed<Judgement>(
      session, {.max_delay = std::chrono::seconds{5}, .budget = patience},
      fmt::format("EC2 to show who has volume {}", facts.volume.id),
      [&]() -> Result<std::optional<Judgement>> {
        RUNCTL_TRY_LET(auto volume, read_again(session, facts.volume.id));
        const auto outcome = classify_attach(volume, facts.instance.id, device);
        if (outcome == AttachOutcome::not_yet) return std::nullopt;
        return Judgement{.outcome = outcome, .volume = std::move(volume)};
      });
}

// The attach call failed in a way that leaves open who has the volume now.
bool must_be_read(const Error& error) {
  if (error.effect != Effect::not_applied) return true;
  return error.remote && error.remote->code == "VolumeInUse";
}

// A device name that is taken is said to be a bad parameter. Free names are chosen at random, so
// two attachments to one machine that begin together may choose the same.
Error in_our_words(Error error) {
  const bool is_taken = error.remote && error.remote->code == "InvalidParameterValue" &&
                        error.message.contains("already in use");
  if (!is_taken) return error;
  error.code = Errc::conflict;
  error.hint = "Another volume got that device name at the same moment: run the command again.";
  return error;
}

Result<VolumeFacts> resolve(const Change& change, const AttachFacts& facts,
                            const std::string& device, Error error) {
  const Session& session = change.session;
  const bool unknown = error.effect != Effect::not_applied;
  const std::chrono::seconds patience = unknown ? signature_life : stale_reads;
  session.progress("the answer was lost; reading who has the volume");
  auto judged = judge(session, facts, device, patience);
  if (!judged) {
    if (unknown) {
      return std::unexpected{lost_reply(std::move(judged).error(), "AttachVolume", facts.volume.id,
                                        "nobody has the volume")};
    }
    if (judged.error().code == Errc::deadline_exceeded) return std::unexpected{std::move(error)};
    return std::unexpected{std::move(judged).error()};
  }
  switch (judged->outcome) {
    case AttachOutcome::ours:
      // EC2 refuses a second attach to the same instance with VolumeInUse too: it is ours only if
      // the refusal was not about somebody who chose the same name, and names are chosen at random.
      change.recorder.settle(journal::Outcome::applied, "seen by reading");
      return judged->volume;
    case AttachOutcome::other_name: {
      change.recorder.settle(journal::Outcome::not_applied, "attached by somebody else");
      const auto* here = attachment_to(judged->volume, facts.instance.id);
      auto other =
          fail(Errc::conflict,
               fmt::format("volume {} was attached to {} as {} by somebody else at the same time",
                           facts.volume.id, facts.instance.id, here->device));
      other.error().hint = "Run the command again to use it there.";
      return other;
    }
    case AttachOutcome::lost:
    case AttachOutcome::not_yet:
      change.recorder.settle(journal::Outcome::not_applied, "another instance has it");
      return lost_to_another(session, judged->volume, facts.instance.id);
  }
  std::unreachable();
}

}  // namespace

Result<AttachFacts> read_attach_facts(const Session& session, const VolumeFacts& volume,
                                      const InstanceFacts& instance) {
  AttachFacts facts{.volume = volume, .instance = instance, .nonce = session.random.next()};
  if (!volume.attachments.empty() && !is_shared(volume) &&
      attachment_to(volume, instance.id) == nullptr) {
    auto holder =
        read_instance(session.aws, volume.attachments.front().instance, session.options());
    if (holder) facts.holder = *std::move(holder);
    return facts;  // it will be refused: nothing else needs to be asked
  }
  RUNCTL_TRY_LET(facts.type, read_instance_type(session.aws, instance.type, session.options()));
  return facts;
}

Result<VolumeFacts> wait_until_attached(const Session& session, const VolumeId& volume,
                                        const InstanceId& instance, const std::string& device) {
  auto attached = wait_until_agreed<VolumeFacts>(
      session, {.budget = stuck_after},
      fmt::format("volume {} to be attached to {}", volume, instance),
      [&]() -> Result<std::optional<VolumeFacts>> {
        RUNCTL_TRY_LET(auto seen, read_again(session, volume));
        if (classify_attach(seen, instance, device) == AttachOutcome::lost) {
          return lost_to_another(session, seen, instance);
        }
        const auto* here = attachment_to(seen, instance);
        const bool settled = here != nullptr && here->state == AttachmentState::attached;
        return settled ? std::optional{std::move(seen)} : std::nullopt;
      });
  if (!attached && attached.error().code == Errc::deadline_exceeded) {
    Error& error = attached.error();
    error.effect = Effect::applied;
    error.hint = fmt::format(
        "EC2 has accepted the attachment as {}, and it is still 'attaching'. It may "
        "become ready, or be stuck for ever.",
        device);
    error.ways_out = {
        fmt::format("runctl aws ebs attach {} --instance {}   # waits again", volume, instance),
        fmt::format("runctl aws ebs detach {}   # then attach it again: another "
                    "device name is chosen",
                    volume)};
    error.section = "EBS_CONCURRENT_ACCESS.md#volume-states";
  }
  return attached;
}

Result<VolumeFacts> execute_attach(const Change& change, const AttachFacts& facts,
                                   const AttachPlan& plan) {
  const Session& session = change.session;
  const aws::ec2::AttachVolumeRequest request{.volume_id = facts.volume.id.str(),
                                              .instance_id = facts.instance.id.str(),
                                              .device = plan.device};
  session.progress(
      fmt::format("attaching {} to {} as {}", facts.volume.id, facts.instance.id, plan.device));
  if (auto sent = send<aws::ec2::AttachVolume>(change, request); !sent) {
    if (!must_be_read(sent.error())) return std::unexpected{in_our_words(std::move(sent).error())};
    RUNCTL_TRY(resolve(change, facts, plan.device, std::move(sent).error()));
  }
  auto waited = wait_until_attached(session, facts.volume.id, facts.instance.id, plan.device);
  if (!waited) {
    if (waited.error().effect != Effect::applied) {
      waited.error().details.push_back(
          fmt::format("AttachVolume of {} to {} was accepted", facts.volume.id, facts.instance.id));
    }
    return waited;
  }
  VolumeFacts attached = *std::move(waited);
  // The flag can only change while the volume is unattached: this check is stable, one before was
  // not.
  if (auto others = check_use(attached, facts.instance.id)) {
    others->code = Errc::precondition;
    others->effect = Effect::applied;
    others->details.emplace_back("It was attached by both at the same time, and not mounted here.");
    return std::unexpected{*std::move(others)};
  }
  const bool shared = is_shared(attached) && is_shared(facts.volume);
  if (attached.multi_attach != facts.volume.multi_attach ||
      (attached.attachments.size() != 1 && !shared)) {
    auto changed =
        fail(Errc::precondition, fmt::format("volume {} changed while it was attached to {}",
                                             facts.volume.id, facts.instance.id));
    changed.error().effect = Effect::applied;
    changed.error().hint =
        fmt::format("It was not mounted. Look at it: runctl aws ebs show {}", facts.volume.id);
    return changed;
  }
  return attached;
}

}  // namespace runctl::volume
