#include "journal/recorder.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace runctl::journal {
namespace {

bool is_settled(const Step& step) {
  return step.outcome == Outcome::applied || step.outcome == Outcome::not_applied;
}

// Whether somebody has to look again before the operation can be called over.
bool stays_open(const Operation& operation, const Error& error) {
  if (error.code == Errc::deadline_exceeded || error.code == Errc::cancelled) return true;
  if (error.effect == Effect::unknown || !std::ranges::all_of(operation.steps, is_settled)) {
    return true;
  }
  // Nobody could look or go on: what was done so far stands where it is, half done.
  const bool is_cut_off = error.code == Errc::denied || error.code == Errc::unavailable ||
                          error.code == Errc::throttled;
  return is_cut_off && std::ranges::any_of(operation.steps, [](const Step& step) {
           return step.outcome == Outcome::applied;
         });
}

}  // namespace

Result<void> Recorder::write() {
  if (journal_ == nullptr) {
    RUNCTL_TRY_LET(journal_, Journal::open(path_));
  }
  return journal_->write(operation_);
}

Result<void> Recorder::intend(std::string action, std::string request) {
  operation_.steps.push_back(
      {.action = std::move(action), .request = std::move(request), .sent = clock_.now()});
  auto written = write();
  if (written) return {};
  operation_.steps.pop_back();
  Error& error = written.error();
  error.message = fmt::format(
      "the journal of operations cannot be written, so nothing was sent: {}", error.message);
  error.code = Errc::internal;
  error.hint = "Make room, or choose another directory for it: set XDG_STATE_HOME.";
  return written;
}

void Recorder::settle(Outcome outcome, std::string answer) {
  if (!operation_.steps.empty()) {
    settle(operation_.steps.size() - 1, outcome, std::move(answer));
  }
}

void Recorder::settle(std::size_t step, Outcome outcome, std::string answer) {
  operation_.steps.at(step).outcome = outcome;
  operation_.steps.at(step).answer = std::move(answer);
}

void Recorder::settle_failed(const Error& error) {
  const std::string answer = error.remote ? error.remote->code : error.message;
  switch (error.effect) {
    case Effect::not_applied:
      return settle(Outcome::not_applied, answer);
    case Effect::applied:
      return settle(Outcome::applied, answer);
    case Effect::unknown:
      return settle(Outcome::unknown, answer);
  }
}

void Recorder::add_subject(const std::string& id) {
  if (std::ranges::find(operation_.subjects, id) == operation_.subjects.end())
    operation_.subjects.push_back(id);
}

Result<void> Recorder::end(const Error* error) {
  if (operation_.state != State::open) return {};
  if (error == nullptr) return end(State::done, "");
  if (stays_open(operation_, *error)) return end(State::open, error->message);
  return end(State::failed, error->message);
}

Result<void> Recorder::end(State state, std::string message) {
  if (operation_.steps.empty()) return {};
  operation_.state = state;
  operation_.message = std::move(message);
  if (state != State::open) operation_.ended = clock_.now();
  return write();
}

}  // namespace runctl::journal
