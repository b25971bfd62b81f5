// What `aws train` does when EC2 takes the machine back: shown before, done upon the notice.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/array.hpp>

#include "base/result.hpp"
#include "cli/cloud.hpp"
#include "cli/command.hpp"
#include "cli/context.hpp"
#include "cli/runs/watch.hpp"
#include "fleet/launch.hpp"
#include "fleet/replace.hpp"
#include "training/train.hpp"
#include "volume/change.hpp"

namespace runctl::cli {

inline constexpr OptionSpec on_interruption_option{
    .name = "--on-interruption",
    .value = "ACTION",
    .help = "when EC2 takes a spot machine back: stop the run, move its volumes, or snapshot"};
inline constexpr OptionSpec interruption_hook_option{
    .name = "--interruption-hook",
    .value = "COMMAND",
    .help = "run this on the machine before SIGTERM, when EC2 takes it back"};
inline constexpr OptionSpec auto_resume_option{
    .name = "--auto-resume",
    .help = "then rent another machine, and go on there from the newest checkpoint"};
inline constexpr OptionSpec fallback_type_option{
    .name = "--fallback-type",
    .value = "TYPE",
    .help = "with --auto-resume: this type where there is none of the first",
    .times = OptionSpec::Times::many};
inline constexpr OptionSpec fallback_zone_option{
    .name = "--fallback-zone",
    .value = "AZ",
    .help = "with --auto-resume: in this zone, with copies of the volumes, if need be",
    .times = OptionSpec::Times::many};
inline constexpr OptionSpec no_fallback_option{
    .name = "--no-fallback", .help = "with --auto-resume: a spot machine or none, never on demand"};

// The step of an operation that says which volumes a run has since it went on in another zone:
// data_volume and checkpoint_volume.
inline constexpr std::string_view relocated_step = "relocated";

struct InterruptionPlan {
  enum class Action : std::uint8_t { stop, move, snapshot };
  Action action = Action::stop;
  std::string hook = {};
  bool is_spot = false;
  bool makes_volume = false;                               // its checkpoint volume is yet to be
  std::optional<fleet::ReplacementSpec> replacement = {};  // with --auto-resume
  std::vector<std::string> other_zones = {};  // where there is none in the volumes' own
};

// Looks up how the machine was launched, which EC2 forgets when it is gone. Errors:
// invalid_argument for options that need others; those of launch_spec_of.
[[nodiscard]] Result<InterruptionPlan> plan_interruption(const Arguments& arguments,
                                                         const volume::Session& session,
                                                         const training::TrainSpec& spec);

// The same for a machine that is yet to be rented, by a command that waits for its run;
// `makes_volume`: and that makes a volume for the checkpoints.
[[nodiscard]] Result<InterruptionPlan> plan_interruption(const Arguments& arguments,
                                                         const volume::Session& session,
                                                         const fleet::LaunchSpec& launch,
                                                         const training::TrainSpec& spec,
                                                         bool makes_volume);

// What will be done, a line each; nothing for a machine that EC2 does not take back. `machine` is
// what it is called.
[[nodiscard]] std::vector<std::string> steps_of(const InterruptionPlan& plan,
                                                const training::TrainSpec& spec,
                                                std::string_view machine);

// Borrows everything but the cloud.
struct Attended {
  std::shared_ptr<Cloud> cloud;
  training::TrainSpec& spec;  // becomes that of each next machine
  const InterruptionPlan& plan;
  // Starts the run that `spec` says, as one operation or as a part of `within`, and says so.
  std::function<Result<training::Started>()> start;
  // The operation that all of it is a part of; null: each thing is one of its own.
  const volume::Change* within = nullptr;
  std::uint64_t from = 0;      // offset in the first run's log
  std::string come_back = {};  // Watch::come_back
};

// How it ended.
struct Attendance {
  Seen seen;
  training::Started last;  // of the runs, and what it was started with
  InstanceId instance;     // where
  // Of each before: instance_id, run_id; with --output-s3 output_s3, results_are_whole and
  // checkpoint_volume.
  boost::json::array interruptions = {};
  std::optional<InstanceId> rented = {};  // in place of the first
};

// What of them may not be all in S3, a sentence each.
[[nodiscard]] std::vector<std::string> unsent_results(const boost::json::array& interruptions);

// Shows the run's output until it ends; an interruption is answered as the plan says. Errors: those
// of watch_to_its_end, take_off, take_snapshot, rent_replacement, wait_until_ready and start;
// unavailable when EC2 has taken the machine back before it could say how the run ended.
[[nodiscard]] Result<Attendance> attend(Context& context, const Attended& attended,
                                        training::Started started);

}  // namespace runctl::cli
