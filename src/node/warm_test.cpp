// Reading a whole device, on real ones.
#include "node/warm.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/block_machine_fixture.hpp"
#include "node/files_machine.hpp"

namespace runctl::node {
namespace {

using testing::code_of;
using ::testing::HasSubstr;
using testing::volume;
namespace fs = std::filesystem;

class warming : public testing::OnBlockMachine {
 protected:
  Result<Warmed> warm_it() {
    return warm(bed_->machine(), volume,
                {.clock = clock_, .deadline = clock_.ticks() + std::chrono::seconds{30}});
  }
  // Sectors read from the device, by the kernel's own count.
  std::uint64_t sectors_read(const testing::LoopDevice& loop) {
    return std::stoull(testing::said_by(
        fmt::format("awk '{{ print $3 }}' /sys/dev/block/{}/stat", loop.number())));
  }
  RealClock clock_;
};

TEST_F(warming, reads_every_block_once) {
  auto& loop = add_volume(700);  // not a multiple of a stretch
  const auto before = sectors_read(loop);
  const auto warmed = warm_it();
  ASSERT_EQ(code_of(warmed), "");
  EXPECT_EQ(warmed->bytes, 700U << 20U);
  const auto read = (sectors_read(loop) - before) * 512;
  EXPECT_GE(read, 700U << 20U);
  EXPECT_LE(read, (700U << 20U) + (2U << 20U)) << "some of it was read twice";
}

TEST_F(warming, goes_on_beside_a_mount_and_writes_nothing) {
  add_volume();
  // One that the kernel does not write to by itself: no multi-mount protection, nothing left to
  // initialise.
  testing::said_by("mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 " +
                   bed_->node(1).string());
  ASSERT_EQ(code_of(mount_it()), "");
  testing::said_by("sync -f " + bed_->mount_point());
  const auto written = [&] {
    return testing::said_by(
        fmt::format("awk '{{ print $7 }}' /sys/dev/block/$(stat -c '%Hr:%Lr' {})/stat",
                    bed_->node(1).string()));
  };
  const auto before = written();
  EXPECT_EQ(code_of(warm_it()), "");
  EXPECT_EQ(written(), before);
  EXPECT_EQ(code_of(unmount_it()), "");
}

TEST_F(warming, names_the_byte_that_cannot_be_read) {
  add_volume(256);
  // The image loses its end under the device: reads there fail.
  constexpr std::uint64_t end = (100U << 20U) + (3U * 4096);
  fs::resize_file(bed_->folder() / "image1", end);
  const auto warmed = warm_it();
  ASSERT_EQ(code_of(warmed), "io_error");
  EXPECT_THAT(warmed.error().message, HasSubstr(fmt::format("cannot be read at byte {}", end)));
}

TEST_F(warming, another_volumes_device_is_not_read) {
  auto& loop = bed_->add(1, "vol0aaaaaaaaaaaaaaaa");
  const auto before = sectors_read(loop);
  (void)warm(bed_->machine(), volume,
             {.clock = clock_, .deadline = clock_.ticks() + std::chrono::seconds{2}});
  EXPECT_EQ(sectors_read(loop), before);
}

TEST(warming_directories, is_not_possible) {
  testing::FilesMachine bed;
  bed.add(volume);
  RealClock clock;
  EXPECT_EQ(code_of(warm(bed.machine(), volume,
                         {.clock = clock, .deadline = clock.ticks() + std::chrono::seconds{10}})),
            "not_possible");
}

}  // namespace
}  // namespace runctl::node
