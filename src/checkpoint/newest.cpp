#include "checkpoint/newest.hpp"

#include <algorithm>
#include <utility>

#include "checkpoint/names.hpp"

namespace runctl::checkpoint {
namespace {

bool is_candidate(const Checkpoint& one) {
  return !one.is_unfinished && one.finding.verdict != Verdict::damaged;
}

bool has_number(const Checkpoint& one) {
  return one.finding.facts.step.has_value() || one.finding.facts.epoch.has_value();
}

// Where each stands by what kind it is, before any number: 0 decides what the order is by.
class Ranks {
 public:
  explicit Ranks(std::span<const Checkpoint> checkpoints)
      : any_candidate_{std::ranges::any_of(checkpoints, is_candidate)},
        any_number_{std::ranges::any_of(checkpoints, [](const Checkpoint& one) {
          return is_candidate(one) && has_number(one);
        })} {}

  [[nodiscard]] int of(const Checkpoint& one) const {
    if (!is_candidate(one)) return any_candidate_ ? 2 : 0;
    return !any_number_ || has_number(one) || is_named_for_being_last(one.name) ? 0 : 1;
  }

 private:
  bool any_candidate_;
  bool any_number_;
};

OrderBy criterion(std::span<const Checkpoint> checkpoints, const Ranks& ranks) {
  const auto all_have = [&](auto has) {
    return std::ranges::all_of(checkpoints, [&](const Checkpoint& one) {
      return ranks.of(one) > 0 || has(one.finding.facts);
    });
  };
  if (all_have([](const Facts& facts) { return facts.step.has_value(); })) return OrderBy::step;
  if (all_have([](const Facts& facts) { return facts.epoch.has_value(); })) return OrderBy::epoch;
  return OrderBy::time;
}

// Whether `a` is newer than `b`, of one rank.
bool is_newer(const Checkpoint& a, const Checkpoint& b, OrderBy by) {
  const Facts& of_a = a.finding.facts;
  const Facts& of_b = b.finding.facts;
  if (by == OrderBy::step && of_a.step != of_b.step) return of_a.step > of_b.step;
  if (by != OrderBy::time && of_a.epoch != of_b.epoch) return of_a.epoch > of_b.epoch;
  if (a.written != b.written) return a.written > b.written;
  return a.name > b.name;
}

// Of one that is not good, by what it or its name says, else by its time.
bool would_be_newer(const Checkpoint& one, const Checkpoint& than, OrderBy by) {
  const Facts& facts = one.finding.facts;
  const Facts& others = than.finding.facts;
  if (by == OrderBy::step && facts.step && others.step) return *facts.step >= *others.step;
  if (by == OrderBy::epoch && facts.epoch && others.epoch) return *facts.epoch >= *others.epoch;
  return one.written >= than.written;
}

std::string why_not(const Checkpoint& one) {
  if (one.is_unfinished) return "its name is that of an unfinished file";
  return one.finding.why;
}

}  // namespace

std::string_view name_of(OrderBy by) {
  switch (by) {
    case OrderBy::step:
      return "step";
    case OrderBy::epoch:
      return "epoch";
    case OrderBy::time:
      return "time";
  }
  std::unreachable();
}

std::string_view in_words(OrderBy by) {
  switch (by) {
    case OrderBy::step:
      return "by step";
    case OrderBy::epoch:
      return "by epoch";
    case OrderBy::time:
      return "by the time it was written, since not all say their step or epoch";
  }
  std::unreachable();
}

Order order_of(std::span<const Checkpoint> checkpoints) {
  const Ranks ranks{checkpoints};
  Order order{.by = criterion(checkpoints, ranks),
              .newest_first = std::vector<std::size_t>(checkpoints.size())};
  for (std::size_t i = 0; i < checkpoints.size(); ++i) order.newest_first[i] = i;
  std::ranges::sort(order.newest_first, [&](std::size_t a, std::size_t b) {
    const int of_a = ranks.of(checkpoints[a]);
    const int of_b = ranks.of(checkpoints[b]);
    if (of_a != of_b) return of_a < of_b;
    return is_newer(checkpoints[a], checkpoints[b], order.by);
  });
  return order;
}

bool is_good(const Checkpoint& checkpoint, Trust trust) {
  if (checkpoint.is_unfinished) return false;
  switch (checkpoint.finding.verdict) {
    case Verdict::sound:
    case Verdict::complete:
      return true;
    case Verdict::unknown:
      return trust == Trust::any_format;
    case Verdict::damaged:
      return false;
  }
  std::unreachable();
}

Result<Newest> find_newest(Place& place, Trust trust) {
  RUNCTL_TRY_LET(Grouping grouping, survey(place, Depth::structure));
  std::vector<Checkpoint>& all = grouping.checkpoints;
  // What the structure alone shows to be torn may say nothing of itself, and must not decide what
  // the rest is ordered by.
  const Order order = order_of(all);
  Newest newest{.by = order.by};
  for (const std::size_t index : order.newest_first) {
    Checkpoint& one = all[index];
    if (!is_good(one, trust)) continue;
    const auto read = inspect(place, one, Depth::contents);
    if (!read && read.error().code == Errc::not_found) continue;
    if (!read) return std::unexpected{read.error()};
    if (!is_good(one, trust)) continue;
    newest.checkpoint = one;
    break;
  }
  for (const std::size_t index : order.newest_first) {
    const Checkpoint& one = all[index];
    const bool is_chosen = newest.checkpoint && newest.checkpoint->name == one.name;
    if (is_chosen) continue;
    if (!is_good(one, trust)) {
      if (!newest.checkpoint || would_be_newer(one, *newest.checkpoint, order.by)) {
        newest.skipped.push_back({.name = one.name,
                                  .why = why_not(one),
                                  .verdict = one.finding.verdict,
                                  .is_unfinished = one.is_unfinished});
      }
    } else if (newest.checkpoint && one.written > newest.checkpoint->written &&
               newest.written_later.empty()) {
      newest.written_later = one.name;
    }
  }
  return newest;
}

}  // namespace runctl::checkpoint
