// A state directory for one test, which ends with nothing of it left.
#pragma once

#include <filesystem>
#include <stdlib.h>
#include <string>
#include <system_error>

#include "base/strong_id.hpp"
#include "emulator/hardware/make_hardware.hpp"
#include "io/process.hpp"
#include "io/real_clock.hpp"

namespace runctl::emulator {

class TemporaryState {
 public:
  TemporaryState() {
    std::string pattern = std::filesystem::temp_directory_path() / "runctl-hardware-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  TemporaryState(const TemporaryState&) = delete;
  TemporaryState& operator=(const TemporaryState&) = delete;
  TemporaryState(TemporaryState&&) = delete;
  TemporaryState& operator=(TemporaryState&&) = delete;
  // A test that failed may have left what a crash leaves.
  ~TemporaryState() {
    (void)clean_up_after_crash(path_);
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] HardwareParts parts() {
    return {
        .state = path_, .clock = clock_, .process = process_, .program = RUNCTL_MACHINE_PROGRAM};
  }

 private:
  std::filesystem::path path_;
  RealClock clock_;
  RealProcess process_;
};

inline const VolumeId volume_a = *VolumeId::parse("vol-0123456789abcdef0");
inline const VolumeId volume_b = *VolumeId::parse("vol-0fedcba9876543210");
inline const SnapshotId snapshot_a = *SnapshotId::parse("snap-0123456789abcdef0");
inline const InstanceId machine_a = *InstanceId::parse("i-0aaaaaaaaaaaaaaa0");
inline const InstanceId machine_b = *InstanceId::parse("i-0bbbbbbbbbbbbbbb0");

}  // namespace runctl::emulator
