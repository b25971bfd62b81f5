#include "volume/snapshot.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "volume/read.hpp"
#include "volume/wait.hpp"

namespace runctl::volume {
namespace {

// The snapshot that carries our operation's tag. Reads may be old, so one "no" is not the end.
Result<SnapshotFacts> find_by_operation(const Session& session, const std::string& operation) {
  return wait_for<SnapshotFacts>(
      session, {.budget = std::chrono::seconds{20}}, "the snapshot whose reply was lost",
      [&]() -> Result<std::optional<SnapshotFacts>> {
        RUNCTL_TRY_LET(
            auto found,
            list_snapshots(session.aws,
                           {{.name = fmt::format("tag:{}", tag::operation), .values = {operation}}},
                           session.options()));
        if (found.empty()) return std::nullopt;
        return std::move(found.front());
      });
}

constexpr std::string_view pending = "pending";

aws::ec2::CreateSnapshotRequest request_for(const VolumeFacts& volume, const SnapshotSpec& spec,
                                            const std::string& operation) {
  aws::ec2::TagSpecification tags{
      .resource_type = "snapshot",
      .tags = {{.key = std::string{tag::consistency}, .value = std::string{pending}},
               {.key = std::string{tag::operation}, .value = operation}}};
  if (!spec.name.empty()) tags.tags.push_back({.key = std::string{tag::name}, .value = spec.name});
  const std::string manifest = tag_value(volume.tags, tag::manifest);
  if (mode_of(volume) == VolumeMode::sealed && !manifest.empty()) {
    tags.tags.push_back({.key = std::string{tag::manifest}, .value = manifest});
  }
  aws::ec2::CreateSnapshotRequest request{.volume_id = volume.id.str(),
                                          .tag_specifications = {tags}};
  if (!spec.description.empty()) request.description = spec.description;
  return request;
}

// Where it is known beforehand what the snapshot will be worth.
void label_request(aws::ec2::CreateSnapshotRequest& request, bool consistent) {
  const auto consistency = consistent ? Consistency::consistent : Consistency::crash_consistent;
  request.tag_specifications.front().tags.front().value = name_of(consistency);
}

// Nothing is frozen for a request that EC2 will refuse.
Result<void> check_rights(const Session& session, aws::ec2::CreateSnapshotRequest request) {
  request.dry_run = true;
  const auto asked = session.aws.change<aws::ec2::CreateSnapshot>(request, session.options());
  if (asked) return {};
  const bool allowed = asked.error().remote && asked.error().remote->code == "DryRunOperation";
  if (allowed) return {};
  Error error = asked.error();
  error.effect = Effect::not_applied;
  return std::unexpected{std::move(error)};
}

// After a lost answer.
Result<SnapshotFacts> resolve(const Change& change, const VolumeId& volume,
                              const std::string& operation, Error sent) {
  if (sent.effect == Effect::not_applied) return std::unexpected{std::move(sent)};
  change.session.progress("the answer was lost; looking for the snapshot by its tag");
  auto found = find_by_operation(change.session, operation);
  if (found) {
    change.recorder.settle(journal::Outcome::applied, found->id.str());
    change.recorder.add_subject(found->id.str());
  }
  if (found) return found;
  const Errc code = found.error().code;
  if (code != Errc::deadline_exceeded && !is_silence(code)) return found;
  sent.message = fmt::format(
      "CreateSnapshot of {} was sent, no answer came, and no such snapshot can be seen", volume);
  sent.hint = fmt::format("It may still appear, with the tag {}={}.", tag::operation, operation);
  return std::unexpected{std::move(sent)};
}

}  // namespace

std::string_view name_of(Consistency consistency) {
  switch (consistency) {
    case Consistency::consistent:
      return "consistent";
    case Consistency::crash_consistent:
      return "crash-consistent";
  }
  std::unreachable();
}

Consistency consistency_of(const SnapshotFacts& snapshot) {
  return tag_value(snapshot.tags, tag::consistency) == name_of(Consistency::consistent)
             ? Consistency::consistent
             : Consistency::crash_consistent;
}

Worth worth_of(const Standstill& ended, bool answered) {
  Worth worth{.why = ended.why(), .frozen_for = ended.frozen_for()};
  if (!answered) worth.why = "the answer was lost, so that it is not known when it was taken";
  if (worth.why.empty()) worth.consistency = Consistency::consistent;
  return worth;
}

Worth without_label(const Worth& worth, const Error& why) {
  return {.why = fmt::format("its label could not be written: {}", why.message),
          .frozen_for = worth.frozen_for};
}

Session while_still(const Session& session, const Standstill& still) {
  Session brief{session};
  if (still.is_frozen()) {
    brief.deadline = std::min(session.deadline, session.clock.ticks() + frozen_request);
  }
  return brief;
}

Result<void> label(const Change& change, const std::string& id, Consistency consistency) {
  RUNCTL_TRY(
      send<aws::ec2::CreateTags>(change, {.resources = {id},
                                          .tags = {{.key = std::string{tag::consistency},
                                                    .value = std::string{name_of(consistency)}}}}));
  return {};
}

Result<TakenSnapshot> take_snapshot(const Change& change, const VolumeFacts& volume,
                                    const SnapshotSpec& spec) {
  const Session& session = change.session;
  const std::string operation = random_uuid(session.random);
  aws::ec2::CreateSnapshotRequest request = request_for(volume, spec, operation);
  if (!volume.attachments.empty()) RUNCTL_TRY(check_rights(session, request));

  RUNCTL_TRY_LET(Standstill still, Standstill::begin(change, volume, spec.freezing));
  const bool settled = !still.is_frozen();
  if (settled) label_request(request, still.is_provable());
  const Session brief = while_still(session, still);
  session.progress(fmt::format("taking a snapshot of {}", volume.id));
  auto created =
      send<aws::ec2::CreateSnapshot>({.session = brief, .recorder = change.recorder}, request);
  still.end();

  const bool answered = created.has_value();
  if (answered) change.recorder.add_subject(created->snapshot_id);
  RUNCTL_TRY_LET(auto made,
                 answered ? to_facts(*created)
                          : resolve(change, volume.id, operation, std::move(created).error()));
  TakenSnapshot taken{.snapshot = std::move(made), .worth = worth_of(still, answered)};
  if (!settled || !answered) {
    auto labelled = label(change, taken.snapshot.id.str(), taken.worth.consistency);
    // What has no label counts as crash-consistent; but one may stand there from the beginning.
    if (!labelled && settled) {
      labelled.error().details.push_back(fmt::format(
          "snapshot {} exists, and its label says more than is known", taken.snapshot.id));
      return std::unexpected{std::move(labelled).error()};
    }
    if (!labelled) taken.worth = without_label(taken.worth, labelled.error());
  }
  return taken;
}

Result<SnapshotFacts> wait_until_completed(const Session& session, const SnapshotId& id) {
  return wait_for<SnapshotFacts>(
      session, {.max_delay = std::chrono::seconds{5}, .budget = std::chrono::hours{48}},
      fmt::format("snapshot {} to complete", id), [&]() -> Result<std::optional<SnapshotFacts>> {
        auto seen = read_snapshot(session.aws, id, session.options());
        if (!seen && seen.error().code == Errc::not_found) return std::nullopt;
        if (!seen) return std::unexpected{std::move(seen).error()};
        switch (seen->state) {
          case SnapshotState::completed:
            return *std::move(seen);
          case SnapshotState::pending:
          case SnapshotState::recovering:
            session.progress(fmt::format("snapshot {} {}", id, seen->progress));
            return std::nullopt;
          case SnapshotState::error:
          case SnapshotState::recoverable:
            return fail(Errc::internal, fmt::format("snapshot {} ended as '{}': {}", id,
                                                    name_of(seen->state), seen->state_message));
        }
        std::unreachable();
      });
}

}  // namespace runctl::volume
