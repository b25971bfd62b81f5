#include "emulator/fault.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"

namespace runctl::emulator {
namespace {

struct EffectName {
  FaultEffect effect;
  std::string_view name;
};

constexpr std::array effect_names{
    EffectName{.effect = FaultEffect::throttle, .name = "throttle"},
    EffectName{.effect = FaultEffect::fail_before, .name = "fail-before"},
    EffectName{.effect = FaultEffect::fail_after, .name = "fail-after"},
    EffectName{.effect = FaultEffect::drop_before, .name = "drop-before"},
    EffectName{.effect = FaultEffect::drop_reply, .name = "drop-reply"},
    EffectName{.effect = FaultEffect::truncate, .name = "truncate"},
    EffectName{.effect = FaultEffect::reset, .name = "reset"},
    EffectName{.effect = FaultEffect::bit_flip, .name = "bit-flip"},
    EffectName{.effect = FaultEffect::slow, .name = "slow"},
    EffectName{.effect = FaultEffect::delay, .name = "delay"},
    EffectName{.effect = FaultEffect::stale, .name = "stale"},
    EffectName{.effect = FaultEffect::stuck_attaching, .name = "stuck-attaching"},
    EffectName{.effect = FaultEffect::agent_offline, .name = "agent-offline"},
    EffectName{.effect = FaultEffect::agent_slow, .name = "agent-slow"},
    EffectName{.effect = FaultEffect::power_loss, .name = "power-loss"},
    EffectName{.effect = FaultEffect::spot_interruption, .name = "spot-interruption"},
};

std::unexpected<Error> wrong(std::string message, std::string_view word,
                             std::span<const std::string_view> known) {
  auto failed = fail(Errc::invalid_argument, std::move(message));
  const std::string_view near = nearest(word, known);
  std::string list;
  for (const std::string_view name : known) list += (list.empty() ? "" : ", ") + std::string{name};
  failed.error().hint =
      near.empty() ? "It is one of " + list + "." : fmt::format("Did you mean '{}'?", near);
  return failed;
}

Result<FaultEffect> parse_effect(std::string_view text) {
  std::vector<std::string_view> names;
  for (const EffectName& row : effect_names) {
    if (row.name == text) return row.effect;
    names.push_back(row.name);
  }
  return wrong(fmt::format("there is no fault '{}'", text), text, names);
}

template <class Number>
Result<Number> parse_number(std::string_view name, std::string_view text, Number least,
                            Number most) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || rest != end || !(number >= least) || !(number <= most)) {
    return fail(Errc::invalid_argument,
                fmt::format("{}= takes {} to {}, not '{}'", name, least, most, text));
  }
  return number;
}

constexpr std::array<std::string_view, 7> settings{"rate",   "skip", "times", "code",
                                                   "status", "ms",   "bps"};
constexpr std::uint64_t many = 1'000'000'000;
// Source: EC2 User Guide, "Spot Instance interruption notices": two minutes.
constexpr std::chrono::milliseconds spot_warning{120'000};

Result<void> apply_setting(FaultRule& rule, std::string_view word) {
  const auto equals = word.find('=');
  const std::string_view name = word.substr(0, equals);
  const std::string_view value =
      equals == std::string_view::npos ? std::string_view{} : word.substr(equals + 1);
  if (name == "rate") {
    RUNCTL_TRY_LET(rule.rate, parse_number<double>(name, value, 0, 1));
  } else if (name == "skip") {
    RUNCTL_TRY_LET(rule.skip, parse_number<std::uint64_t>(name, value, 0, many));
  } else if (name == "times") {
    RUNCTL_TRY_LET(rule.times, parse_number<std::uint64_t>(name, value, 0, many));
  } else if (name == "status") {
    // S3 may begin an answer with 200, and end it with an error.
    RUNCTL_TRY_LET(rule.status, parse_number<int>(name, value, value == "200" ? 200 : 400, 599));
  } else if (name == "bps") {
    RUNCTL_TRY_LET(rule.bytes_per_second, parse_number<std::uint64_t>(name, value, 1, many));
  } else if (name == "ms") {
    RUNCTL_TRY_LET(const auto count, parse_number<std::int64_t>(name, value, 0, 3'600'000));
    rule.duration = std::chrono::milliseconds{count};
  } else if (name == "code" && !value.empty()) {
    rule.code = value;
  } else {
    return wrong(fmt::format("a fault has no setting '{}'", word), name, settings);
  }
  return {};
}

bool needs_code(FaultEffect effect) {
  return effect == FaultEffect::fail_before || effect == FaultEffect::fail_after;
}

// A machine's fault is for a machine, and a request's for a request: the other would never strike.
Result<void> check_target(const FaultRule& rule) {
  const std::string_view target = rule.action;
  const bool is_machine = target.starts_with("i-");
  const bool is_any = target == "*";
  if (is_machine && !is_of_machines(rule.effect)) {
    auto wrong_target = fail(
        Errc::invalid_argument,
        fmt::format("{} strikes requests, not machines such as {}", name_of(rule.effect), target));
    wrong_target.error().hint = "For example: AttachVolume drop-reply";
    return wrong_target;
  }
  if (!is_of_machines(rule.effect)) return {};
  const bool whole = InstanceId::parse(target).has_value();
  const bool pattern = target.ends_with('*') && (is_machine || is_any);
  if (whole || (pattern && rule.effect != FaultEffect::power_loss)) return {};
  auto wrong_target = fail(Errc::invalid_argument, fmt::format("{} strikes one machine, and '{}' "
                                                               "is no instance id",
                                                               name_of(rule.effect), target));
  wrong_target.error().hint =
      fmt::format("For example: i-0123456789abcdef0 {}", name_of(rule.effect));
  return wrong_target;
}

Result<void> check_setting_of_machine(const FaultRule& rule, std::string_view word) {
  if (!is_of_machines(rule.effect)) return {};
  const bool takes_time =
      rule.effect == FaultEffect::agent_slow || rule.effect == FaultEffect::spot_interruption;
  if (takes_time && word.starts_with("ms=")) return {};
  return fail(Errc::invalid_argument,
              fmt::format("{} has no setting '{}'", name_of(rule.effect), word));
}

// SplitMix64's finalizer: every bit of the input moves every bit of the output.
std::uint64_t mix(std::uint64_t value) {
  value += 0x9E3779B97F4A7C15U;
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31U);
}

std::uint64_t mix(std::string_view text) {
  std::uint64_t value = 0;
  for (const char c : text) value = mix(value ^ static_cast<unsigned char>(c));
  return value;
}

// `draw` is different for each strike, and the same for the same strike of the same run.
void apply(const FaultRule& rule, std::uint64_t draw, Strike& strike) {
  strike.effects.push_back(rule.effect);
  switch (rule.effect) {
    case FaultEffect::throttle:
      strike.before = WireFault{.code = "RequestLimitExceeded", .status = 503};
      return;
    case FaultEffect::fail_before:
      strike.before = WireFault{.code = rule.code, .status = rule.status};
      return;
    case FaultEffect::fail_after:
      strike.after = WireFault{.code = rule.code, .status = rule.status};
      return;
    case FaultEffect::drop_before:
      strike.dropped_before = true;
      return;
    case FaultEffect::drop_reply:
      strike.delivery = Delivery::none;
      return;
    case FaultEffect::truncate:
      strike.delivery = std::max(strike.delivery, Delivery::half);
      return;
    case FaultEffect::reset:
      strike.delivery = std::max(strike.delivery, Delivery::reset);
      return;
    case FaultEffect::bit_flip:
      strike.flip_draw = draw;
      return;
    case FaultEffect::slow:
      strike.bytes_per_second = rule.bytes_per_second;
      return;
    case FaultEffect::delay:
      strike.delay += rule.duration;
      return;
    case FaultEffect::stale:
      strike.stale = rule.duration;
      return;
    case FaultEffect::stuck_attaching:
      strike.stuck = true;
      return;
    case FaultEffect::agent_offline:
    case FaultEffect::agent_slow:
    case FaultEffect::power_loss:
    case FaultEffect::spot_interruption:
      return;
  }
}

}  // namespace

std::string_view name_of(FaultEffect effect) {
  for (const EffectName& row : effect_names) {
    if (row.effect == effect) return row.name;
  }
  std::unreachable();
}

Result<FaultRule> parse_fault(std::span<const std::string> words) {
  if (words.size() < 2) {
    auto few = fail(Errc::invalid_argument, "a fault is an action and an effect");
    few.error().hint = "For example: AttachVolume drop-reply rate=0.2";
    return few;
  }
  FaultRule rule{.action = words[0]};
  RUNCTL_TRY_LET(rule.effect, parse_effect(words[1]));
  RUNCTL_TRY(check_target(rule));
  if (rule.effect == FaultEffect::spot_interruption) rule.duration = spot_warning;
  for (const std::string& word : words.subspan(2)) {
    RUNCTL_TRY(check_setting_of_machine(rule, word));
    RUNCTL_TRY(apply_setting(rule, word));
  }
  if (needs_code(rule.effect) && rule.code.empty()) {
    auto missing =
        fail(Errc::invalid_argument, fmt::format("{} needs code=", name_of(rule.effect)));
    missing.error().hint = "For example: code=InternalError status=500";
    return missing;
  }
  return rule;
}

Result<std::vector<FaultRule>> parse_faults(std::string_view text) {
  std::vector<FaultRule> rules;
  int number = 0;
  for (const std::string_view whole : split(text, '\n')) {
    ++number;
    const std::string_view line = trim(whole.substr(0, whole.find('#')));
    if (line.empty()) continue;
    std::vector<std::string> words;
    for (const std::string_view word : split(line, ' ')) {
      if (!trim(word).empty()) words.emplace_back(trim(word));
    }
    auto rule = parse_fault(words);
    if (!rule) return with_context(std::move(rule).error(), fmt::format("reading line {}", number));
    rules.push_back(*std::move(rule));
  }
  return rules;
}

std::string to_words(const FaultRule& rule) {
  std::string words = fmt::format("{} {}", rule.action, name_of(rule.effect));
  if (rule.rate < 1) words += fmt::format(" rate={}", rule.rate);
  if (rule.skip > 0) words += fmt::format(" skip={}", rule.skip);
  if (rule.times) words += fmt::format(" times={}", *rule.times);
  if (needs_code(rule.effect)) words += fmt::format(" code={} status={}", rule.code, rule.status);
  if (rule.effect == FaultEffect::slow) words += fmt::format(" bps={}", rule.bytes_per_second);
  if (rule.effect == FaultEffect::delay || rule.effect == FaultEffect::stale ||
      rule.effect == FaultEffect::agent_slow || rule.effect == FaultEffect::spot_interruption) {
    words += fmt::format(" ms={}", rule.duration.count());
  }
  return words;
}

bool is_of_machines(FaultEffect effect) {
  return effect == FaultEffect::agent_offline || effect == FaultEffect::agent_slow ||
         happens_once(effect);
}

bool happens_once(FaultEffect effect) {
  return effect == FaultEffect::power_loss || effect == FaultEffect::spot_interruption;
}

bool matches(const FaultRule& rule, std::string_view action) {
  std::string_view pattern = rule.action;
  if (!pattern.ends_with('*')) return pattern == action;
  pattern.remove_suffix(1);
  return action.starts_with(pattern);
}

bool strikes(const FaultRule& rule, std::uint64_t seed, std::uint64_t number) {
  if (number < rule.skip) return false;
  // 53 bits are what a double holds: a number in [0, 1).
  const std::uint64_t drawn = mix(mix(seed) ^ mix(to_words(rule)) ^ mix(number)) >> 11U;
  return std::ldexp(static_cast<double>(drawn), -53) < rule.rate;
}

void Faults::set(std::vector<FaultRule> rules) {
  const std::lock_guard lock{mutex_};
  rules_.clear();
  for (FaultRule& rule : rules) rules_.push_back({.rule = std::move(rule)});
}

void Faults::add(FaultRule rule) {
  const std::lock_guard lock{mutex_};
  rules_.push_back({.rule = std::move(rule)});
}

void Faults::remove(std::string_view action) {
  const std::lock_guard lock{mutex_};
  std::erase_if(rules_, [&](const Counted& counted) { return counted.rule.action == action; });
}

ec2::Agent Faults::agent_of(const InstanceId& instance) const {
  const std::lock_guard lock{mutex_};
  ec2::Agent agent;
  for (const Counted& counted : rules_) {
    const FaultRule& rule = counted.rule;
    if (!is_of_machines(rule.effect) || !matches(rule, instance.str())) continue;
    if (rule.effect == FaultEffect::agent_offline) agent.offline = true;
    if (rule.effect == FaultEffect::agent_slow) agent.delivery += rule.duration;
  }
  return agent;
}

std::vector<FaultRule> Faults::rules() const {
  const std::lock_guard lock{mutex_};
  std::vector<FaultRule> rules;
  rules.reserve(rules_.size());
  for (const Counted& counted : rules_) rules.push_back(counted.rule);
  return rules;
}

std::chrono::milliseconds Faults::oldest_read() const {
  const std::lock_guard lock{mutex_};
  std::chrono::milliseconds oldest{0};
  for (const Counted& counted : rules_) {
    if (counted.rule.effect == FaultEffect::stale) oldest = std::max(oldest, counted.rule.duration);
  }
  return oldest;
}

Strike Faults::on_request(std::string_view action) {
  const std::lock_guard lock{mutex_};
  Strike strike;
  for (Counted& counted : rules_) {
    if (is_of_machines(counted.rule.effect) || !matches(counted.rule, action)) continue;
    const std::uint64_t number = counted.matched++;
    const bool used_up = counted.rule.times && counted.struck >= *counted.rule.times;
    if (used_up || !strikes(counted.rule, seed_, number)) continue;
    ++counted.struck;
    // Another drawing than that of `strikes`: where it strikes must not hang on whether it does.
    apply(counted.rule, mix(mix(seed_) ^ mix("where") ^ mix(to_words(counted.rule)) ^ mix(number)),
          strike);
  }
  return strike;
}

}  // namespace runctl::emulator
