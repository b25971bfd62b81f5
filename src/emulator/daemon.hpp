// The emulator as a process: one a state directory, in the foreground or in the background.
//
// STATE/lock            held by the running emulator
// STATE/emulator.json   how to reach it; there as long as it answers
// STATE/state.sqlite    volumes, snapshots, instances
// STATE/s3.sqlite, s3  buckets and objects: s3/store.hpp
// STATE/events.jsonl    every request and state change
// STATE/emulator.log    what a background emulator printed
// STATE/volumes, snapshots, instances, nodes   the hardware's
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "emulator/hardware/hardware.hpp"
#include "io/clock.hpp"
#include "io/environment.hpp"
#include "io/http_transport.hpp"
#include "io/random.hpp"

namespace runctl::emulator {

struct DaemonOptions {
  std::filesystem::path state;
  std::uint16_t port = 4599;  // 0 takes a free one
  std::string pace = "fast";
  std::string hardware = "auto";
  std::optional<std::uint64_t> seed = {};
  std::optional<std::filesystem::path> faults = {};  // a file of rules: emulator/fault.hpp
};

struct EmulatorInfo {
  std::string endpoint = {};  // "http://127.0.0.1:4599"
  int pid = 0;
  std::uint64_t start = 0;  // of the process: process_start()
  std::string hardware = {};
  std::string hardware_note = {};  // why it is not `block`, or empty
  std::string pace = {};
  std::string version = {};
  std::string token = {};  // lets whoever can read the state directory steer the emulator
};

struct HardwareChoice {
  Hardware hardware;
  std::string note = {};
};

struct DaemonParts {
  Clock& clock;
  Random& random;
  std::ostream& out;
  // Called once the state directory is this process's own; first puts away what a crash has left.
  std::function<Result<HardwareChoice>()> make_hardware;
  std::string version = {};
};

// Serves until `stop` is requested; prints "listening on URL" once it answers. Then halts the
// machines and leaves nothing behind but the state. Errors: conflict (another emulator has the
// state directory, or the port is taken), corrupt (a state file that is not ours), invalid_argument
// (pace), denied, internal.
[[nodiscard]] Result<void> run_emulator(const DaemonOptions& options, const DaemonParts& parts,
                                        const std::stop_token& stop);

// Returns the running one, or starts `program emulator run …` in the background and waits until it
// answers. Errors: unavailable, with the last line of its log, when it ends instead;
// deadline_exceeded, cancelled.
[[nodiscard]] Result<EmulatorInfo> start_emulator(
    const DaemonOptions& options, Clock& clock, const Environment& environment,
    const std::stop_token& stop, const std::filesystem::path& program = "/proc/self/exe");

// False when none was running. Errors: deadline_exceeded, denied.
[[nodiscard]] Result<bool> stop_emulator(const std::filesystem::path& state);

// Where the event log of `state` is.
[[nodiscard]] std::filesystem::path event_log_of(const std::filesystem::path& state);

// Forgets everything: volumes, snapshots, machines, buckets and the event log. What a crash has
// left must be put away before (clean_up_after_crash). Anything else in the directory stays. False
// when there was nothing. Errors: conflict while an emulator runs there; invalid_argument for a
// directory that is no emulator's; denied, internal.
[[nodiscard]] Result<bool> reset_emulator(const std::filesystem::path& state);

// Gives the running emulator another rule, or takes rules away: those of `target`, or with none
// all. Returns the rules in force, in words. A power loss is over by then, and no rule; an
// interruption of a spot instance is shown until it is over, with the time that is left. Errors:
// not_found when none runs, or not the machine; conflict when the machine is off, or is no spot
// instance; those of parse_fault and of the transport.
[[nodiscard]] Result<std::vector<std::string>> add_fault(HttpTransport& http, Clock& clock,
                                                         const std::filesystem::path& state,
                                                         std::span<const std::string> words);
[[nodiscard]] Result<std::vector<std::string>> clear_faults(HttpTransport& http, Clock& clock,
                                                            const std::filesystem::path& state,
                                                            std::string_view target);
[[nodiscard]] Result<std::vector<std::string>> list_faults(HttpTransport& http, Clock& clock,
                                                           const std::filesystem::path& state);

// Nothing when none runs there. Errors: denied, corrupt.
[[nodiscard]] Result<std::optional<EmulatorInfo>> emulator_status(
    const std::filesystem::path& state);

}  // namespace runctl::emulator
