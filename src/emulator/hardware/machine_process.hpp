// Process 1 of a machine, from the emulator's side.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <sys/types.h>

#include "base/result.hpp"
#include "emulator/hardware/machine_root.hpp"
#include "io/file.hpp"

namespace runctl::emulator {

// Lives as long as this object: ends with it, and with the emulator however that ends.
class MachineProcess {
 public:
  // Executes `program` again as machine_main() and waits until the machine can be entered.
  // Errors: internal, with what the machine could not do; denied where namespaces are refused.
  [[nodiscard]] static Result<MachineProcess> start(const std::filesystem::path& program,
                                                    const RootPlan& plan);
  MachineProcess(const MachineProcess&) = delete;
  MachineProcess& operator=(const MachineProcess&) = delete;
  MachineProcess(MachineProcess&& other) noexcept;
  MachineProcess& operator=(MachineProcess&&) = delete;
  ~MachineProcess();

  [[nodiscard]] pid_t pid() const { return pid_; }
  // Together with the number it names the process. Source: proc(5), /proc/PID/stat, field 22.
  [[nodiscard]] std::uint64_t start_time() const { return start_time_; }
  [[nodiscard]] Upper upper() const { return upper_; }
  // False once it has ended, by itself or by us.
  [[nodiscard]] bool is_running() const;

  // Ends every process of the machine. Until `reap` the process's number is not given to another.
  // Errors: deadline_exceeded when something in the machine cannot be ended.
  [[nodiscard]] Result<void> end(std::chrono::milliseconds patience);
  void reap();

 private:
  MachineProcess() = default;
  pid_t pid_ = -1;
  std::uint64_t start_time_ = 0;
  Upper upper_ = Upper::on_disk;
  UniqueFd pidfd_;
  UniqueFd lifeline_;  // the only write end
};

}  // namespace runctl::emulator
