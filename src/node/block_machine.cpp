#include "node/block_machine.hpp"

#include <array>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sched.h>
#include <signal.h>
#include <stdexcept>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>

#include "base/text.hpp"

namespace runctl::node::testing {
namespace {

namespace fs = std::filesystem;

constexpr auto path_variable = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream{path} << text;
}

}  // namespace

TempFolder::TempFolder() {
  std::string name = "/tmp/runctl-node-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"cannot make a temporary folder"};
  path_ = name;
}

TempFolder::~TempFolder() {
  // A run that the test ended may still be writing down how it did.
  for (int tries = 0; tries < 500 && fs::exists(path_); ++tries) {
    std::error_code again;
    fs::remove_all(path_, again);
    std::this_thread::sleep_for(std::chrono::milliseconds{again ? 10 : 2});
  }
}

Background::Background(const std::string& command) {
  pid_ = ::fork();
  if (pid_ == 0) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    ::_exit(127);
  }
  ::setpgid(pid_, pid_);
}

Background::~Background() {
  ::kill(-pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

std::string said_by(const std::string& command) {
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error{"cannot start a shell"};
  std::string out;
  std::array<char, 4096> buffer{};
  while (const auto got = std::fread(buffer.data(), 1, buffer.size(), pipe))
    out.append(buffer.data(), got);
  ::pclose(pipe);
  while (out.ends_with('\n')) out.pop_back();
  return out;
}

bool eventually(const std::string& condition) {
  for (int tries = 0; tries < 250; ++tries) {
    if (said_by(condition + " && echo yes") == "yes") return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
  return false;
}

LoopDevice::LoopDevice(const fs::path& image, std::uint64_t mebibytes) {
  std::ofstream{image}.close();
  fs::resize_file(image, mebibytes << 20U);
  path_ = said_by(fmt::format("losetup --find --show --nooverlap {}", shell_quote(image.string())));
  if (!path_.starts_with("/dev/loop")) throw std::runtime_error{"cannot make a loop device"};
  // A number may have kept the read-only flag of whoever had it before.
  said_by("blockdev --setrw " + path_);
  struct stat seen{};
  ::stat(path_.c_str(), &seen);
  number_ = fmt::format("{}:{}", major(seen.st_rdev), minor(seen.st_rdev));
  // A loop number keeps its read-only flag when it is given back: reset, or the next user of it is
  // surprised.
  reaper_ = ::popen(
      fmt::format("cat >/dev/null; umount -A {0} 2>/dev/null; blockdev --setrw {0}; losetup -d {0}",
                  path_)
          .c_str(),
      "w");
}

LoopDevice::~LoopDevice() { ::pclose(reaper_); }

std::optional<std::string> BlockMachine::missing() {
  if (::geteuid() != 0) return "needs root, for loop devices and mounts";
  if (said_by("losetup --find 2>/dev/null").empty()) return "this machine has no loop devices";
  for (const char* tool : {"mkfs.ext4", "mkfs.xfs", "nsenter", "wipefs"}) {
    if (said_by(fmt::format("{} command -v {}", path_variable, tool)).empty()) {
      return fmt::format("this machine has no {}", tool);
    }
  }
  // Where / is a plain directory of somebody's mount, that mount cannot be made private.
  if (said_by("mountpoint -q / && echo yes").empty()) return "/ is no mount point: a bare chroot";
  return std::nullopt;
}

BlockMachine::BlockMachine()
    : instance_{InstanceId::parse("i-0123456789abcdef0").value()},
      shell_{process_,
             clock_,
             {path_variable, fmt::format("RUNCTL_SYSFS={}/sys", folder_.path().string()),
              fmt::format("RUNCTL_DEV={}/dev", folder_.path().string()),
              fmt::format("RUNCTL_RUN={}/run", folder_.path().string()),
              fmt::format("RUNCTL_STATE={}/state", folder_.path().string()),
              fmt::format("RUNCTL_EXPORTS={}/exports", folder_.path().string()),
              "RUNCTL_LOCK_WAIT=1", "FETCH_PAUSE=0"}} {
  if (::unshare(CLONE_NEWNS) != 0 ||
      ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    throw std::runtime_error{"cannot make a mount namespace"};
  }
  fs::create_directories(folder_.path() / "dev");
}

BlockMachine::~BlockMachine() {
  // One after the other, the latest first: mounts hold their devices.
  const auto find = fmt::format("grep -F ' {}/' /proc/self/mountinfo | cut -d ' ' -f 5 | tac",
                                folder_.path().string());
  const std::string points = said_by(find);
  for (const std::string_view point : split(points, '\n')) {
    std::string path;
    for (std::size_t i = 0; i < point.size(); ++i) {
      if (point[i] != '\\' || i + 3 >= point.size()) {
        path += point[i];
        continue;
      }
      path += static_cast<char>(std::stoi(std::string{point.substr(i + 1, 3)}, nullptr, 8));
      i += 3;
    }
    ::umount2(path.c_str(), MNT_DETACH);
  }
}

fs::path BlockMachine::node(int n) const {
  return folder_.path() / "dev" / fmt::format("nvme{}n1", n);
}

void BlockMachine::set_serial(int n, const std::string& serial) const {
  write(folder_.path() / fmt::format("sys/block/nvme{}n1/device/serial", n), serial + "\n");
}

LoopDevice& BlockMachine::add(int n, const std::string& serial, std::uint64_t mebibytes) {
  auto& loop = *loops_.emplace_back(
      std::make_unique<LoopDevice>(folder_.path() / fmt::format("image{}", n), mebibytes));
  set_serial(n, serial);
  fs::create_directories(folder_.path() / fmt::format("sys/block/nvme{}n1/holders", n));
  fs::create_directories(folder_.path() / "sys/dev/block");
  fs::create_directory_symlink(fmt::format("../../block/nvme{}n1", n),
                               folder_.path() / "sys/dev/block" / loop.number());
  struct stat seen{};
  ::stat(loop.path().c_str(), &seen);
  if (::mknod(node(n).c_str(), S_IFBLK | 0600, seen.st_rdev) != 0)
    throw std::runtime_error{"cannot make a device"};
  return loop;
}

}  // namespace runctl::node::testing
