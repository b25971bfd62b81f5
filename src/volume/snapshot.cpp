#include "volume/snapshot.hpp"

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

Result<SnapshotFacts> create_snapshot(const Change& change, const SnapshotSpec& spec) {
  const Session& session = change.session;
  const std::string operation = random_uuid(session.random);
  aws::ec2::TagSpecification tags{.resource_type = "snapshot",
                                  .tags = {{.key = std::string{tag::operation}, .value = operation},
                                           {.key = std::string{tag::consistency},
                                            .value = std::string{name_of(spec.consistency)}}}};
  if (!spec.name.empty()) tags.tags.push_back({.key = std::string{tag::name}, .value = spec.name});
  aws::ec2::CreateSnapshotRequest request{.volume_id = spec.volume.str(),
                                          .tag_specifications = {tags}};
  if (!spec.description.empty()) request.description = spec.description;

  auto created = send<aws::ec2::CreateSnapshot>(change, request);
  if (created) {
    change.recorder.add_subject(created->snapshot_id);
    return to_facts(*created);
  }
  if (created.error().effect == Effect::not_applied) {
    return std::unexpected{std::move(created).error()};
  }
  session.progress("the answer was lost; looking for the snapshot by its tag");
  auto found = find_by_operation(session, operation);
  if (found) {
    change.recorder.settle(journal::Outcome::applied, found->id.str());
    change.recorder.add_subject(found->id.str());
  }
  if (found || found.error().code != Errc::deadline_exceeded) return found;
  Error lost = std::move(created).error();
  lost.message =
      fmt::format("CreateSnapshot of {} was sent, no answer came, and no such snapshot can be seen",
                  spec.volume);
  lost.hint = fmt::format("It may still appear, with the tag {}={}.", tag::operation, operation);
  return std::unexpected{std::move(lost)};
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
