// Loop devices: files that the kernel shows as block devices.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <sys/types.h>
#include <vector>

#include "base/result.hpp"
#include "io/file.hpp"

namespace runctl::emulator {

// One attachment of one image. The kernel takes the device away when its last user is gone, so a
// SIGKILL of this process leaves none behind.
class LoopDevice {
 public:
  // Device files that the host's /dev lacks, as in a chroot, are made in `nodes`, which must exist.
  // Errors: not_found, denied (no right to loop devices), internal.
  [[nodiscard]] static Result<LoopDevice> attach(const std::filesystem::path& image,
                                                 const std::filesystem::path& nodes);

  [[nodiscard]] dev_t number() const { return number_; }
  // Device file on the host.
  [[nodiscard]] const std::filesystem::path& node() const { return node_; }
  // Borrowed; not open after `release`.
  [[nodiscard]] int fd() const { return fd_.get(); }

  [[nodiscard]] Result<std::uint64_t> bytes() const;
  // Programs that have it open see the new size at once.
  [[nodiscard]] Result<void> take_size_of_image();

  // Whether a mount, in whatever namespace, or another driver holds the device.
  [[nodiscard]] bool is_claimed() const;

  // Lets go of it. It is there until its other users have let go as well.
  void release() { fd_.reset(); }
  [[nodiscard]] bool is_gone() const;

 private:
  LoopDevice() = default;
  UniqueFd fd_;
  dev_t number_ = 0;
  std::filesystem::path node_;
  // Of the image: the number may be another's later.
  dev_t image_device_ = 0;
  ino_t image_inode_ = 0;
};

// Detaches every loop device of an image in `images`: what a crash has left. Looks at the device
// files in /dev and in `nodes`. Returns their names; those that are still in use go with their last
// user.
[[nodiscard]] std::vector<std::string> detach_loops_of(const std::filesystem::path& images,
                                                       const std::filesystem::path& nodes);

}  // namespace runctl::emulator
