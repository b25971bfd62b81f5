// What an operation has rented, and how it is given back when it is over.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "journal/operation.hpp"
#include "volume/change.hpp"
#include "volume/facts.hpp"
#include "volume/session.hpp"

namespace runctl::fleet {

enum class MachineEnd : std::uint8_t {
  terminate,  // its data volumes stay, and are free again
  stop,       // its data volumes and its disk stay its own
  keep
};
[[nodiscard]] std::string_view name_of(MachineEnd end);

// Whether a step of that name took effect, or may have: `RunInstances`, `machine:start-run`.
[[nodiscard]] bool has_happened(const journal::Operation& operation, std::string_view action);
[[nodiscard]] bool may_have_happened(const journal::Operation& operation, std::string_view action);

// The operation's subjects that are ids of that kind, in the order in which it came by them.
template <class Id>
[[nodiscard]] std::vector<Id> subjects_of(const journal::Operation& operation) {
  std::vector<Id> found;
  for (const std::string& text : operation.subjects) {
    if (auto id = Id::parse(text)) found.push_back(*std::move(id));
  }
  return found;
}

// Whether a machine is on its way out, or forgotten by EC2. Errors: those of the read.
[[nodiscard]] Result<bool> is_gone(const volume::Session& session, const InstanceId& instance);

// A session for what neither a stop nor a time-out of the command may keep from being done; it has
// 15 minutes of its own.
[[nodiscard]] volume::Session patient(const volume::Session& session);

// Whether an error is of something that ends by itself: a script of a command that was killed is
// still at it, or a busy machine answers late.
[[nodiscard]] bool may_pass(const Error& error);

// Calls `act` again, every two seconds for up to two minutes, as long as its error may pass.
inline constexpr std::chrono::minutes passing_patience{2};
template <class Act>
[[nodiscard]] std::invoke_result_t<Act> patiently(const volume::Session& session, const Act& act) {
  const auto until = std::min(session.deadline, session.clock.ticks() + passing_patience);
  while (true) {
    auto done = act();
    if (done || !may_pass(done.error()) || session.clock.ticks() >= until) return done;
    session.progress(done.error().message);
    RUNCTL_TRY(
        session.clock.sleep_until(session.clock.ticks() + std::chrono::seconds{2}, session.stop));
  }
}

// Ends what stages data on its volumes, unmounts them, and ends the machine in that way; waits
// until its volumes are free. One that is gone already is none that is left. Errors: those of
// plan_stop, plan_terminate and their execution, which leave the machine as it is.
[[nodiscard]] Result<void> end_machine(const volume::Change& change, const InstanceId& instance,
                                       MachineEnd end);

// Deletes a volume that the operation made empty, and on which no run of it was ever started: what
// it holds is a filesystem, and what was staged from elsewhere. Errors: conflict when somebody else
// uses or protects it by now; those of execute_delete.
[[nodiscard]] Result<void> discard_new_volume(const volume::Change& change, const VolumeId& id);

}  // namespace runctl::fleet
