#include "cli/workflow/operation.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "base/json.hpp"
#include "cli/instance/launch_options.hpp"
#include "cli/output.hpp"
#include "cli/workflow/ending.hpp"
#include "fleet/provision.hpp"
#include "node/run.hpp"
#include "training/follow.hpp"
#include "volume/machine.hpp"
#include "volume/read.hpp"

namespace runctl::cli {
namespace {

using fleet::made_volumes;
using fleet::subjects_of;
using journal::Operation;
using volume::Change;
using volume::InstanceState;

constexpr std::string_view start_step = "machine:start-run";
constexpr std::chrono::seconds question_patience{60};
// Of its output, when one comes back to a run.
constexpr std::size_t lines_again = 20;

// The run that the operation has started last, and where.
struct StartedRun {
  node::RunId id;
  InstanceId instance;
};

Result<std::optional<StartedRun>> started_run(const Operation& operation) {
  std::optional<StartedRun> found;
  for (const journal::Step& step : operation.steps) {
    if (step.action != start_step || step.outcome != journal::Outcome::applied) continue;
    RUNCTL_TRY_LET(const auto request, parse_json(step.request));
    RUNCTL_TRY_LET(auto id, node::RunId::parse(string_at(request, "run").value_or("")));
    RUNCTL_TRY_LET(auto at, InstanceId::parse(string_at(request, "instance").value_or("")));
    found = StartedRun{.id = std::move(id), .instance = std::move(at)};
  }
  return found;
}

// Where the following begins.
struct Beginning {
  training::Started started;
  std::uint64_t from = 0;  // offset in its log
};

std::vector<VolumeId> ids_of(const std::vector<volume::VolumeFacts>& volumes) {
  std::vector<VolumeId> ids;
  ids.reserve(volumes.size());
  for (const auto& volume : volumes) ids.push_back(volume.id);
  return ids;
}

Result<InstanceId> rent_machine(Workflow& workflow, const Change& change) {
  const auto rented_before = subjects_of<InstanceId>(change.recorder.operation());
  if (!rented_before.empty()) return rented_before.back();
  const fleet::LaunchSpec& launch = workflow.spec.launch;
  RUNCTL_TRY_LET(const auto rented,
                 fleet::launch_with_fallback(
                     change, launch, fallback_from(workflow.arguments, workflow.context, launch)));
  note(workflow.context,
       fmt::format("Rented {} ({}, {}, {}).", rented.instance.id, rented.instance.type,
                   fleet::name_of(rented.market), rented.instance.zone));
  if (rented.market != launch.market) {
    workflow.spec.launch.market = rented.market;
    workflow.spec.price = fleet::find_price(change.session, launch);
  }
  return rented.instance.id;
}

Result<volume::VolumeFacts> read_volume(const Change& change, const VolumeId& id) {
  return volume::read_volume(change.session.aws, id, change.session.options());
}

// A volume for the checkpoints, attached, formatted and mounted.
Result<void> make_volume(Workflow& workflow, const Change& change) {
  std::string name = workflow.arguments.get("--name").value_or("");
  if (name.empty()) name = std::filesystem::path{workflow.train.code.root.script}.stem().string();
  RUNCTL_TRY_LET(const auto placed, fleet::provision(change, workflow.train.instance,
                                                     {.size = workflow.spec.checkpoint_size,
                                                      .name = std::move(name),
                                                      .purpose = "checkpoints"}));
  RUNCTL_TRY_LET(workflow.train.checkpoint_volume, read_volume(change, placed.front().volume));
  note(workflow.context, fmt::format("Volume {} is mounted at {}, for the checkpoints.",
                                     placed.front().volume, placed.front().mount_point));
  return {};
}

// As they are on the machine by now, and the machine with the devices that it has got: the next
// volume gets another name.
Result<void> look_at_volumes(Workflow& workflow, const Change& change) {
  const auto& session = change.session;
  RUNCTL_TRY_LET(workflow.train.instance,
                 volume::read_instance(session.aws, workflow.train.instance.id, session.options()));
  for (auto* volume : {&workflow.train.data_volume, &workflow.train.checkpoint_volume}) {
    if (!*volume) continue;
    RUNCTL_TRY_LET(*volume, read_volume(change, (*volume)->id));
  }
  return {};
}

Result<training::Started> start(Workflow& workflow, const Change& change) {
  return start_run(workflow.context, change, workflow.train, workflow.prepared);
}

// A machine in its place has to be where the volumes are.
void run_on(Workflow& workflow, volume::InstanceFacts instance) {
  if (auto& next = workflow.interruption.replacement) next->launch.zone = instance.zone;
  workflow.train.instance = std::move(instance);
}

// From nothing, or from wherever it was, to a run.
Result<Beginning> bring_up(Workflow& workflow, const Change& change) {
  RUNCTL_TRY_LET(const auto machine, rent_machine(workflow, change));
  RUNCTL_TRY_LET(auto instance, fleet::wait_until_ready(change.session, machine));
  run_on(workflow, std::move(instance));
  if (workflow.spec.checkpoint_size) RUNCTL_TRY(make_volume(workflow, change));
  RUNCTL_TRY(look_at_volumes(workflow, change));
  RUNCTL_TRY_LET(auto started, start(workflow, change));
  return Beginning{.started = std::move(started)};
}

// The copies that a run has gone on with in another zone, if it has.
Result<void> find_relocated(Workflow& workflow, const Change& change) {
  const auto action = fmt::format("{}{}", volume::on_machine_prefix, relocated_step);
  for (const journal::Step& step : change.recorder.operation().steps) {
    if (step.action != action) continue;
    RUNCTL_TRY_LET(const auto moved, parse_json(step.request));
    const auto find = [&](std::string_view name,
                          std::optional<volume::VolumeFacts>& volume) -> Result<void> {
      const auto text = string_at(moved, name);
      if (!text) return {};
      RUNCTL_TRY_LET(const auto id, VolumeId::parse(*text));
      RUNCTL_TRY_LET(volume, read_volume(change, id));
      return {};
    };
    RUNCTL_TRY(find("data_volume", workflow.train.data_volume));
    RUNCTL_TRY(find("checkpoint_volume", workflow.train.checkpoint_volume));
  }
  return {};
}

// The machine and the volumes that the operation had come to. EC2 forgets a machine an hour after
// its end.
Result<void> find_again(Workflow& workflow, const Change& change, const StartedRun& run) {
  const auto& session = change.session;
  auto instance = volume::read_instance(session.aws, run.instance, session.options());
  if (!instance && instance.error().code == Errc::not_found)
    instance = volume::InstanceFacts{.id = run.instance, .state = InstanceState::terminated};
  if (!instance) return std::unexpected{std::move(instance).error()};
  run_on(workflow, *std::move(instance));
  if (workflow.spec.checkpoint_size) {
    RUNCTL_TRY_LET(auto made, made_volumes(change));
    if (!made.empty()) workflow.train.checkpoint_volume = std::move(made.front());
  }
  return find_relocated(workflow, change);
}

// What was rented in place of the run's machine, and has come to no run of its own.
Result<void> give_back_unused(const Change& change, const StartedRun& run) {
  const auto machines = subjects_of<InstanceId>(change.recorder.operation());
  const auto own = std::ranges::find(machines, run.instance);
  if (own == machines.end()) return {};
  for (const InstanceId& machine : std::ranges::subrange(own + 1, machines.end())) {
    change.session.progress(fmt::format("giving {} back", machine));
    RUNCTL_TRY(fleet::end_machine(change, machine, fleet::MachineEnd::terminate));
  }
  return {};
}

Result<Beginning> come_back_to(Workflow& workflow, const Change& change, const StartedRun& run) {
  RUNCTL_TRY(give_back_unused(change, run));
  RUNCTL_TRY(find_again(workflow, change, run));
  note(workflow.context,
       fmt::format("Run {} was started on {}. All its output: runctl runs logs {}", run.id.str(),
                   run.instance, run.id.str()));
  const auto machine = volume::machine_of(change.session, run.instance, question_patience);
  const auto from = training::offset_of_last_lines(machine, run.id, lines_again);
  return Beginning{.started = {.run = {.id = run.id, .state = node::RunState::running}},
                   .from = from.value_or(0)};
}

bool is_open(const journal::Step& step) {
  return step.outcome != journal::Outcome::applied && step.outcome != journal::Outcome::not_applied;
}

// Whether something may come into being that nobody knows of yet.
bool may_make_more(const Operation& operation) {
  return std::ranges::any_of(operation.steps, [](const journal::Step& step) {
    const bool makes = step.action == "RunInstances" || step.action == "CreateVolume" ||
                       step.action == "CancelSpotInstanceRequests";
    return makes && is_open(step);
  });
}

// Gives back what was rented, and says of each thing what became of it.
class GivingBack {
 public:
  GivingBack(const Change& change, Error& error) : change_{change}, error_{error} {}

  void machine(const InstanceId& id, fleet::MachineEnd end) {
    const std::string what = fmt::format("instance {}", id);
    const std::string by_hand = fmt::format("runctl aws terminate {}", id);
    if (end == fleet::MachineEnd::keep) return keep(what, by_hand);
    tell(fleet::end_machine(change_, id, fleet::MachineEnd::terminate), what, "terminated",
         by_hand);
  }
  // `is_used`: a run may have written to it.
  void volume(const VolumeId& id, bool is_used, fleet::MachineEnd end) {
    const std::string what = fmt::format("volume {}, which was made for it,", id);
    const std::string by_hand = fmt::format("runctl aws ebs delete {}", id);
    if (is_used || end == fleet::MachineEnd::keep || !all_) return keep(what, by_hand);
    tell(fleet::discard_new_volume(change_, id), what, "deleted", by_hand);
  }
  [[nodiscard]] bool all() const { return all_; }

 private:
  void keep(const std::string& what, const std::string& by_hand) {
    error_.details.push_back(
        fmt::format("{} is kept, and costs money; to give it back: {}", what, by_hand));
  }
  void tell(const Result<void>& given, const std::string& what, std::string_view verb,
            const std::string& by_hand) {
    all_ = all_ && given;
    error_.details.push_back(given ? fmt::format("{} is {}", what, verb)
                                   : fmt::format("{} is still there and costs money ({}); to give "
                                                 "it back: {}",
                                                 what, given.error().message, by_hand));
  }

  const Change& change_;
  Error& error_;
  bool all_ = true;
};

// What an error leaves behind when nobody comes to a run: nothing that costs money, if that can be.
std::unexpected<Error> give_up(const Workflow& workflow, const Change& change, Error error) {
  const Operation& operation = change.recorder.operation();
  if (fleet::may_have_happened(operation, start_step)) {
    error.effect = Effect::unknown;  // somebody has to look again
    return std::unexpected{std::move(error)};
  }
  const bool tried = std::ranges::any_of(
      operation.steps, [](const journal::Step& step) { return step.action == start_step; });
  const volume::Session own = fleet::patient(change.session);
  const Change last{.session = own, .recorder = change.recorder};
  GivingBack back{last, error};
  for (const InstanceId& machine : subjects_of<InstanceId>(operation))
    back.machine(machine, workflow.spec.end);
  const auto made = made_volumes(last);
  if (made) {
    for (const auto& volume : *made) back.volume(volume.id, tried, workflow.spec.end);
  }
  if (!back.all() || !made || may_make_more(operation)) {
    error.effect = Effect::unknown;
  } else if (auto over = change.recorder.end(journal::State::failed, error.message); !over) {
    error.details.push_back(over.error().message);
  }
  return std::unexpected{std::move(error)};
}

// What the machine says of the run that was started last; nothing when the machine is gone.
Result<std::optional<node::RunReport>> look_at_run(const Change& change) {
  RUNCTL_TRY_LET(const auto run, started_run(change.recorder.operation()));
  if (!run) return std::nullopt;
  const volume::Session own = fleet::patient(change.session);
  RUNCTL_TRY_LET(const bool gone, fleet::is_gone(own, run->instance));
  if (gone) return std::nullopt;
  const auto machine = volume::machine_of(own, run->instance, question_patience);
  RUNCTL_TRY_LET(auto status, node::run_status(machine, run->id, node::behind_any_log));
  return std::optional{std::move(status.run)};
}

// Something is still at work on it: the program, or what uploads its results.
bool goes_on(const node::RunReport& run) {
  return run.state == node::RunState::running || (run.upload && !run.upload->is_over());
}

// It is for another day: the run goes on, or nobody can tell.
std::unexpected<Error> leave_open(const Workflow& workflow, const Change& change, Error error) {
  // One that was cut short stays open by itself; of others somebody has to look again.
  const bool cut_short = error.code == Errc::cancelled || error.code == Errc::deadline_exceeded;
  if (!cut_short) error.effect = Effect::unknown;
  for (const InstanceId& machine : subjects_of<InstanceId>(change.recorder.operation())) {
    error.details.push_back(
        fmt::format("instance {} stays until the workflow is finished: {}", machine,
                    fleet::in_words(workflow.spec.price, workflow.spec.launch)));
  }
  return std::unexpected{std::move(error)};
}

// How the run ended, when the following did not see it; or an error that leaves the operation open.
Result<RunEnd> end_without_seeing(const Workflow& workflow, const Change& change, Error error,
                                  const std::string& run) {
  const bool cut_short = error.code == Errc::cancelled || error.code == Errc::deadline_exceeded;
  // A run that was started in another's place, and of which no answer came, may be at work.
  const auto starts_unknown = [](const journal::Step& step) {
    return step.action == start_step && is_open(step);
  };
  if (std::ranges::any_of(change.recorder.operation().steps, starts_unknown))
    return leave_open(workflow, change, std::move(error));
  auto status = look_at_run(change);
  if (!status || (*status && goes_on(**status)))
    return leave_open(workflow, change, std::move(error));
  if (*status) {
    auto end = end_of(**status, {});
    if (!cut_short) end.error = std::move(error);
    return end;
  }
  if (cut_short) {
    error = Error{.code = Errc::unavailable,
                  .message = fmt::format("the machine of run {} is gone", run)};
  }
  return RunEnd{
      .run = run, .words = "was cut off", .results_are_whole = false, .error = std::move(error)};
}

Result<RunEnd> follow(Workflow& workflow, const Change& change, Beginning begin) {
  const Attended attended{
      .cloud = workflow.cloud,
      .spec = workflow.train,
      .plan = workflow.interruption,
      .start = [&]() { return start(workflow, change); },
      .within = &change,
      .from = begin.from,
      .come_back = fmt::format("runctl operations resume {}", change.recorder.operation().id)};
  const std::string run = begin.started.run.id.str();
  auto ended = attend(workflow.context, attended, std::move(begin.started));
  if (!ended) return end_without_seeing(workflow, change, std::move(ended).error(), run);
  if (auto* report = std::get_if<node::RunReport>(&ended->seen))
    return end_of(*report, std::move(ended->interruptions));
  // Ctrl-C, and what was chosen then.
  Error left{.code = Errc::cancelled, .message = "the run goes on, and its workflow waits"};
  RUNCTL_TRY_LET(auto end, end_without_seeing(workflow, change, std::move(left), run));
  end.interruptions = std::move(ended->interruptions);
  if (end.was_stopped) {
    end.code = std::get<ExitCode>(ended->seen);
    end.is_told = true;
  }
  return end;
}

Result<RunEnd> reach_end(Workflow& workflow, const Change& change) {
  RUNCTL_TRY_LET(auto before, read_end(change.recorder.operation()));
  RUNCTL_TRY_LET(const auto run, started_run(change.recorder.operation()));
  if (before) {
    if (run) RUNCTL_TRY(find_again(workflow, change, *run));
    return *std::move(before);
  }
  auto started = run ? come_back_to(workflow, change, *run) : bring_up(workflow, change);
  if (!started && !run) return give_up(workflow, change, std::move(started).error());
  if (!started) return leave_open(workflow, change, std::move(started).error());
  RUNCTL_TRY_LET(auto end, follow(workflow, change, *std::move(started)));
  auto written = write_end(change, end);
  if (!written) return leave_open(workflow, change, std::move(written).error());
  return end;
}

}  // namespace

Stage stage_of(const Operation& operation) {
  if (has_end(operation)) return Stage::ended;
  const auto run = started_run(operation);
  return run && *run ? Stage::running : Stage::begun;
}

Result<ExitCode> run_workflow(Workflow& workflow, const Change& change) {
  RUNCTL_TRY_LET(auto end, reach_end(workflow, change));
  const volume::Session own = fleet::patient(change.session);
  const auto made = made_volumes({.session = own, .recorder = change.recorder});
  return finish(workflow, change, std::move(end), made ? ids_of(*made) : std::vector<VolumeId>{});
}

}  // namespace runctl::cli
