// Devices that are not what they should be: every operation refuses them with the right word and
// writes not a byte.
#include <chrono>
#include <filesystem>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/block_machine_fixture.hpp"
#include "node/grow.hpp"
#include "node/manifest.hpp"

namespace runctl::node {
namespace {

using std::chrono::seconds;
using testing::code_of;
using testing::serial;
using testing::uuid;
using testing::volume;
namespace fs = std::filesystem;

class hostile_device;

struct Device {
  const char* name;
  void (*make)(hostile_device&);
  // The codes of format, of both mounts, of sealing and verifying, and of growing.
  const char* formatted;
  const char* mounted;
  const char* sealed;
  const char* grown;
  friend void PrintTo(const Device& device, std::ostream* out) { *out << device.name; }
};

class hostile_device : public testing::OnBlockMachine,
                       public ::testing::WithParamInterface<Device> {
 public:
  testing::BlockMachine& bed() { return *bed_; }
  testing::LoopDevice& add(const std::string& its_serial = serial) {
    return bed_->add(1, its_serial, 64);
  }
  void write_at(std::uint64_t offset, const std::string& bytes) {
    scribble(bed_->node(1), offset, bytes);
  }
  void make_filesystem() {
    testing::said_by("mkfs.ext4 -q -U " + std::string{uuid} + " " + bed_->node(1).string());
  }
  std::optional<GiB> size = {};

 protected:
  Result<MountedVolume> mount_as(Access access) {
    return mount(bed_->machine(), {.volume = volume,
                                   .mount_point = bed_->mount_point(),
                                   .access = access,
                                   .size = size,
                                   .device_wait = seconds{0}});
  }
  JobWatch watch() { return {.clock = clock_, .deadline = clock_.ticks() + seconds{30}}; }
  RealClock clock_;
};

TEST_P(hostile_device, is_refused_by_every_operation_and_not_written) {
  GetParam().make(*this);
  testing::said_by("blockdev --flushbufs " + bed_->node(1).string() + " 2>/dev/null");
  const auto before = image_digest();
  EXPECT_EQ(code_of(format(bed_->machine(), {.volume = volume,
                                             .uuid = "494039e7-db8d-45cf-b80a-000000000000",
                                             .created_empty = CreatedEmpty::yes,
                                             .size = size,
                                             .device_wait = seconds{0}})),
            GetParam().formatted);
  EXPECT_EQ(code_of(mount_as(Access::read_write)), GetParam().mounted);
  EXPECT_EQ(code_of(mount_as(Access::read_only)), GetParam().mounted);
  if (!size) {
    EXPECT_EQ(code_of(make_manifest(bed_->machine(), volume, watch())), GetParam().sealed);
    EXPECT_EQ(code_of(verify_manifest(bed_->machine(), volume, "", watch())), GetParam().sealed);
  }
  EXPECT_EQ(
      code_of(grow(bed_->machine(), {.volume = volume, .size = GiB{1}, .device_wait = seconds{0}})),
      GetParam().grown);
  testing::said_by("blockdev --flushbufs " + bed_->node(1).string() + " 2>/dev/null");
  EXPECT_EQ(image_digest(), before);
  EXPECT_EQ(mounts_here(), "0");
  EXPECT_EQ(testing::said_by("blockdev --getro " + bed_->node(1).string()), "0");
}

using namespace std::string_literals;

INSTANTIATE_TEST_SUITE_P(
    that_is, hostile_device,
    ::testing::Values(Device{"unreadable",
                             [](hostile_device& test) {
                               test.add();
                               test.make_filesystem();
                               // The image is gone under the device: every read of it fails.
                               fs::resize_file(test.bed().folder() / "image1", 0);
                             },
                             "io_error", "io_error", "io_error", "no_filesystem"},
                      Device{"too_short",
                             [](hostile_device& test) {
                               test.add();
                               test.make_filesystem();
                               test.size = GiB{1};
                             },
                             "wrong_device", "wrong_device", "", "not_mounted"},
                      Device{"partitioned",
                             [](hostile_device& test) {
                               test.add();
                               test.write_at(446, "\0\0\0\0\x83\0\0\0\0\x08\0\0\0\x10\0\0"s);
                               test.write_at(510, "\x55\xAA");
                             },
                             "not_blank", "no_filesystem", "no_filesystem", "no_filesystem"},
                      Device{"of_another_volume",
                             [](hostile_device& test) {
                               test.add("vol0aaaaaaaaaaaaaaaa");
                               test.make_filesystem();
                             },
                             "no_device", "no_device", "no_device", "no_device"},
                      Device{"behind_a_stale_link",
                             [](hostile_device& test) {
                               test.add("vol0aaaaaaaaaaaaaaaa");
                               test.make_filesystem();
                               fs::create_directories(test.bed().folder() / "dev/disk/by-id");
                               fs::create_symlink(
                                   test.bed().node(1),
                                   test.bed().folder() / "dev/disk/by-id" /
                                       fmt::format("nvme-Amazon_Elastic_Block_Store_{}", serial));
                             },
                             "no_device", "no_device", "no_device", "no_device"},
                      Device{"without_a_known_signature",
                             [](hostile_device& test) {
                               test.add();
                               test.write_at(5000, "somebody's own format");
                             },
                             "not_blank", "no_filesystem", "no_filesystem", "no_filesystem"},
                      Device{"a_raid_member",
                             [](hostile_device& test) {
                               test.add();
                               // Source: md's superblock 1.2: magic 0xa92b4efc at byte 4096, major
                               // version 1.
                               test.write_at(4096, "\xfc\x4e\x2b\xa9\1\0\0\0"s);
                             },
                             "not_blank", "no_filesystem", "no_filesystem", "no_filesystem"}),
    [](const auto& of) { return std::string{of.param.name}; });

}  // namespace
}  // namespace runctl::node
