// For tests: this machine, with loop devices that pass for EBS volumes. Needs root.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/strong_id.hpp"
#include "io/process.hpp"
#include "io/real_clock.hpp"
#include "node/local_shell.hpp"
#include "node/script.hpp"

namespace runctl::node::testing {

// A folder that is removed with its owner.
class TempFolder {
 public:
  TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  TempFolder(TempFolder&&) = delete;
  TempFolder& operator=(TempFolder&&) = delete;
  ~TempFolder();
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// A shell command that goes on beside the test and ends with it, however the test ends.
class Background {
 public:
  explicit Background(const std::string& command);
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  Background(Background&&) = delete;
  Background& operator=(Background&&) = delete;
  ~Background();
  [[nodiscard]] int pid() const { return pid_; }

 private:
  int pid_ = -1;
};

// What the shell command prints, without the last line end; its status is not looked at.
std::string said_by(const std::string& command);

// Waits up to five seconds for a shell condition; false when it did not come true.
bool eventually(const std::string& condition);

// A loop device that a process of its own takes away when the test ends, even by SIGKILL.
class LoopDevice {
 public:
  // `mebibytes` of nothing.
  LoopDevice(const std::filesystem::path& image, std::uint64_t mebibytes);
  LoopDevice(const LoopDevice&) = delete;
  LoopDevice& operator=(const LoopDevice&) = delete;
  LoopDevice(LoopDevice&&) = delete;
  LoopDevice& operator=(LoopDevice&&) = delete;
  ~LoopDevice();
  [[nodiscard]] const std::string& path() const { return path_; }      // "/dev/loop3"
  [[nodiscard]] const std::string& number() const { return number_; }  // "7:3"

 private:
  std::string path_;
  std::string number_;
  std::FILE* reaper_ = nullptr;
};

// Device nodes and a sysfs of its own, in a mount namespace of its own: what is mounted goes with
// the process.
class BlockMachine {
 public:
  // Why there can be none here, if so.
  [[nodiscard]] static std::optional<std::string> missing();

  BlockMachine();
  BlockMachine(const BlockMachine&) = delete;
  BlockMachine& operator=(const BlockMachine&) = delete;
  BlockMachine(BlockMachine&&) = delete;
  BlockMachine& operator=(BlockMachine&&) = delete;
  ~BlockMachine();
  // As /dev/nvme<n>n1 with `serial`; `mebibytes` sparse.
  LoopDevice& add(int n, const std::string& serial, std::uint64_t mebibytes = 512);
  // The device says this serial from now on.
  void set_serial(int n, const std::string& serial) const;

  [[nodiscard]] Machine machine() { return {.shell = shell_, .instance = instance_}; }
  [[nodiscard]] std::filesystem::path node(int n) const;
  [[nodiscard]] std::string mount_point() const { return folder_.path() / "mnt"; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }

 private:
  TempFolder folder_;
  RealProcess process_;
  RealClock clock_;
  InstanceId instance_;
  LocalShell shell_;
  std::vector<std::unique_ptr<LoopDevice>> loops_;
};

}  // namespace runctl::node::testing
