#include "cli/workflow/operation.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <utility>
#include <variant>
#include <vector>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "base/json.hpp"
#include "base/time_text.hpp"
#include "cli/ebs/options.hpp"
#include "cli/instance/launch_options.hpp"
#include "cli/instance/run_text.hpp"
#include "cli/output.hpp"
#include "cli/runs/host.hpp"
#include "cli/workflow/ending.hpp"
#include "fleet/provision.hpp"
#include "fleet/resume.hpp"
#include "node/run.hpp"
#include "training/follow.hpp"
#include "volume/machine.hpp"
#include "volume/read.hpp"

namespace runctl::cli {
namespace {

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

// What is no volume of the command line.
std::vector<VolumeId> made_volumes(const Workflow& workflow, const Operation& operation) {
  auto made = subjects_of<VolumeId>(operation);
  if (!fleet::has_happened(operation, "CreateVolume")) return {};
  for (const VolumeId& named : workflow.named) std::erase(made, named);
  return made;
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
  return rented.instance.id;
}

Result<volume::VolumeFacts> read_volume(const Change& change, const VolumeId& id) {
  return volume::read_volume(change.session.aws, id, change.session.options());
}

// A volume for the checkpoints, attached, formatted and mounted.
Result<void> make_volume(Workflow& workflow, const Change& change) {
  const auto made = made_volumes(workflow, change.recorder.operation());
  std::string name = workflow.arguments.get("--name").value_or("");
  if (name.empty()) name = std::filesystem::path{workflow.train.code.root.script}.stem().string();
  RUNCTL_TRY_LET(const auto placed, fleet::provision(change, workflow.train.instance,
                                                     {.size = workflow.spec.checkpoint_size,
                                                      .name = std::move(name),
                                                      .purpose = "checkpoints"},
                                                     made));
  RUNCTL_TRY_LET(workflow.train.checkpoint_volume, read_volume(change, placed.front().volume));
  note(workflow.context, fmt::format("Volume {} is mounted at {}, for the checkpoints.",
                                     placed.front().volume, placed.front().mount_point));
  return {};
}

// As they are on the machine by now.
Result<void> look_at_volumes(Workflow& workflow, const Change& change) {
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

// The machine and the volumes that the operation had come to.
Result<void> find_again(Workflow& workflow, const Change& change, const StartedRun& run) {
  const auto& session = change.session;
  RUNCTL_TRY_LET(auto instance,
                 volume::read_instance(session.aws, run.instance, session.options()));
  run_on(workflow, std::move(instance));
  const auto made = made_volumes(workflow, change.recorder.operation());
  if (workflow.spec.checkpoint_size && !made.empty()) {
    RUNCTL_TRY_LET(workflow.train.checkpoint_volume, read_volume(change, made.front()));
  }
  return find_relocated(workflow, change);
}

Result<Beginning> come_back_to(Workflow& workflow, const Change& change, const StartedRun& run) {
  RUNCTL_TRY(find_again(workflow, change, run));
  note(workflow.context,
       fmt::format("Run {} was started on {}. All its output: runctl runs logs {}", run.id.str(),
                   run.instance, run.id.str()));
  const auto machine = volume::machine_of(change.session, run.instance, question_patience);
  const auto from = training::offset_of_last_lines(machine, run.id, lines_again);
  return Beginning{.started = {.run = {.id = run.id, .state = node::RunState::running}},
                   .from = from.value_or(0)};
}

// What an error leaves behind when nobody comes to a run: nothing that costs money, if that can be.
std::unexpected<Error> give_up(Workflow& workflow, const Change& change, Error error) {
  const Operation& operation = change.recorder.operation();
  const auto machines = subjects_of<InstanceId>(operation);
  const bool may_run = fleet::may_have_happened(operation, start_step);
  const bool unsettled = fleet::may_have_happened(operation, "RunInstances") && machines.empty();
  if (may_run || unsettled) {
    error.effect = Effect::unknown;  // somebody has to look again
    return std::unexpected{std::move(error)};
  }
  const volume::Session own = fleet::patient(change.session);
  const Change last{.session = own, .recorder = change.recorder};
  bool all_given_back = true;
  const auto tell = [&](const Result<void>& given, const std::string& what, std::string_view verb,
                        const std::string& by_hand) {
    all_given_back = all_given_back && given;
    error.details.push_back(given ? fmt::format("{} is {}", what, verb)
                                  : fmt::format("{} is still there and costs money ({}); to give "
                                                "it back: {}",
                                                what, given.error().message, by_hand));
  };
  const auto end = workflow.spec.end;
  for (const InstanceId& machine : machines) {
    if (end == fleet::MachineEnd::keep) {
      error.details.push_back(
          fmt::format("instance {} is kept, as you asked, and costs money; to "
                      "give it back: runctl aws terminate {}",
                      machine, machine));
      continue;
    }
    tell(fleet::end_machine(last, machine, fleet::MachineEnd::terminate),
         fmt::format("instance {}", machine), "terminated",
         fmt::format("runctl aws terminate {}", machine));
  }
  if (end != fleet::MachineEnd::keep && all_given_back) {
    for (const VolumeId& volume : made_volumes(workflow, operation)) {
      tell(fleet::discard_new_volume(last, volume),
           fmt::format("volume {}, which was made for it and never used,", volume), "deleted",
           fmt::format("runctl aws ebs delete {}", volume));
    }
  }
  if (!all_given_back) {
    error.effect = Effect::unknown;
  } else if (auto over = change.recorder.end(journal::State::failed, error.message); !over) {
    error.details.push_back(over.error().message);
  }
  return std::unexpected{std::move(error)};
}

// Whether there may be a run that has not ended on the machine that it was started on.
bool may_go_on(const Change& change) {
  const auto run = started_run(change.recorder.operation());
  if (!run || !*run) return true;
  const volume::Session own = fleet::patient(change.session);
  const auto seen = volume::read_instance(own.aws, (*run)->instance, own.options());
  if (!seen) return seen.error().code != Errc::not_found;
  if (seen->state == InstanceState::terminated || seen->state == InstanceState::shutting_down)
    return false;
  if (seen->state != InstanceState::running) return true;
  const auto machine = volume::machine_of(own, (*run)->instance, question_patience);
  const auto status = node::run_status(machine, (*run)->id, std::uint64_t{1} << 62U);
  return !status || status->run.state == node::RunState::running;
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

// How the run ended; or an error that leaves the operation open.
Result<RunEnd> follow(Workflow& workflow, const Change& change, Beginning begin) {
  const Attended attended{
      .cloud = workflow.cloud,
      .spec = workflow.train,
      .plan = workflow.interruption,
      .start = [&]() { return start(workflow, change); },
      .within = &change,
      .from = begin.from,
      .come_back = fmt::format("runctl operations resume {}", change.recorder.operation().id)};
  const std::string run_id = begin.started.run.id.str();
  auto ended = attend(workflow.context, attended, std::move(begin.started));
  if (!ended) {
    const Errc code = ended.error().code;
    const bool left = code == Errc::cancelled || code == Errc::deadline_exceeded;
    if (left || may_go_on(change)) return leave_open(workflow, change, std::move(ended).error());
    return RunEnd{.run = run_id, .words = "was cut off", .error = std::move(ended).error()};
  }
  if (auto* report = std::get_if<node::RunReport>(&ended->seen)) {
    return end_of(*report, std::move(ended->interruptions));
  }
  // Ctrl-C, and what was chosen then.
  if (may_go_on(change)) {
    Error left{.code = Errc::cancelled, .message = "the run goes on, and its workflow waits"};
    return leave_open(workflow, change, std::move(left));
  }
  const volume::Session own = fleet::patient(change.session);
  RUNCTL_TRY_LET(const auto run, started_run(change.recorder.operation()));
  const auto machine = volume::machine_of(own, run->instance, question_patience);
  RUNCTL_TRY_LET(const auto status, node::run_status(machine, run->id, std::uint64_t{1} << 62U));
  auto end = end_of(status.run, std::move(ended->interruptions));
  end.code = std::get<ExitCode>(ended->seen);
  end.is_told = true;
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
  RUNCTL_TRY(write_end(change, end));
  return end;
}

}  // namespace

Result<ExitCode> run_workflow(Workflow& workflow, const Change& change) {
  RUNCTL_TRY_LET(auto end, reach_end(workflow, change));
  return finish(workflow, change, std::move(end),
                made_volumes(workflow, change.recorder.operation()));
}

}  // namespace runctl::cli
