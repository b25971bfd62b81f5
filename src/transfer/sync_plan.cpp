#include "transfer/sync_plan.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "transfer/object_name.hpp"

namespace runctl::transfer {
namespace {

using std::chrono::seconds;

// An ETag that is the same for the same content wherever it lies: one part, and no key of KMS in it
// as far as one can see. Two equal ones mean equal content in any case.
bool equal_etags(const SyncItem& source, const SyncItem& target) {
  return !source.etag.empty() && source.etag == target.etag;
}

Verdict compare_times(const SyncItem& source, const SyncItem& target, const SyncRules& rules) {
  const auto source_time = std::chrono::floor<seconds>(source.modified);
  const auto target_time = std::chrono::floor<seconds>(target.modified);
  switch (rules.direction) {
    case SyncDirection::upload:
      if (source_time < target_time) return {};
      if (source_time > target_time) return {.action = SyncAction::replace, .why = "newer"};
      return {.action = SyncAction::compare, .why = "same second"};
    case SyncDirection::download:
      // To the letter: a download sets the time, and whoever changes the file in the same second
      // leaves another fraction of it. Some servers list fractions that the object's header has
      // not.
      if (target.modified == source.modified || target.modified == source_time) return {};
      return {.action = SyncAction::compare, .why = "time"};
    case SyncDirection::copy:
      if (source_time <= target_time || equal_etags(source, target)) return {};
      return {.action = SyncAction::replace, .why = "newer"};
  }
  std::unreachable();
}

}  // namespace

Verdict compare_items(const SyncItem& source, const SyncItem& target, const SyncRules& rules) {
  if (source.size != target.size) return {.action = SyncAction::replace, .why = "size"};
  if (rules.by_size_only) return {};
  if (rules.by_checksum) {
    if (rules.direction == SyncDirection::copy && equal_etags(source, target)) return {};
    return {.action = SyncAction::compare, .why = "checksum"};
  }
  return compare_times(source, target, rules);
}

Result<void> SyncPlan::fill(Side& side, SyncStream& stream) {
  if (side.item || side.ended) return {};
  RUNCTL_TRY_LET(side.item, stream.next());
  if (!side.item) {
    side.ended = true;
    return {};
  }
  if (side.begun && side.item->name <= side.last) {
    auto unsorted =
        fail(Errc::corrupt, fmt::format("the list is not sorted: '{}' came after '{}'",
                                        printable(side.item->name), printable(side.last)));
    unsorted.error().hint =
        "Without the order it cannot be told what is missing. Directory buckets and some servers "
        "have none: use upload and download.";
    return unsorted;
  }
  side.begun = true;
  side.last = side.item->name;
  return {};
}

bool SyncPlan::is_protected(std::string_view name) {
  while (!protectors_.empty() && !name.starts_with(protectors_.back())) protectors_.pop_back();
  return std::ranges::any_of(protectors_, [&](const std::string& above) {
    return above.ends_with('/') || name.size() == above.size() || name[above.size()] == '/';
  });
}

std::optional<SyncStep> SyncPlan::only_in_source() {
  SyncItem item = *std::exchange(at_source_.item, std::nullopt);
  if (item.blocked.empty()) {
    return SyncStep{.action = SyncAction::create, .why = "new", .source = std::move(item)};
  }
  // Nothing that is not below the new name can be protected by what is not above it.
  while (!protectors_.empty() && !item.name.starts_with(protectors_.back())) protectors_.pop_back();
  protectors_.push_back(item.name);
  return SyncStep{.action = SyncAction::blocked, .why = item.blocked, .source = std::move(item)};
}

std::optional<SyncStep> SyncPlan::only_in_target() {
  SyncItem item = *std::exchange(at_target_.item, std::nullopt);
  if (!item.blocked.empty() || is_protected(item.name)) return std::nullopt;
  return SyncStep{
      .action = SyncAction::remove, .why = "not in the source", .target = std::move(item)};
}

SyncStep SyncPlan::in_both() {
  SyncStep step{.source = *std::exchange(at_source_.item, std::nullopt),
                .target = *std::exchange(at_target_.item, std::nullopt)};
  if (!step.source.blocked.empty()) {
    protectors_.push_back(step.source.name);
    step.action = SyncAction::blocked;
    step.why = step.source.blocked;
    return step;
  }
  if (!step.target.blocked.empty()) {
    step.action = SyncAction::blocked;
    step.why = "in its place: " + step.target.blocked;
    return step;
  }
  const Verdict verdict = compare_items(step.source, step.target, rules_);
  step.action = verdict.action;
  step.why = verdict.why;
  return step;
}

Result<std::optional<SyncStep>> SyncPlan::next() {
  while (true) {
    RUNCTL_TRY(fill(at_source_, source_));
    RUNCTL_TRY(fill(at_target_, target_));
    const auto& source = at_source_.item;
    const auto& target = at_target_.item;
    if (!source && !target) return std::nullopt;
    std::optional<SyncStep> step;
    if (!target || (source && source->name < target->name)) {
      step = only_in_source();
    } else if (!source || target->name < source->name) {
      step = only_in_target();
    } else {
      step = in_both();
    }
    if (step) return step;
  }
}

}  // namespace runctl::transfer
