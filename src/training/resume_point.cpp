#include "training/resume_point.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <span>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "checkpoint/local_place.hpp"
#include "checkpoint/newest.hpp"
#include "io/file.hpp"
#include "io/random_access_file.hpp"
#include "transfer/object_name.hpp"
#include "volume/job_watch.hpp"

namespace runctl::training {
namespace {

namespace fs = std::filesystem;
using node::CheckpointChoice;

// Names of run_wrapper.sh's.
constexpr std::string_view lock_name = ".runctl.lock";
constexpr std::string_view fence_name = ".runctl.fence";

std::unexpected<Error> refuse(Errc code, std::string_view remote, std::string message) {
  auto error = fail(code, std::move(message));
  error.error().remote = RemoteFault{.code = std::string{remote}};
  return error;
}

// What the lock's holder wrote of itself, as run_state.sh's die_busy says it.
std::unexpected<Error> busy(const fs::path& directory) {
  const auto said = read_file(directory / lock_name, 4096).value_or("");
  const std::string_view line = std::string_view{said}.substr(0, said.find('\n'));
  const auto words = split(line, ' ');
  if (words.front() == "choosing") {
    return refuse(Errc::conflict, "busy",
                  fmt::format("the checkpoint directory {} is being looked through by another "
                              "--resume",
                              directory.string()));
  }
  const std::string_view run = words.front().empty() ? "unknown" : words.front();
  const std::string_view pid = words.size() > 1 ? words[1] : "unknown";
  auto error =
      refuse(Errc::conflict, "busy",
             fmt::format("the checkpoint directory {} is in use by run {} (pid {})",
                         directory.string(), transfer::printable(run), transfer::printable(pid)));
  error.error().details = {
      fmt::format("process {} 'run {}': lock", transfer::printable(pid), transfer::printable(run))};
  return error;
}

Result<std::int64_t> read_fence(const fs::path& directory) {
  const auto text = read_file(directory / fence_name, 4096);
  if (!text && text.error().code == Errc::not_found) return 0;
  if (!text) return std::unexpected{text.error()};
  const std::string_view number = trim(*text);
  std::int64_t fence = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), fence);
  if (error != std::errc{} || end != number.data() + number.size() || fence < 0) {
    return refuse(Errc::precondition, "not_started",
                  fmt::format("{} is damaged", (directory / fence_name).string()));
  }
  return fence;
}

// Whose directory it was: the next run looks whether something of that one is left.
std::string last_run(const fs::path& lock) {
  const auto said = read_file(lock, 4096).value_or("");
  const auto words = split(std::string_view{said}.substr(0, said.find('\n')), ' ');
  if (words.front() != "choosing") return std::string{words.front()};
  return words.size() > 3 ? std::string{words[3]} : "";
}

// Held by this process until it is destroyed. A run that has ended holds it for a moment longer.
Result<RandomAccessFile> lock(const fs::path& directory, std::int64_t fence, Clock& clock,
                              const std::stop_token& stop) {
  constexpr std::chrono::milliseconds pause{100};
  constexpr int most_tries = 10;
  const fs::path path = directory / lock_name;
  auto locked = lock_file(path);
  for (int tries = 1; !locked && locked.error().code == Errc::conflict && tries < most_tries;
       ++tries) {
    RUNCTL_TRY(clock.sleep_until(clock.ticks() + pause, stop));
    locked = lock_file(path);
  }
  if (!locked && locked.error().code == Errc::conflict) return busy(directory);
  if (!locked) return std::unexpected{locked.error()};
  RandomAccessFile file{*std::move(locked), path};
  const std::string line = fmt::format("choosing 0 {} {}\n", fence, last_run(path));
  RUNCTL_TRY(file.truncate(0));
  RUNCTL_TRY(file.write_at(0, std::as_bytes(std::span{line})));
  return file;
}

CheckpointChoice choice_of(const checkpoint::Newest& newest) {
  CheckpointChoice choice{.ordered_by = std::string{name_of(newest.by)},
                          .passed_over_count = newest.skipped.size(),
                          .written_later = newest.written_later};
  for (const checkpoint::Skipped& one : newest.skipped) {
    if (!one.is_unfinished) ++choice.bad_count;
    choice.passed_over.push_back(
        {.name = one.name,
         .state = one.is_unfinished ? "unfinished" : std::string{name_of(one.verdict)},
         .why = one.why});
  }
  if (newest.checkpoint) {
    const checkpoint::Finding& finding = newest.checkpoint->finding;
    choice.checkpoint = node::ChosenCheckpoint{.name = newest.checkpoint->name,
                                               .format = std::string{name_of(finding.format)},
                                               .state = std::string{name_of(finding.verdict)},
                                               .why = finding.why,
                                               .epoch = finding.facts.epoch,
                                               .step = finding.facts.step};
  }
  return choice;
}

std::unexpected<Error> none_good(const CheckpointChoice& choice, const std::string& directory) {
  auto none = refuse(Errc::conflict, "no_good_checkpoint",
                     fmt::format("no checkpoint in {} can be gone on from: none verifies",
                                 transfer::printable(directory)));
  Error& error = none.error();
  for (const node::PassedOver& one : choice.passed_over) {
    error.details.push_back(
        fmt::format("{}: {}", transfer::printable(one.name), transfer::printable(one.why)));
  }
  if (choice.passed_over_count > choice.passed_over.size()) {
    error.details.push_back(
        fmt::format("and {} more", choice.passed_over_count - choice.passed_over.size()));
  }
  error.hint =
      "Nothing was started. To begin from the beginning, remove them or leave out --resume; a "
      "script that knows their format can be given one by its own arguments.";
  error.section = "CHECKPOINTS.md#what-a-run-goes-on-from";
  return none;
}

Result<ResumePoint> point_of(CheckpointChoice choice, const std::string& directory) {
  ResumePoint point{.choice = std::move(choice)};
  const auto& chosen = point.choice.checkpoint;
  if (!chosen && point.choice.bad_count > 0) return none_good(point.choice, directory);
  if (chosen) {
    point.path = chosen->name.empty() ? directory : fmt::format("{}/{}", directory, chosen->name);
  }
  return point;
}

Result<CheckpointChoice> choose(const fs::path& directory, const std::stop_token& stop) {
  RUNCTL_TRY_LET(const auto place, checkpoint::open_local_place(directory, stop));
  RUNCTL_TRY_LET(const auto newest, checkpoint::find_newest(*place));
  return choice_of(newest);
}

}  // namespace

Result<ResumePoint> resume_point_here(const fs::path& directory, Clock& clock,
                                      const std::stop_token& stop) {
  RUNCTL_TRY_LET(const std::int64_t seen, read_fence(directory));
  RUNCTL_TRY_LET(const RandomAccessFile held, lock(directory, seen, clock, stop));
  // Again, now that no run can change it.
  RUNCTL_TRY_LET(const std::int64_t fence, read_fence(directory));
  RUNCTL_TRY_LET(CheckpointChoice choice, choose(directory, stop));
  choice.fence = fence;
  return point_of(std::move(choice), directory.string());
}

Result<ResumePoint> foresee_resume_point(const fs::path& directory, const std::stop_token& stop) {
  auto choice = choose(directory, stop);
  if (!choice && choice.error().code == Errc::not_found) return ResumePoint{};
  if (!choice) return std::unexpected{choice.error()};
  return point_of(*std::move(choice), directory.string());
}

Result<ResumePoint> resume_point_on_machine(const volume::Session& session,
                                            const InstanceId& instance, const VolumeId& volume,
                                            const std::string& directory) {
  constexpr std::chrono::seconds patience{60};
  const node::Machine machine{
      .shell = session.shell, .instance = instance, .timeout = patience, .stop = session.stop};
  auto choice = node::choose_checkpoint(
      machine, volume, directory,
      volume::watch_of(session, "looking for the newest checkpoint that verifies"));
  if (choice) return point_of(*std::move(choice), directory);
  Error& error = choice.error();
  const std::string code = error.remote ? error.remote->code : "";
  explain_refusal(error, fmt::format(" --instance {}", instance));
  if (code == "no_python") {
    error.hint =
        "Nothing was started: a torn checkpoint looks like a whole one until it is read. Install "
        "python3 there (apt-get install python3, dnf install python3), or begin from the "
        "beginning, without --resume.";
    error.section = "CHECKPOINTS.md#what-a-run-goes-on-from";
  }
  return std::unexpected{std::move(error)};
}

void give_to(node::RunSpec& run, const ResumePoint& point) {
  run.expected_fence = point.choice.fence;
  if (!point.path.empty())
    run.environment.push_back({.name = "RUNCTL_RESUME_FROM", .value = point.path});
}

void explain_refusal(Error& error, const std::string& where) {
  const std::string code = error.remote ? error.remote->code : "";
  if (code == "changed") {
    error.hint = "Nothing was started. The same command again chooses anew.";
    error.section = "CHECKPOINTS.md#what-a-run-goes-on-from";
  }
  if (code != "busy") return;
  error.hint =
      "Two runs that write one directory destroy each other's checkpoints; wait for it or stop it.";
  error.section = "EBS_CONCURRENT_ACCESS.md#one-run-per-checkpoint-directory";
  error.ways_out = {fmt::format("runctl runs list{}   # who has it", where),
                    "runctl runs stop RUN   # it may save its work first"};
}

}  // namespace runctl::training
