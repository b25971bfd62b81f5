#include "checkpoint/retention.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

#include <fmt/format.h>

#include "base/text.hpp"
#include "checkpoint/local_place.hpp"
#include "checkpoint/names.hpp"
#include "checkpoint/newest.hpp"

namespace runctl::checkpoint {
namespace {

using Checkpoints = std::span<const Checkpoint>;

constexpr std::array<std::string_view, 12> small_words{
    "loss", "error", "err", "perplexity", "ppl", "rmse", "mae", "mse", "wer", "cer", "nll", "fid"};
constexpr std::array<std::string_view, 13> large_words{
    "acc",       "accuracy", "f1",  "auc",  "score", "bleu",  "iou",
    "precision", "recall",   "map", "dice", "psnr",  "reward"};

// A word of a metric's name: "val_loss" has "loss", "eval/f1" has "f1".
bool has_word(std::string_view name, std::span<const std::string_view> words) {
  const std::string text = lower(name);
  const auto is_inside = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && is_inside(text[end])) ++end;
    if (std::ranges::find(words, std::string_view{text}.substr(at, end - at)) != words.end())
      return true;
    at = end + 1;
  }
  return false;
}

// Why it stays whatever the policy says; "" for what may go.
std::string_view untouchable(const Checkpoint& one) {
  if (one.is_unfinished) return "its name is that of an unfinished file";
  if (one.name.empty()) return "it is the folder itself";
  if (one.is_linked) return "other names lead to it, or it is a link";
  if (is_named_for_its_place(one.name)) return "its name says what it is, not when";
  if (one.series.empty()) return "its name has no number";
  if (one.finding.verdict == Verdict::unknown) return "what it holds is not known";
  return "";
}

bool is_after(const Checkpoint& a, const Checkpoint& b) {
  return a.written == b.written ? a.numbers > b.numbers : a.written > b.written;
}

// How many good ones of its series follow it, by number and by time: the smaller of both.
std::uint64_t followers(Checkpoints all, const Checkpoint& one) {
  std::uint64_t higher = 0;
  std::uint64_t later = 0;
  for (const Checkpoint& other : all) {
    if (&other == &one || other.series != one.series || !is_good(other)) continue;
    if (other.numbers > one.numbers) ++higher;
    if (is_after(other, one)) ++later;
  }
  return std::min(higher, later);
}

// The good one of `one`'s series that is best by a metric; of equal ones the newest.
const Checkpoint* best_of(Checkpoints all, const std::string& series, const BestBy& by) {
  const Checkpoint* best = nullptr;
  double best_value = 0;
  for (const Checkpoint& one : all) {
    const auto value = one.finding.facts.metrics.find(by.metric);
    if (one.series != series || !is_good(one) || value == one.finding.facts.metrics.end()) continue;
    const double signed_value = by.best == Best::min ? -value->second : value->second;
    const bool wins = best == nullptr || signed_value > best_value ||
                      (signed_value == best_value && one.numbers > best->numbers);
    if (wins) {
      best = &one;
      best_value = signed_value;
    }
  }
  return best;
}

bool is_divided(const Checkpoint& one, std::uint64_t every) {
  const Facts& facts = one.finding.facts;
  if (facts.epoch) return std::fmod(*facts.epoch, static_cast<double>(every)) == 0;
  return facts.step && *facts.step % every == 0;
}

Decision decide(Checkpoints all, const Checkpoint& one, const Policy& policy) {
  Decision decision{.index = static_cast<std::size_t>(&one - all.data())};
  if (one.is_folder && one.name.starts_with(removing_prefix)) {
    decision.goes = true;
    decision.why = "an earlier clean-up has begun to remove it";
    return decision;
  }
  if (const auto why = untouchable(one); !why.empty()) {
    decision.why = why;
    return decision;
  }
  const std::uint64_t after = followers(all, one);
  if (after < policy.keep_last) {
    decision.is_leaned_on = is_good(one);
    decision.why = is_good(one) ? fmt::format("one of the last {}", policy.keep_last)
                                : fmt::format("damaged, and newer than the last {} good ones",
                                              policy.keep_last);
    return decision;
  }
  if (is_good(one)) {
    for (const BestBy& by : policy.best) {
      if (best_of(all, one.series, by) != &one) continue;
      decision.is_leaned_on = true;
      decision.why = fmt::format("best {}", by.metric);
      return decision;
    }
    if (policy.every && is_divided(one, *policy.every)) {
      decision.why = fmt::format("every {}", *policy.every);
      return decision;
    }
  }
  decision.goes = true;
  decision.why = is_good(one) ? fmt::format("{} newer ones", after) : one.finding.why;
  return decision;
}

}  // namespace

Result<BestBy> parse_best(std::string_view text) {
  const auto colon = text.rfind(':');
  const std::string_view metric = text.substr(0, colon);
  BestBy by{.metric = std::string{metric}};
  if (metric.empty()) return fail(Errc::invalid_argument, "--keep-best takes the name of a metric");
  if (colon != std::string_view::npos) {
    const std::string_view side = text.substr(colon + 1);
    if (side == "min" || side == "max") {
      by.best = side == "min" ? Best::min : Best::max;
      return by;
    }
    auto wrong = fail(Errc::invalid_argument,
                      fmt::format("a metric is best at its min or max, not at its '{}'", side));
    wrong.error().hint = fmt::format("--keep-best {}:min", metric);
    return wrong;
  }
  const bool small = has_word(metric, small_words);
  if (small != has_word(metric, large_words)) {
    by.best = small ? Best::min : Best::max;
    return by;
  }
  auto unclear = fail(Errc::invalid_argument,
                      fmt::format("whether {} is best small or large is not known", metric));
  unclear.error().hint = fmt::format("--keep-best {0}:min, or --keep-best {0}:max.", metric);
  return unclear;
}

std::vector<Decision> plan_retention(Checkpoints checkpoints, const Policy& policy) {
  assert(policy.keep_last > 0);
  std::vector<Decision> decisions;
  decisions.reserve(checkpoints.size());
  for (const Checkpoint& one : checkpoints) decisions.push_back(decide(checkpoints, one, policy));
  return decisions;
}

}  // namespace runctl::checkpoint
