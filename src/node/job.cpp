#include "node/job.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "base/json.hpp"

namespace runctl::node {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

// What a machine that does not answer is given: SSM's agents are away for seconds at times.
constexpr seconds most_silence{60};
// A look at a job waits there for its end, so that the end is seen at once and few looks are
// needed. Long looks see it later (SsmShell), so they become short where the end is near.
constexpr milliseconds first_wait{500};
constexpr milliseconds longest_wait{5'000};
constexpr milliseconds longest_blind_wait{2'000};  // while it is not known how much is left
// stop_job.sh waits 25 s at most.
constexpr seconds stop_timeout{45};

enum class JobState : std::uint8_t { running, ended, lost };

struct JobReport {
  std::string id;
  JobState state = JobState::lost;
  int exit_status = 0;
  JobProgress progress = {};
  bool already = false;  // of start_job: it was under way before; of stop_job: it had ended
  std::string said = {};
  json::value record = {};
};

std::uint64_t count(const json::value& value, std::string_view name) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(integer_at(value, name).value_or(0), 0));
}

Result<JobReport> read_report(const InstanceId& instance, json::value value) {
  const auto state = string_at(value, "state").value_or("");
  JobReport report{
      .id = string_at(value, "job").value_or(""),
      .state = state == "running" ? JobState::running
               : state == "ended" ? JobState::ended
                                  : JobState::lost,
      .exit_status = static_cast<int>(integer_at(value, "exit_status").value_or(0)),
      .progress = {.done_bytes = count(value, "done"), .total_bytes = count(value, "total")},
      .already = boolean_at(value, "already").value_or(false),
      .said = string_at(value, "said").value_or("")};
  if (report.id.empty() || state.empty()) {
    return fail(Errc::corrupt,
                fmt::format("instance {} gave a job a state that cannot be read", instance));
  }
  if (auto* object = value.if_object(); object != nullptr && object->contains("record"))
    report.record = std::move(object->at("record"));
  return report;
}

// A text about one job.
struct Subject {
  const Machine& machine;
  const Script& script;
  std::string_view target;

  [[nodiscard]] std::string words() const {
    return fmt::format("'{}' of {} on instance {}", script.name, target, machine.instance);
  }
};

std::unexpected<Error> failed(Errc code, Effect effect, std::string message) {
  auto error = fail(code, std::move(message));
  error.error().effect = effect;
  return error;
}

// The record of a job that is not running any more.
Result<json::value> result_of(const Subject& job, const JobReport& report) {
  if (report.state == JobState::lost) {
    return failed(Errc::internal, Effect::unknown,
                  fmt::format("{} was killed before its end", job.words()));
  }
  if (report.record.is_null()) {
    return failed(Errc::corrupt, Effect::unknown,
                  fmt::format("{} ended with status {} and no record: '{}'", job.words(),
                              report.exit_status, report.said));
  }
  return read_record(job.script.name, job.machine.instance,
                     {.exit_status = report.exit_status, .out = to_text(report.record)});
}

bool may_answer_later(const Error& error) {
  return error.code == Errc::unavailable || error.code == Errc::throttled ||
         error.code == Errc::deadline_exceeded;
}

class Follower {
 public:
  Follower(const Subject& job, const JobWatch& watch)
      : job_{job}, watch_{watch}, heard_{watch.clock.ticks()} {}

  Result<json::value> follow() {
    while (true) {
      const auto began = watch_.clock.ticks();
      if (job_.machine.stop.stop_requested()) return give_up(Errc::cancelled);
      if (began >= watch_.deadline) return give_up(Errc::deadline_exceeded);
      auto report = id_ ? look() : start();
      if (report) {
        heard_ = watch_.clock.ticks();
        id_ = report->id;
        if (report->state != JobState::running) return result_of(job_, *report);
        tell(report->progress);
        adapt(*report, began);
        continue;
      }
      auto& error = report.error();
      if (error.code == Errc::cancelled) return give_up(Errc::cancelled);
      if (id_ && error.remote && error.remote->code == "no_run") {
        return failed(Errc::internal, Effect::unknown,
                      fmt::format("{} is gone: the machine was restarted", job_.words()));
      }
      const bool nothing_done = !id_ && error.effect == Effect::not_applied;
      if (!may_answer_later(error) || nothing_done) return std::unexpected{std::move(error)};
      if (watch_.clock.ticks() - heard_ > most_silence) {
        error.effect = Effect::unknown;
        error.hint =
            fmt::format("{} may still be under way: the same command follows it.", job_.words());
        return std::unexpected{std::move(error)};
      }
      (void)watch_.clock.sleep_until(watch_.clock.ticks() + seconds{1}, job_.machine.stop);
    }
  }

 private:
  // The machine's own time-out, and room for the wait there.
  [[nodiscard]] Machine asked() const {
    Machine machine = job_.machine;
    machine.timeout = std::max<seconds>(machine.timeout, seconds{15});
    return machine;
  }
  [[nodiscard]] std::string wait_tenths() const {
    const auto left =
        std::chrono::duration_cast<milliseconds>(watch_.deadline - watch_.clock.ticks());
    return std::to_string(std::clamp<milliseconds>(left, milliseconds{100}, wait_).count() / 100);
  }
  Result<JobReport> start() {
    RUNCTL_TRY_LET(auto record,
                   run_script(asked(), {.name = "start_job",
                                        .parameters = {{"JOB", std::string{job_.script.name}},
                                                       {"TARGET", std::string{job_.target}},
                                                       {"TEXT", assemble(job_.script)},
                                                       {"WRAPPER", script_text("job_wrapper")},
                                                       {"WAIT_TENTHS", wait_tenths()}}}));
    return read_report(job_.machine.instance, std::move(record));
  }
  Result<JobReport> look() {
    RUNCTL_TRY_LET(auto record,
                   run_script(asked(), {.name = "job_status",
                                        .parameters = {{"JOB", std::string{job_.script.name}},
                                                       {"TARGET", std::string{job_.target}},
                                                       {"ID", *id_},
                                                       {"WAIT_TENTHS", wait_tenths()}}}));
    return read_report(job_.machine.instance, std::move(record));
  }
  void adapt(const JobReport& report, std::chrono::steady_clock::time_point asked_at) {
    const auto& [done, total] = report.progress;
    if (!measured_from_) {
      measured_from_ = asked_at;
      measured_done_ = report.already ? done : 0;
    }
    wait_ = next_look(wait_, {.elapsed = std::chrono::duration_cast<milliseconds>(
                                  watch_.clock.ticks() - *measured_from_),
                              .done_bytes = done - std::min(done, measured_done_),
                              .left_bytes = total - std::min(total, done)});
  }
  void tell(const JobProgress& progress) {
    if (!watch_.progress) return;
    const auto now = watch_.clock.ticks();
    if (told_ && now - *told_ < first_wait) return;
    told_ = now;
    watch_.progress(progress);
  }
  Result<json::value> give_up(Errc code);

  const Subject& job_;
  const JobWatch& watch_;
  std::chrono::steady_clock::time_point heard_;
  std::optional<std::chrono::steady_clock::time_point> told_ = {};
  std::optional<std::string> id_ = {};
  milliseconds wait_ = first_wait;
  std::optional<std::chrono::steady_clock::time_point> measured_from_ = {};
  std::uint64_t measured_done_ = 0;  // by then
};

Result<JobReport> end_job(const Machine& machine, std::string_view name, std::string_view target) {
  // The stop that was requested is of the job, not of its end.
  const Machine patient{
      .shell = machine.shell, .instance = machine.instance, .timeout = stop_timeout};
  RUNCTL_TRY_LET(auto record,
                 run_script(patient, {.name = "stop_job",
                                      .parameters = {{"JOB", std::string{name}},
                                                     {"TARGET", std::string{target}}}}));
  return read_report(machine.instance, std::move(record));
}

Result<json::value> Follower::give_up(Errc code) {
  const std::string why = code == Errc::cancelled ? "was cancelled" : "did not end in time";
  const auto end = end_job(job_.machine, job_.script.name, job_.target);
  if (!end) {
    const bool never_began = end.error().remote && end.error().remote->code == "no_run";
    if (never_began)
      return failed(code, Effect::not_applied, fmt::format("{} {}", job_.words(), why));
    auto error = failed(code, Effect::unknown,
                        fmt::format("{} {}, and whether it has been ended is not known: {}",
                                    job_.words(), why, end.error().message));
    error.error().hint = "It ends by itself, and the same command follows it.";
    return error;
  }
  if (!id_ && end->already) {
    return failed(code, Effect::not_applied, fmt::format("{} {}", job_.words(), why));
  }
  if (end->state == JobState::ended) {
    // It may have been faster than we.
    if (id_ == end->id) {
      if (auto result = result_of(job_, *end)) return result;
    }
    return failed(
        code, Effect::not_applied,
        fmt::format("{} {}; it has been ended, and took back what it did", job_.words(), why));
  }
  return failed(code, Effect::unknown,
                end->state == JobState::lost
                    ? fmt::format("{} {}; it had to be killed", job_.words(), why)
                    : fmt::format("{} {}, and could not be ended", job_.words(), why));
}

}  // namespace

milliseconds next_look(milliseconds last, const JobPace& pace) {
  if (pace.done_bytes == 0 || pace.left_bytes == 0)
    return std::clamp(last * 5 / 4, first_wait, longest_blind_wait);
  const double left = static_cast<double>(pace.elapsed.count()) *
                      static_cast<double>(pace.left_bytes) / static_cast<double>(pace.done_bytes);
  const double longest{static_cast<double>(longest_wait.count())};
  return std::max(milliseconds{static_cast<std::int64_t>(std::min(left / 2, longest))}, first_wait);
}

Result<json::value> run_job(const Machine& machine, const Script& script, std::string_view target,
                            const JobWatch& watch) {
  const Subject job{.machine = machine, .script = script, .target = target};
  return Follower{job, watch}.follow();
}

Result<JobEnd> stop_job(const Machine& machine, std::string_view name, std::string_view target) {
  const auto end = end_job(machine, name, target);
  if (!end) {
    if (end.error().remote && end.error().remote->code == "no_run") return JobEnd::none;
    return std::unexpected{end.error()};
  }
  if (end->already) return JobEnd::none;
  switch (end->state) {
    case JobState::ended:
      return JobEnd::ended;
    case JobState::lost:
      return JobEnd::killed;
    case JobState::running:
      return JobEnd::running;
  }
  std::unreachable();
}

}  // namespace runctl::node
