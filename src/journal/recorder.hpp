// The journal's side of one command that changes something.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "base/result.hpp"
#include "io/clock.hpp"
#include "journal/journal.hpp"
#include "journal/operation.hpp"

namespace runctl::journal {

// Writes an operation as it goes. Nothing is written before the first step: a command that finds
// nothing to do leaves no trace, and makes no file. Thread safety: one caller at a time.
class Recorder {
 public:
  // A new operation; or, with steps in it, one that goes on.
  Recorder(std::filesystem::path path, Clock& clock, Operation operation)
      : path_{std::move(path)}, clock_{clock}, operation_{std::move(operation)} {}

  // Durable before it returns, so that the request may be sent. Errors: internal when it
  // cannot be written, and then nothing must be sent.
  [[nodiscard]] Result<void> intend(std::string action, std::string request);

  // What became of the last step. Written with the next intent or the end: a crash before that
  // leaves it pending, which reading resolves.
  void settle(Outcome outcome, std::string answer);
  // The same of an earlier step, for one that was left open.
  void settle(std::size_t step, Outcome outcome, std::string answer);

  // An id that the operation is about and that was not known before: it is found by it.
  void add_subject(const std::string& id);

  // Carries out one step: intent, act, outcome. What `act` returns is a Result; its error's effect
  // is the outcome.
  template <class Act>
  [[nodiscard]] std::invoke_result_t<Act> step(std::string action, std::string request,
                                               const Act& act) {
    RUNCTL_TRY(intend(std::move(action), std::move(request)));
    auto result = act();
    if (result) {
      settle(Outcome::applied, {});
    } else {
      settle_failed(result.error());
    }
    return result;
  }

  // The command is over; `error` is null when all is as it was to be. An operation is left open
  // when what it did is not known, or when it stopped half-way (time-out, Ctrl-C); one that has
  // been ended in a state stays in it.
  // Errors: those of the journal. What was done stays done: it is left open then, never lost.
  [[nodiscard]] Result<void> end(const Error* error);
  [[nodiscard]] Result<void> end(State state, std::string message);

  [[nodiscard]] const Operation& operation() const { return operation_; }

 private:
  [[nodiscard]] Result<void> write();
  void settle_failed(const Error& error);

  std::filesystem::path path_;
  Clock& clock_;
  Operation operation_;
  std::unique_ptr<Journal> journal_ = nullptr;
};

}  // namespace runctl::journal
