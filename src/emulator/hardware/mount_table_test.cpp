#include "emulator/hardware/mount_table.hpp"

#include <sys/sysmacros.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace runctl::emulator {
namespace {

TEST(MountTable, ReadsNumbersAndEscapedPoints) {
  const auto mounts = parse_mountinfo(
      "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n"
      "37 35 7:300 / /a\\040blank\\134and\\011tab rw - ext4 /dev/loop300 rw\n");
  ASSERT_EQ(mounts.size(), 2U);
  EXPECT_EQ(mounts[0].device, makedev(98, 0));
  EXPECT_EQ(mounts[0].point, "/mnt2");
  EXPECT_EQ(mounts[1].device, makedev(7, 300));
  EXPECT_EQ(mounts[1].point, "/a blank\\and\ttab");
}

TEST(MountTable, SkipsLinesOfAnotherForm) {
  EXPECT_TRUE(parse_mountinfo("").empty());
  EXPECT_TRUE(parse_mountinfo("36 35 98 / /mnt rw\n36 35 a:b / /mnt rw\n36 35 1:2 /\n").empty());
  EXPECT_EQ(parse_mountinfo("36 35 1:2 / /ends\\04").at(0).point, "/ends\\04");
}

TEST(MountTable, HasTheRootOfThisProcess) {
  const auto mounts = mounts_of("self");
  if (!mounts) GTEST_SKIP() << "no /proc here";
  EXPECT_THAT(*mounts, testing::Contains(testing::Field(&MountEntry::point, "/proc")));
}

}  // namespace
}  // namespace runctl::emulator
