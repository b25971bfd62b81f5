// Runs: commands that go on without us, and what is known of them afterwards.
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>

#include "base/result.hpp"
#include "node/script.hpp"
#include "node/upload.hpp"

namespace runctl::node {

class RunId {
 public:
  // Errors: invalid_argument unless 1 to 64 letters, digits, '.', '_', '-', a letter or digit
  // first.
  [[nodiscard]] static Result<RunId> parse(std::string_view text);
  [[nodiscard]] const std::string& str() const noexcept { return value_; }
  auto operator<=>(const RunId&) const = default;

 private:
  explicit RunId(std::string value) : value_{std::move(value)} {}
  std::string value_;
};

struct RunAssignment {
  std::string name;
  std::string value;
};

// What a program needs besides Python, and which file of its project says so.
struct RunPackages {
  enum class Kind : std::uint8_t {
    requirements,  // pip's format
    script,        // inline metadata of a script (PEP 723)
    pyproject,     // [project] of a pyproject.toml
    lock,          // the uv.lock beside a pyproject.toml, for uv; for pip as pyproject
    conda,         // an environment.yml
  };
  Kind kind = Kind::requirements;
  std::string from = {};  // the file, relative to the working directory: "requirements.txt"
  // In pip's format, a line each; empty for requirements and conda, whose file is read itself.
  std::string list = {};
  std::string python = {};  // a version specifier, ">=3.11"; empty: any
  // Runs with equal keys share an environment: letters and digits.
  std::string key = {};
};
// "pyproject": stable names.
[[nodiscard]] std::string_view name_of(RunPackages::Kind kind);

// StopRequest::by of a run that was asked to end because EC2 takes its machine back (watch_run.sh).
inline constexpr std::string_view interruption_notice = "EC2's spot interruption notice";

// What happens on a spot machine when EC2 takes it back, whether we are connected or not
// (watch_run.sh): the notice is seen within three seconds, the program gets SIGTERM and what is
// left of the notice's time but for the last 15 s, and the volumes are unmounted.
struct InterruptionWatch {
  std::vector<VolumeId> volumes = {};
  // A shell text that runs in the working directory with the run's environment, before SIGTERM.
  std::string hook = {};
  std::chrono::seconds poll{2};  // AWS advises to look every 5 s (ebs-facts, section 13)
};

struct RunSpec {
  RunId id;
  std::vector<std::string> argv;
  std::vector<RunAssignment> environment =
      {};  // besides RUNCTL_RUN_ID, RUNCTL_FENCE, RUNCTL_CHECKPOINT_DIR
  std::string working_directory;
  // At most one run uses it at a time (S13). Empty for a run without checkpoints.
  std::string checkpoint_directory = {};
  // The fencing number that the directory must still have, so that no other run was there since
  // something was decided by what is in it; nothing for any.
  std::optional<std::int64_t> expected_fence = {};
  // Installed on the machine before the program starts, as a part of the run. When they cannot be,
  // the run has failed with status 125, and its log says why.
  std::optional<RunPackages> packages = {};
  // Nothing for a machine that EC2 does not take back.
  std::optional<InterruptionWatch> watch = {};
  // Its output and checkpoints are uploaded while it goes on and when it has ended.
  std::optional<UploadSpec> upload = {};
  // Of the code, where it is known; for the record only.
  std::string git_commit = {};
};

enum class RunState : std::uint8_t {
  running,
  succeeded,  // exit status 0
  failed,     // another exit status
  stopped,    // it was asked to end before it ended, whatever its status
  lost,  // its processes are gone and nothing wrote down how it ended: a reboot, SIGKILL of all of
         // them
};
[[nodiscard]] std::string_view name_of(RunState state);

// That a run was asked to end.
struct StopRequest {
  std::optional<std::chrono::sys_seconds> at = {};
  std::string signal = {};  // "TERM"
  std::string by = {};      // user@host
  // Its time was over, and what was left of it was killed.
  std::optional<std::chrono::sys_seconds> killed = {};
};

struct KeptVolume {
  VolumeId volume;
  std::string why = {};
};

// What the machine did upon EC2's notice that it takes it back.
struct Interruption {
  std::string action = {};  // "terminate", "stop", "hibernate"
  std::optional<std::chrono::sys_seconds> at = {};
  std::optional<std::chrono::sys_seconds> noticed = {};
  std::optional<std::chrono::sys_seconds> finished = {};  // nothing while it is at it
  std::vector<VolumeId> unmounted = {};
  std::vector<KeptVolume> kept = {};  // still mounted, though written back
};

struct RunReport {
  RunId id;
  RunState state = RunState::lost;
  std::optional<int> exit_status = {};  // 126 and 127: the command could not be started
  // The signal that ended it, by the shells' convention of exit status 128 + signal.
  std::optional<int> signal = {};
  std::int64_t pid = 0;
  // Grows by one with each run on a checkpoint directory; 0 without one. The program finds it in
  // RUNCTL_FENCE.
  std::int64_t fence = 0;
  std::optional<std::chrono::sys_seconds> started = {};
  std::optional<std::chrono::sys_seconds> ended = {};
  std::optional<StopRequest> stop = {};
  std::optional<Interruption> interruption = {};
  std::string directory = {};  // on the machine; holds command.sh and log
  std::string command = {};    // for people: shortened, without secrets
  std::string checkpoint_directory = {};
  std::string git_commit = {};
  bool already = false;  // start_run found it started
  std::optional<UploadReport> upload =
      {};  // of a run that uploads, from run_status and stop_run alone
};

// Starts it once, however often it is called: a second call with the same id and command reports
// the run. The lock on the checkpoint directory is held by the run's own processes until the last
// one has ended. A command that cannot be started is a run that failed (status 127), not an error.
// Errors (`remote->code`): conflict (busy: another run uses the checkpoint directory, named in the
// details; run_exists: the id belongs to another command), precondition (not_started, or changed:
// the directory has another fencing number, or no_uploader: the machine has no program to upload
// with; and nothing ran), internal (start_failed),
// invalid_argument for an empty argv, a program that starts with
// '-', a name that is no variable's, or relative directories; as run_script.
[[nodiscard]] Result<RunReport> start_run(const Machine& machine, const RunSpec& spec);

// What one look at a run brings of its log at most, in memory too. The log travels compressed, so
// that SSM's 24,000 characters hold some 100 KiB of text; what does not compress comes in pieces of
// 15 KiB.
inline constexpr std::size_t log_piece_limit = std::size_t{1} << 20U;

// A log_offset for when nothing of the log is wanted.
inline constexpr std::uint64_t behind_any_log = std::uint64_t{1} << 62U;

struct RunProgress {
  RunReport run;
  std::string log;  // any bytes
  std::uint64_t next_offset = 0;
  std::uint64_t log_size = 0;
};

// The state is told by processes and the status that they left, never by the log. When it is not
// `running`, the log that came with it is complete once next_offset is log_size. Errors: not_found
// (no_run); as run_script.
[[nodiscard]] Result<RunProgress> run_status(const Machine& machine, const RunId& id,
                                             std::uint64_t log_offset,
                                             std::size_t max_bytes = log_piece_limit);

struct RunDetails {
  RunReport run;
  std::uint64_t log_size = 0;
  std::uint64_t free_bytes = 0;  // where the log lies
  // Before it started: "arguments", "environment" (secrets redacted), "working_directory",
  // "git_commit"; empty for a run of an older runctl.
  boost::json::object record = {};
};

// Errors: as run_status.
[[nodiscard]] Result<RunDetails> run_details(const Machine& machine, const RunId& id);

// Copies what a run has left on its machine's own disk (log and records, not its command) to the
// filesystem of its checkpoints, `runs/RUN` beside them, and gives the directory, on the machine.
// May be repeated. Errors (`remote->code`): not_found (no_run), precondition (no_checkpoints),
// conflict (no_space, and nothing is left half-copied); as run_script.
[[nodiscard]] Result<std::string> keep_run(const Machine& machine, const RunId& id);

// A run that still needs its machine.
struct UnfinishedRun {
  RunId id;
  bool is_running = false;
  bool is_unsent = false;     // not everything that it wrote is where its results are uploaded to
  bool is_only_here = false;  // and it lies on the machine's own disk
};

// Newest first, 20 at most. Errors: as run_script.
[[nodiscard]] Result<std::vector<UnfinishedRun>> unfinished_runs(const Machine& machine);

// Newest first, 20 at most. Errors: as run_script.
[[nodiscard]] Result<std::vector<RunReport>> list_runs(const Machine& machine, std::size_t count);

}  // namespace runctl::node
