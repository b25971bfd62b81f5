// For tests: this machine as one of the emulator's without root, seen by an ordinary user.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/strong_id.hpp"
#include "io/process.hpp"
#include "io/real_clock.hpp"
#include "node/block_machine.hpp"
#include "node/local_shell.hpp"
#include "node/script.hpp"

namespace runctl::node::testing {

// Runs everything as nobody when we are root.
class AsOrdinaryUser final : public Process {
 public:
  [[nodiscard]] Result<ProcessOutcome> run(const ProcessSpec& spec,
                                           std::chrono::steady_clock::time_point deadline,
                                           const std::stop_token& stop) override;

 private:
  RealProcess process_;
};

class FilesMachine {
 public:
  // With more variables in the environment of its commands: "NAME=value".
  explicit FilesMachine(const std::vector<std::string>& variables = {});
  // A volume's directory, shown to the machine.
  std::filesystem::path add(const VolumeId& volume);
  [[nodiscard]] Machine machine() { return {.shell = shell_, .instance = instance_}; }
  [[nodiscard]] const std::filesystem::path& root() const { return folder_.path(); }
  // From here on the machine's scripts find this text of sh as the program of that name.
  void stand_in(std::string_view name, std::string_view text);
  // As a command of that user.
  std::string said_by(const std::string& command);

 private:
  TempFolder folder_;
  AsOrdinaryUser process_;
  RealClock clock_;
  InstanceId instance_;
  LocalShell shell_;
};

}  // namespace runctl::node::testing
