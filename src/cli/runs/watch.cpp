#include "cli/runs/watch.hpp"

#include <ostream>
#include <utility>

#include <fmt/format.h>

#include "cli/instance/run_text.hpp"
#include "cli/output.hpp"
#include "cli/runs/stop_text.hpp"
#include "training/follow.hpp"
#include "training/stop.hpp"
#include "volume/read.hpp"

namespace runctl::cli {
namespace {

constexpr std::chrono::seconds time_for_second_interrupt{3};

// A machine that EC2 says is gone will not answer any more; as long as EC2 does not say so, it may.
Result<void> look_at(const RunHost& host, const node::RunId& run) {
  const auto instance =
      volume::read_instance(host.cloud->aws(), host.instance, host.cloud->options());
  if (!instance && instance.error().code != Errc::not_found) return {};
  if (instance && (instance->state == volume::InstanceState::running ||
                   instance->state == volume::InstanceState::pending)) {
    return {};
  }
  const std::string_view state = instance ? volume::name_of(instance->state) : "gone";
  auto gone =
      fail(Errc::unavailable, fmt::format("{} is '{}': what became of run {} cannot be told now",
                                          host.words, state, run.str()));
  if (instance && (instance->state == volume::InstanceState::stopped ||
                   instance->state == volume::InstanceState::stopping)) {
    gone.error().hint = "Its record is on the machine's disk:";
    gone.error().ways_out = {fmt::format("runctl aws start {} --wait", host.instance),
                             fmt::format("runctl runs show {}", run.str())};
  }
  return gone;
}

// After the first Ctrl-C, at a terminal. Nothing when the run is to go on.
Result<std::optional<ExitCode>> offer_to_stop(Context& context, const Watch& watch) {
  const auto announce = [&context] {
    note(context, fmt::format("Press Ctrl-C again within {} s to stop the run instead.",
                              time_for_second_interrupt.count()));
  };
  if (!context.second_interrupt(time_for_second_interrupt, announce)) return std::nullopt;
  const std::string answer =
      ask(context, fmt::format("\nStop run {} on {}? [y/N] ", watch.run.str(), watch.host.words));
  if (answer != "y" && answer != "Y" && answer != "yes") {
    note(context, "It goes on.");
    return std::nullopt;
  }
  // What was requested to stop is the following.
  context.stop = {};
  RUNCTL_TRY_LET(const auto stopped, stop_run(context, watch.host, watch.run, {}));
  present_stopped(context, watch.host, stopped);
  return ExitCode::cancelled;
}

}  // namespace

std::string way_back(const node::RunId& run, std::uint64_t offset) {
  return offset == 0
             ? fmt::format("runctl runs logs {} --follow", run.str())
             : fmt::format("runctl runs logs {} --follow --since-offset {}", run.str(), offset);
}

ExitCode conclude(Context& context, const node::RunReport& run, boost::json::object more) {
  if (context.globals.output != OutputFormat::text) {
    for (auto& [name, value] : record_of(run)) more[name] = std::move(value);
    present(context, {.text = {}, .record = std::move(more), .id = run.id.str()});
  }
  if (run.upload) note(context, fmt::format("Results: {}", upload_text(*run.upload)));
  if (run.state == node::RunState::succeeded) {
    note(context, fmt::format("Run {} succeeded.", run.id.str()));
    if (!run.upload || run.upload->is_whole()) return ExitCode::ok;
    note(context, fmt::format("Error: not everything that it has written is in {}; it is all on "
                              "its machine.",
                              run.upload->target));
    return ExitCode::partial;
  }
  note(context, fmt::format("Error: Run {} {}.", run.id.str(), outcome_text(run)));
  return ExitCode::failure;
}

Result<ExitCode> watch(Context& context, const Watch& watch) {
  RUNCTL_TRY_LET(const Seen seen, watch_to_its_end(context, watch));
  if (const auto* run = std::get_if<node::RunReport>(&seen)) return conclude(context, *run);
  return std::get<ExitCode>(seen);
}

Result<Seen> watch_to_its_end(Context& context, const Watch& watch) {
  // Standard output is the record's under --output json; the log is for people then.
  std::ostream& log = context.globals.output == OutputFormat::text ? context.out : context.err;
  std::uint64_t shown = watch.from;
  const auto come_back = [&] {
    return watch.come_back.empty() ? way_back(watch.run, shown) : watch.come_back;
  };
  bool has_ended = false;  // and its results are still uploaded
  training::Following following{.machine = watch.host.machine(context.stop),
                                .clock = context.clock,
                                .write =
                                    [&](std::string_view text) {
                                      log << text << std::flush;
                                      shown += text.size();
                                    },
                                .tell = [&](std::string_view text) { note(context, text); },
                                .uploading = [&] { has_ended = true; },
                                .from = watch.from,
                                .behind_limit = watch.behind_limit};
  if (!watch.host.is_here()) {
    following.deadline = watch.host.cloud->session().deadline;
    following.look_at_machine = [&] { return look_at(watch.host, watch.run); };
  } else if (context.globals.timeout) {
    following.deadline = context.clock.ticks() + *context.globals.timeout;
  }
  auto ended = training::follow(following, watch.run);
  if (ended) return std::move(ended)->run;
  Error error = watch.host.in_its_words(std::move(ended).error());
  const bool detached = error.code == Errc::cancelled;
  if (!detached && error.code != Errc::deadline_exceeded && error.code != Errc::unavailable) {
    return std::unexpected{std::move(error)};
  }
  if (has_ended) {
    error.hint = fmt::format("The machine goes on with that, on {}. To see it:", watch.host.words);
    error.ways_out = {fmt::format("runctl runs show {}", watch.run.str())};
    return std::unexpected{std::move(error)};
  }
  if (detached && context.interactive && context.second_interrupt) {
    note(context, fmt::format("\nDetached: run {} goes on, on {}.\nTo come back: {}",
                              watch.run.str(), watch.host.words, come_back()));
    RUNCTL_TRY_LET(const auto decided, offer_to_stop(context, watch));
    return decided.value_or(ExitCode::cancelled);
  }
  if (error.ways_out.empty()) {
    error.hint =
        fmt::format("Run {} goes on, on {}. To come back:", watch.run.str(), watch.host.words);
    error.ways_out = {come_back(), fmt::format("runctl runs stop {}", watch.run.str())};
  }
  return std::unexpected{std::move(error)};
}

}  // namespace runctl::cli
