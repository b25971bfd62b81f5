#include "training/stop.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/time_text.hpp"

namespace runctl::training {
namespace {

using std::chrono::milliseconds;

// How long one look waits on the machine; a script that takes longer could be cut off in the
// middle.
constexpr milliseconds longest_look{5'000};

bool is_over(const node::StopProgress& progress) {
  return progress.run.state != node::RunState::running && progress.left_count == 0;
}

std::unexpected<Error> outlives_everything(const node::StopProgress& progress) {
  auto error = fail(Errc::conflict,
                    fmt::format("{} processes of run {} outlive SIGKILL: they wait for a device",
                                progress.left_count, progress.run.id.str()));
  for (const auto& process : progress.left) {
    error.error().details.push_back(fmt::format("process {} '{}'", process.pid, process.command));
  }
  error.error().hint =
      "They end when what they wait for answers; a restart of the machine ends it.";
  error.error().effect = Effect::applied;
  return error;
}

}  // namespace

Result<Stopped> stop(const Stopping& stopping, const node::RunId& run, const StopSpec& spec) {
  const auto over = stopping.clock.ticks() + spec.grace;
  node::StopStep step{.signal = spec.signal, .by = spec.by};
  step.wait = std::min<milliseconds>(longest_look, spec.grace);
  RUNCTL_TRY_LET(auto progress, node::stop_run(stopping.machine, run, step));
  Stopped stopped{.run = progress.run, .ended_processes = 0};
  stopped.had_ended = !progress.run.stop && is_over(progress);
  if (!progress.run.stop) stopped.ended_processes = progress.left_count;
  step.send = node::SendSignal::no;
  while (!is_over(progress) && stopping.clock.ticks() < over) {
    const auto left = std::chrono::ceil<milliseconds>(over - stopping.clock.ticks());
    step.wait = std::clamp(left, milliseconds{200}, longest_look);
    RUNCTL_TRY_LET(progress, node::stop_run(stopping.machine, run, step));
  }
  if (!is_over(progress)) {
    stopping.tell(fmt::format("Run {} has not ended within {}: killing it.", run.str(),
                              duration_in_words(spec.grace)));
    step.kill = node::KillAll::yes;
    step.wait = longest_look;
    RUNCTL_TRY_LET(progress, node::stop_run(stopping.machine, run, step));
    stopped.was_killed = true;
    if (progress.left_count > 0) return outlives_everything(progress);
  }
  stopped.run = std::move(progress.run);
  return stopped;
}

}  // namespace runctl::training
