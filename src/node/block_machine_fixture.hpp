// For tests: a volume on a real device of this machine, and the scripts' functions upon it.
#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "io/process.hpp"
#include "io/real_clock.hpp"
#include "node/block_machine.hpp"
#include "node/local_shell.hpp"
#include "node/script.hpp"
#include "node/volume_on_machine.hpp"

namespace runctl::node {

inline void PrintTo(FilesystemType type, std::ostream* out) { *out << name_of(type); }

namespace testing {

inline constexpr auto uuid = "494039e7-db8d-45cf-b80a-c73c344cde06";
inline constexpr auto serial = "vol0123456789abcdef0";
inline const VolumeId volume = VolumeId::parse("vol-0123456789abcdef0").value();

// The code that the machine gave, or "" for a success.
template <class T>
std::string code_of(const Result<T>& result) {
  if (result) return "";
  return result.error().remote ? result.error().remote->code : result.error().message;
}

class OnBlockMachine : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = BlockMachine::missing()) GTEST_SKIP() << *why;
    bed_.emplace();
  }

  // One device with the volume's serial.
  LoopDevice& add_volume(std::uint64_t mebibytes = 512) { return bed_->add(1, serial, mebibytes); }
  Result<Formatted> format_as(FilesystemType type, CreatedEmpty created_empty = CreatedEmpty::yes) {
    return format(bed_->machine(), {.volume = volume,
                                    .type = type,
                                    .uuid = uuid,
                                    .created_empty = created_empty,
                                    .device_wait = std::chrono::seconds{0}});
  }
  Result<MountedVolume> mount_it(Access access = Access::read_write, std::string where = {}) {
    return mount(bed_->machine(), {.volume = volume,
                                   .mount_point = where.empty() ? bed_->mount_point() : where,
                                   .access = access,
                                   .device_wait = std::chrono::seconds{0}});
  }
  void make_mounted(FilesystemType type = FilesystemType::ext4) {
    add_volume();
    ASSERT_EQ(code_of(format_as(type)), "");
    ASSERT_EQ(code_of(mount_it()), "");
  }
  Result<UnmountedVolume> unmount_it() { return unmount(bed_->machine(), volume); }
  std::string at_image() const { return (bed_->folder() / "image1").string(); }
  // SHA-256 of all that is on the volume.
  std::string image_digest() { return said_by("openssl dgst -sha256 -r <" + at_image()); }
  // How many mounts there are at the usual mount point.
  std::string mounts_here() {
    return said_by(fmt::format("grep -c -F ' {} ' /proc/self/mountinfo", bed_->mount_point()));
  }
  // Bytes written to the device behind the scripts' backs.
  void scribble(const std::string& device, std::uint64_t offset, const std::string& bytes) {
    std::fstream file{device, std::ios::in | std::ios::out | std::ios::binary};
    file.seekp(static_cast<std::streamoff>(offset));
    file << bytes << std::flush;
    file.close();
    said_by("blockdev --flushbufs " + device);
  }

  // A program in front of the machine's own of that name, for what runs by stand_in() alone.
  void program(const std::string& name, const std::string& text) {
    const auto folder = bed_->folder() / "bin";
    std::filesystem::create_directories(folder);
    std::ofstream{folder / name} << "#!/bin/sh\n" << text << "\n";
    std::filesystem::permissions(folder / name, std::filesystem::perms::owner_all);
  }
  // The same machine, with those programs.
  Machine stand_in() {
    const auto at = [&](const char* name) { return (bed_->folder() / name).string(); };
    shell_.emplace(
        process_, clock_,
        std::vector<std::string>{"PATH=" + at("bin") + ":/usr/sbin:/usr/bin:/sbin:/bin",
                                 "RUNCTL_SYSFS=" + at("sys"), "RUNCTL_DEV=" + at("dev"),
                                 "RUNCTL_RUN=" + at("run"), "RUNCTL_STATE=" + at("state")});
    return {.shell = *shell_, .instance = bed_->machine().instance};
  }

  std::optional<BlockMachine> bed_;

 private:
  RealProcess process_;
  RealClock clock_;
  std::optional<LocalShell> shell_;
};

}  // namespace testing
}  // namespace runctl::node
