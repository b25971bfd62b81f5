#include "fleet/resume.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/json.hpp"
#include "base/time_text.hpp"
#include "fleet/continuation.hpp"
#include "fleet/judge.hpp"
#include "volume/read.hpp"
#include "volume/standstill.hpp"

namespace runctl::fleet {
namespace {

using journal::Outcome;
using journal::Step;
using volume::Change;

std::unexpected<Error> may_still_act(const Step& step, const Finding& finding) {
  const Timestamp until = step.sent + request_life;
  auto early = fail(Errc::precondition, fmt::format("{} may still take effect until {}: so far {}",
                                                    step.action, iso8601(until), finding.words));
  early.error().hint = "Nothing was changed. Run this again then.";
  early.error().section = "EBS_CONCURRENT_ACCESS.md#lost-replies";
  return early;
}

Result<std::vector<std::string>> settle_steps(const Change& change, Repeating repeating) {
  std::vector<std::string> found;
  const std::size_t count = change.recorder.operation().steps.size();
  for (std::size_t i = 0; i < count; ++i) {
    const Step step = change.recorder.operation().steps[i];
    if (step.outcome == Outcome::applied || step.outcome == Outcome::not_applied) continue;
    RUNCTL_TRY_LET(const auto finding, judge(change.session, step));
    if (finding.verdict == Verdict::still_open) {
      if (repeating == Repeating::no) return may_still_act(step, finding);
      found.push_back(
          fmt::format("{} is not seen to have taken effect: {}", step.action, finding.words));
      continue;
    }
    const bool applied = finding.verdict == Verdict::applied;
    change.recorder.settle(i, applied ? Outcome::applied : Outcome::not_applied, finding.words);
    for (const std::string& id : finding.subjects) change.recorder.add_subject(id);
    found.push_back(fmt::format("{} {}: {}", step.action,
                                applied ? "took effect" : "did not take effect", finding.words));
  }
  return found;
}

// Nothing may stay frozen, whatever became of the rest.
Result<void> thaw_all(const Change& change) {
  for (const Step& step : change.recorder.operation().steps) {
    if (step.action != "machine:freeze") continue;
    RUNCTL_TRY_LET(const auto what, parse_json(step.request));
    RUNCTL_TRY_LET(const auto id, VolumeId::parse(string_at(what, "volume").value_or("")));
    RUNCTL_TRY_LET(const auto from, InstanceId::parse(string_at(what, "instance").value_or("")));
    // A machine that is off, or gone, freezes nothing.
    const auto machine = volume::read_instance(change.session.aws, from, change.session.options());
    if (!machine && machine.error().code == Errc::not_found) continue;
    if (machine && machine->state != volume::InstanceState::running) continue;
    RUNCTL_TRY(volume::thaw(change.session, id, from, string_at(what, "token").value_or("")));
  }
  return {};
}

// The repetition is over, and with it what it repeated: both had the same effect.
void settle_repeated(const Change& change) {
  const std::size_t count = change.recorder.operation().steps.size();
  for (std::size_t i = 0; i < count; ++i) {
    const Outcome outcome = change.recorder.operation().steps[i].outcome;
    if (outcome == Outcome::applied || outcome == Outcome::not_applied) continue;
    change.recorder.settle(i, Outcome::not_applied, "superseded by the same request, sent again");
  }
}

}  // namespace

Result<std::vector<std::string>> settle(const Change& change, Repeating repeating) {
  RUNCTL_TRY(thaw_all(change));
  return settle_steps(change, repeating);
}

Result<Resumed> resume(const Change& change) {
  Resumed resumed;
  const Continuation continuation = continuation_of(change.recorder.operation().kind);
  const auto repeating = continuation.repeats ? Repeating::yes : Repeating::no;
  RUNCTL_TRY_LET(resumed.found, settle(change, repeating));
  RUNCTL_TRY_LET(resumed.outcome, continuation.act(change));
  settle_repeated(change);
  return resumed;
}

}  // namespace runctl::fleet
