#include "cli/instance/train_interruption.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <type_traits>
#include <utility>
#include <variant>

#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json.hpp"
#include "cli/ebs/options.hpp"
#include "cli/instance/run_text.hpp"
#include "cli/output.hpp"
#include "cli/runs/host.hpp"
#include "cli/runs/watch.hpp"
#include "fleet/give_back.hpp"
#include "fleet/provision.hpp"
#include "fleet/relocate.hpp"
#include "training/follow.hpp"
#include "volume/read.hpp"
#include "volume/snapshot.hpp"
#include "volume/wait.hpp"

namespace runctl::cli {
namespace {

using Action = InterruptionPlan::Action;
using volume::Change;
using volume::Session;

// What the machine does by itself takes until then at most.
constexpr std::chrono::seconds notice_time{120};

Result<Action> parse_action(const std::optional<std::string>& word) {
  if (!word || *word == "stop") return Action::stop;
  if (*word == "move") return Action::move;
  if (*word == "snapshot") return Action::snapshot;
  return fail(Errc::invalid_argument,
              fmt::format("--on-interruption {}: it is stop, move or snapshot", *word));
}

// What the command that waits for the run has to do it with.
struct Means {
  bool waits = false;
  bool has_volume = false;  // for the checkpoints
  bool rents = false;       // the first machine too, for which --no-fallback is as well
};

Result<void> check_together(const Arguments& arguments, Action action, const Means& means) {
  const bool resumes = arguments.has("--auto-resume");
  const auto because = [](std::string_view option, std::string_view needs, std::string_view why) {
    return fail(Errc::invalid_argument, fmt::format("{} needs {}: {}", option, needs, why));
  };
  const bool without_use = arguments.has("--fallback-type") || arguments.has("--fallback-zone") ||
                           (arguments.has("--no-fallback") && !means.rents);
  if (!resumes && without_use) {
    return because("--no-fallback, --fallback-type or --fallback-zone", "--auto-resume",
                   "they say what is rented then");
  }
  if (!resumes && action == Action::stop) return {};
  const std::string_view option = resumes ? "--auto-resume" : "--on-interruption";
  if (!means.waits) {
    return because(option, "--wait",
                   "it is this command that does it. Without it the machine itself stops the run "
                   "and unmounts its volumes");
  }
  if (!means.has_volume) {
    return because(option, "--checkpoint-volume", "that is what is kept and gone on from");
  }
  return {};
}

// As a part of the operation that all is in, or as one of its own.
template <class Act>
std::invoke_result_t<Act, const Change&> carry_out(const Attended& attended,
                                                   OperationSpec operation, const Act& act) {
  if (attended.within != nullptr) return act(*attended.within);
  return attended.cloud->carry_out(attended.cloud->session(), std::move(operation), act);
}

// What the volume is called that is yet to be made.
constexpr const char* new_volume = "the new volume";

std::string names_of(const training::TrainSpec& spec, bool makes_volume) {
  std::vector<std::string> names;
  for (const auto& volume : training::volumes_of(spec)) names.push_back(label_of(volume));
  if (makes_volume) names.emplace_back(new_volume);
  return fmt::format("{}", fmt::join(names, " and "));
}

// Until the machine has done what it does by itself, or is gone.
void wait_for_the_machine(const Context& context, const Attended& attended, node::RunReport& run) {
  Session session = attended.cloud->session();
  const auto machine = host_of(attended.cloud, attended.spec.instance).machine(context.stop);
  const auto finished = volume::wait_for<node::RunReport>(
      session, {.budget = notice_time}, "the machine",
      [&]() -> Result<std::optional<node::RunReport>> {
        RUNCTL_TRY_LET(auto seen, node::run_status(machine, run.id, node::behind_any_log));
        if (!seen.run.interruption || !seen.run.interruption->finished) return std::nullopt;
        return std::optional{std::move(seen.run)};
      });
  if (finished) run = *finished;
}

void tell_what_the_machine_did(Context& context, const InstanceId& instance,
                               const node::Interruption& seen) {
  // Source: EC2 User Guide, "Behavior of Spot Instance interruptions": what is stopped is of a
  // persistent request.
  if (seen.action == "stop") {
    note(context, fmt::format("EC2 stops {}, and starts it again by itself when it has room. To "
                              "give it back instead: runctl aws terminate {}",
                              instance, instance));
  }
  for (const VolumeId& volume : seen.unmounted)
    note(context, fmt::format("Volume {} was written back and unmounted.", volume));
  for (const auto& [volume, why] : seen.kept)
    note(context, fmt::format("Volume {} could not be unmounted: {}.", volume, why));
}

Result<void> take_off_all(const Attended& attended) {
  const InstanceId& instance = attended.spec.instance.id;
  for (const auto& volume : training::volumes_of(attended.spec)) {
    RUNCTL_TRY(carry_out(
        attended, {.kind = "detach", .subjects = {volume.id.str(), instance.str()}},
        [&](const Change& change) { return fleet::take_off(change, volume.id, instance); }));
  }
  return {};
}

Result<void> keep_in_snapshot(Context& context, const Attended& attended) {
  const Session session = attended.cloud->session();
  const VolumeId& id = attended.spec.checkpoint_volume->id;
  RUNCTL_TRY_LET(const auto volume, volume::read_volume(session.aws, id, session.options()));
  RUNCTL_TRY_LET(
      const auto taken,
      carry_out(attended, {.kind = "snapshot", .subjects = {id.str()}}, [&](const Change& change) {
        return volume::take_snapshot(
            change, volume,
            {.description = fmt::format("of the checkpoints when EC2 took {} back",
                                        attended.spec.instance.id)});
      }));
  note(context, fmt::format("Snapshot {} of volume {} is {}.", taken.snapshot.id, id,
                            volume::name_of(taken.worth.consistency)));
  return {};
}

// What is rented costs money, whatever happens next.
std::unexpected<Error> with_machine(Error error, const InstanceId& instance) {
  error.details.push_back(
      fmt::format("instance {} was rented to go on, and is still there; to give it back: runctl "
                  "aws terminate {}",
                  instance, instance));
  return std::unexpected{std::move(error)};
}

// On another machine, which becomes the specification's.
Result<training::Started> start_on(const Session& session, const Attended& attended,
                                   const InstanceId& machine) {
  training::TrainSpec& spec = attended.spec;
  RUNCTL_TRY_LET(spec.instance, fleet::wait_until_ready(session, machine));
  for (auto* volume : {&spec.data_volume, &spec.checkpoint_volume}) {
    if (!*volume) continue;
    RUNCTL_TRY_LET(*volume, volume::read_volume(session.aws, (*volume)->id, session.options()));
  }
  spec.resume = training::Resume::yes;
  return attended.start();
}

std::unexpected<Error> without_machine(Error error, const Attended& attended) {
  // Of any other error it is not known that nothing was.
  if (!fleet::lacks_machine(error)) return std::unexpected{std::move(error)};
  const training::TrainSpec& spec = attended.spec;
  const VolumeId& volume = spec.checkpoint_volume->id;
  error.hint =
      "Nothing was rented for it, and its volumes are free. To go on on a machine of yours:";
  error.ways_out = {
      fmt::format("runctl aws train INSTANCE {} --checkpoint-volume {} --resume",
                  spec.code.root.script, volume),
      fmt::format("runctl aws ebs snapshot {}   # to restore it in a zone that has machines",
                  volume)};
  return std::unexpected{std::move(error)};
}

// The volumes of the run become their copies.
Result<void> copy_volumes(Context& context, const Attended& attended, const Change& change,
                          const std::vector<fleet::VolumeInSnapshot>& kept,
                          const std::string& zone) {
  if (kept.empty()) return {};
  training::TrainSpec& spec = attended.spec;
  for (const auto& each : kept) {
    RUNCTL_TRY_LET(const auto copy, fleet::copy_in_zone(change, each, zone));
    note(
        context,
        fmt::format("Volume {} in {} is a copy of {}, by way of snapshot {}. The first one and the "
                    "snapshot stay, and cost money: runctl aws ebs delete {}; {}",
                    copy.id, zone, each.volume.id, each.snapshot.id, each.volume.id,
                    fleet::deletion_of(each.snapshot.id)));
    for (auto* volume : {&spec.data_volume, &spec.checkpoint_volume}) {
      if (*volume && (*volume)->id == each.volume.id) *volume = copy;
    }
  }
  // For whoever goes on with the operation.
  boost::json::object moved{{"zone", zone}};
  if (spec.data_volume) moved["data_volume"] = spec.data_volume->id.str();
  if (spec.checkpoint_volume) moved["checkpoint_volume"] = spec.checkpoint_volume->id.str();
  return volume::on_machine(change, relocated_step, moved, []() -> Result<void> { return {}; });
}

struct Elsewhere {
  fleet::Rented rented;
  std::vector<fleet::VolumeInSnapshot> kept = {};  // what is to be copied to its zone
};

// In the volumes' own zone, or else, where that is allowed, in another one with copies of them.
// Nothing is copied before a machine is there for it; the snapshots are, since that may take long.
Result<Elsewhere> rent_anywhere(Context& context, const Attended& attended, const Change& change) {
  const auto announce = [&](std::string_view why) { note(context, why); };
  fleet::ReplacementSpec wanted = *attended.plan.replacement;
  // They may have gone to another zone before.
  const std::string own_zone = attended.spec.checkpoint_volume->zone;
  if (wanted.launch.zone != own_zone) {
    RUNCTL_TRY_LET(wanted.launch, fleet::in_zone(change.session, wanted.launch, own_zone));
  }
  auto found = fleet::rent_replacement(change, wanted, announce);
  if (found) return Elsewhere{.rented = *std::move(found)};
  const auto& zones = attended.plan.other_zones;
  if (zones.empty() || !fleet::lacks_machine(found.error()))
    return std::unexpected{std::move(found).error()};
  announce(fmt::format("There is no machine in {}: {}.", own_zone, found.error().message));
  RUNCTL_TRY_LET(auto kept, fleet::keep_in_snapshots(change, training::volumes_of(attended.spec)));
  for (const std::string& zone : zones) {
    if (zone == own_zone) continue;
    auto launch = fleet::in_zone(change.session, wanted.launch, zone);
    if (!launch) {
      announce(fmt::format("Not in {}: {}.", zone, launch.error().message));
      continue;
    }
    wanted.launch = *std::move(launch);
    found = fleet::rent_replacement(change, wanted, announce);
    if (found) return Elsewhere{.rented = *std::move(found), .kept = std::move(kept)};
    if (!fleet::lacks_machine(found.error())) break;
  }
  return std::unexpected{std::move(found).error()};
}

// What was made meanwhile stays. Volumes of a larger operation are its own to name.
std::unexpected<Error> with_what_was_made(Error error, const Attended& attended,
                                          const Change& change) {
  const volume::Session own = fleet::patient(change.session);
  const Change last{.session = own, .recorder = change.recorder};
  auto words =
      attended.within != nullptr ? fleet::snapshots_taken(last) : fleet::what_was_made(last);
  std::ranges::move(words, std::back_inserter(error.details));
  return std::unexpected{std::move(error)};
}

// One operation until the run goes on, so that a machine that was rented for it is not forgotten
// when we are killed before.
Result<training::Started> go_on_elsewhere(Context& context, const Attended& attended) {
  const InstanceId before = attended.spec.instance.id;
  return carry_out(
      attended, {.kind = "launch", .plan = fleet::plan_of(fleet::DataVolumeSpec{})},
      [&](const Change& change) -> Result<training::Started> {
        auto found = rent_anywhere(context, attended, change);
        if (!found) {
          auto error = without_machine(std::move(found).error(), attended);
          return with_what_was_made(std::move(error).error(), attended, change);
        }
        const fleet::Rented& rented = found->rented;
        const InstanceId id = rented.instance.id;
        note(context, fmt::format("Rented {} ({}, {}) in place of {}.", id, rented.instance.type,
                                  fleet::name_of(rented.market), before));
        auto started = [&]() -> Result<training::Started> {
          RUNCTL_TRY(copy_volumes(context, attended, change, found->kept, rented.instance.zone));
          return start_on(change.session, attended, id);
        }();
        if (started) return started;
        auto error = with_what_was_made(std::move(started).error(), attended, change);
        if (attended.within != nullptr) return error;
        return with_machine(std::move(error).error(), id);
      });
}

// Whether what could not be followed any more was taken back by EC2.
bool was_taken_back(const Attended& attended) {
  const auto seen = volume::read_instance(attended.cloud->aws(), attended.spec.instance.id,
                                          attended.cloud->options());
  return seen && fleet::is_taken_back(*seen);
}

// The run's end, when it was EC2's doing; nothing when it was not, which is `seen` itself then.
Result<bool> is_interrupted(Context& context, const Attended& attended, Result<Seen>& seen) {
  const InstanceId& instance = attended.spec.instance.id;
  if (!seen) {
    const bool gone = seen.error().code == Errc::unavailable && was_taken_back(attended);
    if (!gone) return std::unexpected{seen.error()};
    note(context,
         fmt::format("EC2 has taken {} back before it could say how the run ended.", instance));
    return true;
  }
  auto* run = std::get_if<node::RunReport>(&*seen);
  if (run == nullptr || !run->interruption || run->state != node::RunState::stopped) return false;
  if (run->stop && run->stop->by != node::interruption_notice) {
    note(context,
         fmt::format("EC2 takes {} back too; run {} was stopped before, and is not gone on "
                     "with.",
                     instance, run->id.str()));
    return false;
  }
  note(context,
       fmt::format("EC2 takes {} back: run {} {}.", instance, run->id.str(), outcome_text(*run)));
  wait_for_the_machine(context, attended, *run);
  tell_what_the_machine_did(context, instance, *run->interruption);
  return true;
}

// Of one before: `seen` may not have come to how it ended.
boost::json::object record_of_interrupted(const Attended& attended, const node::RunId& id,
                                          const Result<Seen>& seen) {
  const training::TrainSpec& spec = attended.spec;
  boost::json::object record{{"instance_id", spec.instance.id.str()}, {"run_id", id.str()}};
  if (!spec.upload) return record;
  const auto* run = seen ? std::get_if<node::RunReport>(&*seen) : nullptr;
  record["output_s3"] = node::to_utf8(spec.upload->target(id));
  record["results_are_whole"] = run != nullptr && run->upload && run->upload->is_whole();
  if (spec.checkpoint_volume) record["checkpoint_volume"] = spec.checkpoint_volume->id.str();
  return record;
}

Result<void> secure(Context& context, const Attended& attended) {
  const InterruptionPlan& plan = attended.plan;
  if (plan.action == Action::move || plan.replacement) RUNCTL_TRY(take_off_all(attended));
  if (plan.action == Action::snapshot) RUNCTL_TRY(keep_in_snapshot(context, attended));
  return {};
}

std::unexpected<Error> taken_back(const Attended& attended) {
  auto error =
      fail(Errc::unavailable, fmt::format("EC2 has taken {} back", attended.spec.instance.id));
  error.error().hint = "Rent another machine, and go on from the newest checkpoint: --resume";
  return error;
}

Result<InterruptionPlan> read_plan(const Arguments& arguments, const Means& means) {
  InterruptionPlan plan{.hook = arguments.get("--interruption-hook").value_or(""),
                        .other_zones = arguments.all("--fallback-zone")};
  RUNCTL_TRY_LET(plan.action, parse_action(arguments.get("--on-interruption")));
  RUNCTL_TRY(check_together(arguments, plan.action, means));
  return plan;
}

fleet::ReplacementSpec replacement_from(const Arguments& arguments, fleet::LaunchSpec launch) {
  return {.launch = std::move(launch),
          .other_types = arguments.all("--fallback-type"),
          .on_demand_allowed = !arguments.has("--no-fallback")};
}

}  // namespace

Result<InterruptionPlan> plan_interruption(const Arguments& arguments, const Session& session,
                                           const training::TrainSpec& spec) {
  RUNCTL_TRY_LET(auto plan,
                 read_plan(arguments, {.waits = arguments.has("--wait"),
                                       .has_volume = spec.checkpoint_volume.has_value()}));
  plan.is_spot = spec.instance.lifecycle == "spot";
  RUNCTL_TRY(fleet::check_zones(session, plan.other_zones));
  if (!arguments.has("--auto-resume")) return plan;
  RUNCTL_TRY_LET(auto launch, fleet::launch_spec_of(session, spec.instance));
  plan.replacement = replacement_from(arguments, std::move(launch));
  return plan;
}

Result<InterruptionPlan> plan_interruption(const Arguments& arguments, const Session& session,
                                           const fleet::LaunchSpec& launch,
                                           const training::TrainSpec& spec, bool makes_volume) {
  RUNCTL_TRY_LET(auto plan, read_plan(arguments, {.waits = true,
                                                  .has_volume = makes_volume ||
                                                                spec.checkpoint_volume.has_value(),
                                                  .rents = true}));
  plan.makes_volume = makes_volume;
  RUNCTL_TRY(fleet::check_zones(session, plan.other_zones));
  plan.is_spot = launch.market == fleet::Market::spot;
  if (arguments.has("--auto-resume")) plan.replacement = replacement_from(arguments, launch);
  return plan;
}

std::vector<std::string> steps_of(const InterruptionPlan& plan, const training::TrainSpec& spec,
                                  std::string_view machine) {
  if (!plan.is_spot) return {};
  const std::string kept = spec.checkpoint_volume ? label_of(*spec.checkpoint_volume) : new_volume;
  const std::string volumes = names_of(spec, plan.makes_volume);
  std::vector<std::string> steps{fmt::format(
      "when EC2 takes {} back, two minutes before: {}stop the run (SIGTERM){}", machine,
      plan.hook.empty() ? "" : "run the hook, ", volumes.empty() ? "" : ", unmount " + volumes)};
  if (plan.action == Action::move || plan.replacement)
    steps.push_back(fmt::format("then detach {}", volumes));
  if (plan.action == Action::snapshot)
    steps.push_back(fmt::format("then take a snapshot of {}", kept));
  if (plan.replacement) {
    const std::string& zone = plan.replacement->launch.zone;
    steps.push_back(fmt::format("then rent the first of these that is to be had in {}: {}",
                                zone.empty() ? "its zone" : zone,
                                fmt::join(fleet::choices_of(*plan.replacement), ", ")));
    if (!plan.other_zones.empty()) {
      steps.push_back(
          fmt::format("where none of them is: take snapshots of {}, and rent the first "
                      "in {}, with copies of the volumes",
                      volumes, fmt::join(plan.other_zones, ", ")));
    }
    steps.emplace_back("then go on there from the newest checkpoint that verifies");
  }
  return steps;
}

std::vector<std::string> unsent_results(const boost::json::array& interruptions) {
  std::vector<std::string> words;
  for (const auto& each : interruptions) {
    if (boolean_at(each, "results_are_whole").value_or(true)) continue;
    words.push_back(fmt::format(
        "Not everything that run {} wrote before it was interrupted is known to be in {}; what is "
        "not is on volume {}.",
        string_at(each, "run_id").value_or(""), string_at(each, "output_s3").value_or(""),
        string_at(each, "checkpoint_volume").value_or("")));
  }
  return words;
}

Result<Attendance> attend(Context& context, const Attended& attended, training::Started started) {
  boost::json::array interruptions;
  std::optional<InstanceId> rented;
  while (true) {
    const InstanceId instance = attended.spec.instance.id;
    const RunHost host = host_of(attended.cloud, attended.spec.instance);
    auto seen = watch_to_its_end(context, {.host = host,
                                           .run = started.run.id,
                                           .from = rented ? 0 : attended.from,
                                           .behind_limit = training::live_behind_limit,
                                           .come_back = attended.come_back});
    auto interrupted = is_interrupted(context, attended, seen);
    if (!interrupted && rented && attended.within == nullptr)
      return with_machine(std::move(interrupted).error(), *rented);
    RUNCTL_TRY(interrupted);
    if (*interrupted) {
      interruptions.push_back(record_of_interrupted(attended, started.run.id, seen));
      RUNCTL_TRY(secure(context, attended));
      if (attended.plan.replacement) {
        RUNCTL_TRY_LET(started, go_on_elsewhere(context, attended));
        rented = attended.spec.instance.id;
        continue;
      }
      if (!seen) return taken_back(attended);
    }
    return Attendance{.seen = *std::move(seen),
                      .last = std::move(started),
                      .instance = instance,
                      .interruptions = std::move(interruptions),
                      .rented = std::move(rented)};
  }
}

}  // namespace runctl::cli
