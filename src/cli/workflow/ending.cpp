#include "cli/workflow/ending.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "base/json.hpp"
#include "base/time_text.hpp"
#include "base/units.hpp"
#include "cli/ebs/options.hpp"
#include "cli/instance/run_text.hpp"
#include "cli/instance/train_interruption.hpp"
#include "cli/output.hpp"
#include "cli/s3/options.hpp"
#include "cli/s3/run_jobs.hpp"
#include "cli/s3/session.hpp"
#include "cli/s3/sources.hpp"
#include "fleet/give_back.hpp"
#include "volume/machine.hpp"
#include "volume/prices.hpp"
#include "volume/read.hpp"
#include "volume/snapshot.hpp"

namespace runctl::cli {
namespace {

using fleet::MachineEnd;
using fleet::subjects_of;
using volume::Change;

constexpr std::string_view end_step = "machine:run-ended";
constexpr std::chrono::minutes copy_patience{5};

// What there is when it is over.
struct Rest {
  std::string text = {};
  boost::json::object record = {};
  boost::json::array shortfalls = {};  // what was asked for and is not done, a sentence each
};

void say(Rest& rest, std::string line) { rest.text += std::move(line) + '\n'; }

void say_short(Rest& rest, std::string line) {
  rest.shortfalls.emplace_back(line);
  say(rest, std::move(line));
}

// What an earlier attempt has taken since the run ended: none of before, as at an interruption.
Result<std::optional<volume::SnapshotFacts>> taken_before(const Change& change,
                                                          const VolumeId& id) {
  const auto& steps = change.recorder.operation().steps;
  const auto end = std::ranges::find(steps, std::string{end_step}, &journal::Step::action);
  const bool any = std::ranges::any_of(end, steps.end(), [](const journal::Step& step) {
    return step.action == "CreateSnapshot" && step.outcome == journal::Outcome::applied;
  });
  const auto taken = subjects_of<SnapshotId>(change.recorder.operation());
  if (!any || taken.empty()) return std::nullopt;
  const auto& session = change.session;
  RUNCTL_TRY_LET(auto seen, volume::read_snapshot(session.aws, taken.back(), session.options()));
  if (seen.volume != id) return std::nullopt;
  // Whoever took it did not come to say what it is worth.
  if (volume::consistency_of(seen) == volume::Consistency::crash_consistent)
    RUNCTL_TRY(volume::label(change, seen.id.str(), volume::Consistency::crash_consistent));
  return std::optional{std::move(seen)};
}

Result<volume::SnapshotFacts> snapshot_of(const Change& change, const VolumeId& id,
                                          const RunEnd& end) {
  const auto& session = change.session;
  RUNCTL_TRY_LET(auto before, taken_before(change, id));
  if (before) return *std::move(before);
  session.progress(fmt::format("taking a snapshot of {}", id));
  RUNCTL_TRY_LET(const auto volume, volume::read_volume(session.aws, id, session.options()));
  const volume::SnapshotSpec spec{.description =
                                      fmt::format("of the checkpoints of run {}", end.run)};
  RUNCTL_TRY_LET(auto taken, volume::take_snapshot(change, volume, spec));
  taken.snapshot.tags[std::string{volume::tag::consistency}] =
      volume::name_of(taken.worth.consistency);
  return std::move(taken.snapshot);
}

// Whether the run's log needs its machine no more, on whose own disk it is.
bool keep_log(const Workflow& workflow, const Change& change, const RunEnd& end, Rest& rest) {
  const auto& volume = workflow.train.checkpoint_volume;
  const auto& machine = workflow.train.instance;
  if (end.error || workflow.spec.end == MachineEnd::keep) return true;
  if (fleet::has_happened(change.recorder.operation(), "machine:keep-run")) return true;
  if (!volume) {
    say(rest, "Its log goes with the machine: there is no checkpoint volume to keep it on.");
    return true;
  }
  const auto kept = [&]() -> Result<std::string> {
    RUNCTL_TRY_LET(const auto run, node::RunId::parse(end.run));
    return fleet::patiently(change.session, [&] {
      return volume::on_machine(
          change, "keep-run", {{"instance", machine.id.str()}, {"run", end.run}}, [&] {
            return node::keep_run(volume::machine_of(change.session, machine.id, copy_patience),
                                  run);
          });
    });
  }();
  if (!kept) {
    say_short(rest, fmt::format("The log of run {} could not be copied to volume {}: {}.", end.run,
                                volume->id, kept.error().message));
    return false;
  }
  say(rest, fmt::format("Its log is on volume {}, in runs/{}.", volume->id, end.run));
  rest.record["log"] = fmt::format("runs/{}/log", end.run);
  return true;
}

void keep_in_snapshot(const Workflow& workflow, const Change& change, const RunEnd& end,
                      Rest& rest) {
  const auto& volume = workflow.train.checkpoint_volume;
  if (!volume || !workflow.spec.snapshots) return;
  const auto taken =
      fleet::patiently(change.session, [&] { return snapshot_of(change, volume->id, end); });
  if (!taken) {
    say_short(rest, fmt::format("No snapshot of volume {} could be taken: {}. To take one: runctl "
                                "aws ebs snapshot {}",
                                volume->id, taken.error().message, volume->id));
    return;
  }
  const auto worth = volume::name_of(volume::consistency_of(*taken));
  say(rest, fmt::format("Snapshot {} of volume {} is {}.", taken->id, volume->id, worth));
  rest.record["snapshot"] = {{"snapshot_id", taken->id.str()}, {"consistency", worth}};
}

// "3 min: $0.01"; of a machine of that price.
std::string cost_in_words(const Workflow& workflow, std::chrono::milliseconds rented) {
  const auto& price = workflow.spec.price;
  if (!price) return duration_in_words(rented);
  const double hours = std::chrono::duration<double, std::ratio<3600>>{rented}.count();
  return fmt::format("{}: {}", duration_in_words(rented), volume::dollars(price->per_hour * hours));
}

// Since the first machine that was got.
std::chrono::milliseconds rented_for(const Workflow& workflow,
                                     const journal::Operation& operation) {
  const auto rented = std::ranges::find_if(operation.steps, [](const journal::Step& step) {
    return step.action == "RunInstances" && step.outcome == journal::Outcome::applied;
  });
  if (rented == operation.steps.end()) return {};
  return std::chrono::duration_cast<std::chrono::milliseconds>(workflow.context.clock.now() -
                                                               rented->sent);
}

// What was written and is nowhere else would go with the machine's own disk.
bool has_the_only_copy(const Workflow& workflow, const RunEnd& end) {
  return !end.results_are_whole && !workflow.train.checkpoint_volume;
}

std::string ended_in_words(const Workflow& workflow, const InstanceId& machine,
                           std::string_view state) {
  if (state == name_of(MachineEnd::terminate))
    return fmt::format("Instance {} is terminated.", machine);
  if (state == name_of(MachineEnd::stop)) {
    return fmt::format(
        "Instance {} is stopped: only its disk costs money. To start it: runctl aws "
        "start {}",
        machine, machine);
  }
  return fmt::format("Instance {} is kept, and costs {}. To give it back: runctl aws terminate {}",
                     machine, fleet::in_words(workflow.spec.price, workflow.spec.launch), machine);
}

Result<void> end_machines(const Workflow& workflow, const Change& change, MachineEnd how,
                          const RunEnd& end, Rest& rest) {
  const auto machines = subjects_of<InstanceId>(change.recorder.operation());
  boost::json::array records;
  for (const InstanceId& machine : machines) {
    if (how != MachineEnd::keep) change.session.progress(fmt::format("giving {} back", machine));
    auto ended = fleet::end_machine(change, machine, how);
    if (!ended) {
      ended.error().effect = Effect::unknown;  // it costs money: somebody has to look again
      ended.error().details.push_back(fmt::format(
          "run {} {}; instance {} is still there and costs money", end.run, end.words, machine));
      return ended;
    }
    // One that EC2 has taken back is nobody's to keep.
    const bool gone =
        how == MachineEnd::terminate || fleet::is_gone(change.session, machine).value_or(false);
    const auto state = fleet::name_of(gone ? MachineEnd::terminate : how);
    records.push_back(boost::json::object{{"instance_id", machine.str()}, {"state", state}});
    say(rest, ended_in_words(workflow, machine, state));
  }
  const auto rented = rented_for(workflow, change.recorder.operation());
  // Of one machine it can be said what that comes to.
  if (machines.size() == 1)
    say(rest, fmt::format("It was rented for {}.", cost_in_words(workflow, rented)));
  rest.record["machines"] = std::move(records);
  rest.record["rented_seconds"] = std::chrono::duration_cast<std::chrono::seconds>(rented).count();
  return {};
}

// How the machine ends: as was asked, unless something is nowhere but on its own disk.
MachineEnd end_for(const Workflow& workflow, const Change& change, const RunEnd& end,
                   bool log_is_safe, Rest& rest) {
  const InstanceId& machine = workflow.train.instance.id;
  if (has_the_only_copy(workflow, end) &&
      !fleet::is_gone(change.session, machine).value_or(false)) {
    say_short(rest,
              fmt::format("The machine is kept: something that run {} wrote is nowhere but on "
                          "its disk.",
                          end.run));
    return MachineEnd::keep;
  }
  const bool can_stop = workflow.train.instance.lifecycle != "spot";
  if (log_is_safe || workflow.spec.end != MachineEnd::terminate || !can_stop)
    return workflow.spec.end;
  say(rest, "The machine is stopped and not terminated: the log is on its disk.");
  return MachineEnd::stop;
}

struct Collected {
  transfer::Summary summary;
  std::uint64_t failed = 0;
};

Result<Collected> download(const Workflow& workflow, const std::string& results,
                           const std::filesystem::path& root) {
  RUNCTL_TRY_LET(const auto uri, transfer::parse_s3_uri(results));
  RUNCTL_TRY_LET(const auto how, parse_transfer_options({}, workflow.context));
  RUNCTL_TRY_LET(const auto s3, connect_s3(workflow.context, {}));
  S3Report report{*s3, EachObject::quiet};
  DownloadNames names;
  const transfer::NameFilter everything;
  FolderJobs jobs{*s3, uri, everything, [&](FolderListing::Named named) {
                    return download_job(std::move(named), {.uri = uri, .root = root}, names,
                                        report);
                  }};
  const Expected expected;
  RUNCTL_TRY_LET(auto summary, run_jobs(*s3, jobs, report, how, expected));
  if (summary.interrupted) return fail(Errc::cancelled, "the download was interrupted");
  const std::uint64_t failed = report.failed() + summary.failed;
  return Collected{.summary = std::move(summary), .failed = failed};
}

// One run's; what there is of it then, null when it is not all there.
boost::json::value collect_one(const Workflow& workflow, const std::string& run,
                               const std::string& results, Rest& rest) {
  if (results.empty()) return nullptr;
  const std::filesystem::path root = std::filesystem::path{workflow.spec.collect_to} / run;
  const auto got = download(workflow, results, root);
  const std::string by_hand =
      fmt::format("runctl s3 download --recursive {} {}", results, root.string());
  if (!got || got->failed > 0) {
    const std::string why =
        got ? fmt::format("{} of its files could not be had", got->failed) : got.error().message;
    say_short(rest, fmt::format("The results are not all in {}: {}. To download them: {}",
                                root.string(), why, by_hand));
    return nullptr;
  }
  const auto& counts = got->summary.downloaded;
  say(rest, fmt::format("{} ({}) of {} are in {}.", files_in_words(counts.objects),
                        bytes_in_words(counts.bytes), results, root.string()));
  return {{"directory", root.string()}, {"files", counts.objects}, {"bytes", counts.bytes}};
}

// Of the run, and of those that it went on from when their machines were taken back.
void collect(const Workflow& workflow, const RunEnd& end, Rest& rest) {
  if (workflow.spec.collect_to.empty()) return;
  boost::json::array before;
  for (const auto& each : end.interruptions) {
    auto got = collect_one(workflow, string_at(each, "run_id").value_or(""),
                           string_at(each, "output_s3").value_or(""), rest);
    if (!got.is_null()) before.push_back(std::move(got));
  }
  auto got = collect_one(workflow, end.run, end.results, rest);
  if (!before.empty()) rest.record["collected_before"] = std::move(before);
  if (!got.is_null()) rest.record["collected"] = std::move(got);
}

// What stays, and goes on costing money.
void name_volumes(const Workflow& workflow, const std::vector<VolumeId>& made, Rest& rest) {
  const auto& volume = workflow.train.checkpoint_volume;
  if (!volume) return;
  rest.record["checkpoint_volume"] = volume->id.str();
  const auto price = volume::volume_per_month({.type = volume->type, .size = volume->size});
  for (const VolumeId& id : made) {
    if (id != volume->id) {
      say(rest, fmt::format("Volume {} was made for it too, and stays, and costs money. To delete "
                            "it: runctl aws ebs delete {}",
                            id, id));
    }
  }
  if (std::ranges::find(made, volume->id) == made.end()) return;
  say(rest, fmt::format("Volume {} ({} GiB{}) stays, with the checkpoints. To go on from them: "
                        "runctl workflow train {} --checkpoint-volume {} --resume",
                        volume->id, volume->size.count,
                        price ? fmt::format(", {} a month", volume::dollars(*price)) : "",
                        node::to_utf8(workflow.train.code.root.script), volume->id));
}

std::string text_at(const boost::json::value& value, std::string_view name) {
  return string_at(value, name).value_or("");
}

}  // namespace

RunEnd end_of(const node::RunReport& run, boost::json::array interruptions) {
  RunEnd end{.run = run.id.str(),
             .words = outcome_text(run),
             .record = record_of(run),
             .interruptions = std::move(interruptions),
             .was_stopped = run.stop.has_value()};
  if (run.upload) {
    end.results = run.upload->target;
    end.results_are_whole = run.upload->is_whole();
  }
  if (run.state == node::RunState::succeeded)
    end.code = end.results_are_whole ? ExitCode::ok : ExitCode::partial;
  return end;
}

bool has_end(const journal::Operation& operation) {
  return std::ranges::find(operation.steps, std::string{end_step}, &journal::Step::action) !=
         operation.steps.end();
}

Result<std::optional<RunEnd>> read_end(const journal::Operation& operation) {
  const auto step =
      std::ranges::find(operation.steps, std::string{end_step}, &journal::Step::action);
  if (step == operation.steps.end()) return std::nullopt;
  RUNCTL_TRY_LET(const auto kept, parse_json(step->request));
  RunEnd end{.code = static_cast<ExitCode>(integer_at(kept, "code").value_or(1)),
             .run = text_at(kept, "run"),
             .words = text_at(kept, "words"),
             .results = text_at(kept, "results"),
             .results_are_whole = boolean_at(kept, "results_are_whole").value_or(false)};
  if (const auto* record = kept.as_object().if_contains("record"); record && record->is_object())
    end.record = record->as_object();
  if (const auto* list = array_at(kept, "interruptions")) end.interruptions = *list;
  if (auto error = string_at(kept, "error"))
    end.error = Error{.code = Errc::unavailable, .message = *std::move(error)};
  return end;
}

Result<void> write_end(const Change& change, const RunEnd& end) {
  boost::json::object kept{{"run", end.run},
                           {"code", static_cast<int>(end.code)},
                           {"words", end.words},
                           {"results", end.results},
                           {"results_are_whole", end.results_are_whole},
                           {"record", end.record},
                           {"interruptions", end.interruptions}};
  if (end.error) kept["error"] = end.error->message;
  return change.recorder.step(std::string{end_step}, to_text(kept),
                              []() -> Result<void> { return {}; });
}

Result<ExitCode> finish(Workflow& workflow, const Change& change, RunEnd end,
                        const std::vector<VolumeId>& made) {
  Context& context = workflow.context;
  if (!end.error && !end.is_told) note(context, fmt::format("Run {} {}.", end.run, end.words));
  // From here on nothing needs the terminal: Ctrl-C must not keep the machine.
  const volume::Session own = fleet::patient(change.session);
  const Change last{.session = own, .recorder = change.recorder};
  Rest rest{.record = end.record};
  for (std::string& line : unsent_results(end.interruptions)) say_short(rest, std::move(line));
  const bool log_is_safe = keep_log(workflow, last, end, rest);
  keep_in_snapshot(workflow, last, end, rest);
  const MachineEnd how = end_for(workflow, last, end, log_is_safe, rest);
  RUNCTL_TRY(end_machines(workflow, last, how, end, rest));
  name_volumes(workflow, made, rest);
  collect(workflow, end, rest);
  if (end.error) {
    Error error = *std::move(end.error);
    std::string_view lines = rest.text;
    while (!lines.empty()) {
      const auto line_end = lines.find('\n');
      error.details.emplace_back(lines.substr(0, line_end));
      lines.remove_prefix(line_end + 1);
    }
    // All that was left to do is done.
    if (auto over = change.recorder.end(journal::State::failed, error.message); !over)
      error.details.push_back(over.error().message);
    return std::unexpected{std::move(error)};
  }
  rest.record["interruptions"] = std::move(end.interruptions);
  rest.record["outcome"] = end.words;
  const bool is_short = !rest.shortfalls.empty();
  rest.record["shortfalls"] = std::move(rest.shortfalls);
  present(context, {.text = std::move(rest.text), .record = std::move(rest.record), .id = end.run});
  return end.code == ExitCode::ok && is_short ? ExitCode::partial : end.code;
}

}  // namespace runctl::cli
