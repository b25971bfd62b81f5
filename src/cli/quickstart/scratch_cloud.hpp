// A cloud for one tour, with everything it makes in one directory, and nothing of it left
// afterwards.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "cli/context.hpp"
#include "cli/emulator_control.hpp"
#include "io/file.hpp"

namespace runctl::cli {

// Borrows the context. However this process ends, by SIGKILL too, the emulator is stopped and the
// directory removed: a guard waits for a lock that the kernel takes from us with our end.
class ScratchCloud {
 public:
  // `hardware` as for the emulator. Errors: internal when there is no place for temporary files;
  // those of the emulator.
  [[nodiscard]] static Result<std::unique_ptr<ScratchCloud>> start(Context& context,
                                                                   const std::string& hardware);
  ScratchCloud(const ScratchCloud&) = delete;
  ScratchCloud& operator=(const ScratchCloud&) = delete;
  ScratchCloud(ScratchCloud&&) = delete;
  ScratchCloud& operator=(ScratchCloud&&) = delete;
  ~ScratchCloud();

  [[nodiscard]] const EmulatorStatus& emulator() const { return emulator_; }
  [[nodiscard]] std::string state() const { return place_ + "/cloud"; }

  // Stops the emulator and removes everything; again does nothing. Errors: internal, with the
  // directory, when something could not be removed.
  [[nodiscard]] Result<void> remove();

 private:
  ScratchCloud(Context& context, std::string place) : context_{context}, place_{std::move(place)} {}
  [[nodiscard]] Result<void> start_guard();
  void release_guard();

  Context& context_;
  std::string place_;
  EmulatorStatus emulator_ = {};
  bool started_ = false;
  UniqueFd lock_ = {};
  int guard_ = 0;
  std::uint64_t guard_start_ = 0;
};

}  // namespace runctl::cli
