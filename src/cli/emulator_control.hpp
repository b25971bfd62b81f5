// The embedded emulator, as far as commands have to do with it. The real one is built in main/: the
// command line does not know how the emulator works.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace runctl::cli {

struct EmulatorOptions {
  std::string state;  // directory
  std::optional<unsigned> port = {};
  std::string pace = "fast";
  std::string hardware = "auto";
  std::optional<std::uint64_t> seed = {};
  std::optional<std::string> faults = {};  // a file of rules
};

struct EmulatorStatus {
  std::string endpoint;  // "http://127.0.0.1:4599"
  int pid = 0;
  std::string hardware;
  std::string hardware_note;  // why it is not `block`, or empty
  std::string state;
};

// The one secret that the emulator accepts, with any access key id.
inline constexpr std::string_view emulator_access_key = "emulator";
inline constexpr std::string_view emulator_secret_key = "emulator";

class EmulatorControl {
 public:
  EmulatorControl() = default;
  EmulatorControl(const EmulatorControl&) = delete;
  EmulatorControl& operator=(const EmulatorControl&) = delete;
  EmulatorControl(EmulatorControl&&) = delete;
  EmulatorControl& operator=(EmulatorControl&&) = delete;
  virtual ~EmulatorControl() = default;

  // Nothing when none runs on that state directory.
  [[nodiscard]] virtual Result<std::optional<EmulatorStatus>> status(const std::string& state) = 0;
  // Returns the running one, or starts one in the background and waits until it answers.
  [[nodiscard]] virtual Result<EmulatorStatus> start(const EmulatorOptions& options) = 0;
  // False when none was running.
  [[nodiscard]] virtual Result<bool> stop(const std::string& state) = 0;
  // Forgets everything on a state directory where none runs. False when there was nothing. Errors:
  // conflict, invalid_argument.
  [[nodiscard]] virtual Result<bool> reset(const std::string& state) = 0;
  // The file of its events, a JSON object a line; it may not be there yet.
  [[nodiscard]] virtual std::string event_log(const std::string& state) = 0;
  // Each returns the rules in force, in words. Errors: not_found when none runs; invalid_argument.
  [[nodiscard]] virtual Result<std::vector<std::string>> add_fault(
      const std::string& state, const std::vector<std::string>& words) = 0;
  [[nodiscard]] virtual Result<std::vector<std::string>> clear_faults(
      const std::string& state, const std::string& target) = 0;
  [[nodiscard]] virtual Result<std::vector<std::string>> list_faults(const std::string& state) = 0;
  // In the foreground, until `stop` is requested.
  [[nodiscard]] virtual Result<void> run(const EmulatorOptions& options,
                                         const std::stop_token& stop) = 0;
};

}  // namespace runctl::cli
