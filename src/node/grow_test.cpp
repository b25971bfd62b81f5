// Growing filesystems on devices that grow.
#include "node/grow.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

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

constexpr std::uint64_t gibibyte = std::uint64_t{1} << 30U;

class growing : public testing::OnBlockMachine,
                public ::testing::WithParamInterface<FilesystemType> {
 protected:
  std::string growth_of(const testing::LoopDevice& loop, std::uint64_t bytes) {
    return fmt::format("truncate -s {} {}/image1 && losetup --set-capacity {}", bytes,
                       bed_->folder().string(), loop.path());
  }
  // Linux lets only CAP_SYS_RESOURCE (bit 24, capability.h) grow a mounted ext4, which a
  // container's root may lack.
  bool may_grow() {
    const auto capabilities =
        testing::said_by("sed -n 's/^CapEff:[^0-9a-f]*//p' /proc/self/status");
    return GetParam() == FilesystemType::xfs ||
           ((std::stoull(capabilities, nullptr, 16) >> 24U) & 1U) != 0;
  }
  Result<Grown> grow_it(unsigned gibibytes = 2,
                        std::chrono::seconds wait = std::chrono::seconds{0}) {
    return grow(bed_->machine(), {.volume = volume, .size = GiB{gibibytes}, .device_wait = wait});
  }
};

TEST_P(growing, fills_the_device_and_says_so_when_asked_again) {
  auto& loop = add_volume(1024);
  ASSERT_EQ(code_of(format_as(GetParam())), "");
  ASSERT_EQ(code_of(mount_it()), "");
  testing::said_by(fmt::format("echo kept >{0}/file; sync -f {0}", bed_->mount_point()));
  testing::said_by(growth_of(loop, 2 * gibibyte));
  const auto grown = grow_it();
  if (!may_grow()) {
    EXPECT_EQ(code_of(grown), "not_possible");
    EXPECT_THAT(grown.error().message, HasSubstr("CAP_SYS_RESOURCE"));
    GTEST_SKIP() << "this root has no CAP_SYS_RESOURCE";
  }
  ASSERT_EQ(code_of(grown), "") << (grown ? "" : grown.error().message);
  EXPECT_EQ(grown->type, name_of(GetParam()));
  EXPECT_EQ(grown->old_bytes, gibibyte);
  EXPECT_EQ(grown->new_bytes, 2 * gibibyte);
  EXPECT_FALSE(grown->already);
  const auto again = grow_it();
  ASSERT_EQ(code_of(again), "");
  EXPECT_TRUE(again->already);
  EXPECT_EQ(again->new_bytes, 2 * gibibyte);
  EXPECT_EQ(testing::said_by(fmt::format("cat {}/file", bed_->mount_point())), "kept");
  ASSERT_EQ(code_of(unmount_it()), "");
  const auto check = GetParam() == FilesystemType::ext4 ? "e2fsck -f -n " : "xfs_repair -n ";
  EXPECT_EQ(testing::said_by(fmt::format("{}{} >/dev/null 2>&1; echo $?", check, loop.path())),
            "0");
}

TEST_P(growing, waits_for_a_device_that_grows_late) {
  auto& loop = add_volume(1024);
  ASSERT_EQ(code_of(format_as(GetParam())), "");
  ASSERT_EQ(code_of(mount_it()), "");
  EXPECT_EQ(code_of(grow_it()), "not_grown");
  const testing::Background ec2{"sleep 0.7; " + growth_of(loop, 2 * gibibyte)};
  const auto grown = grow_it(2, std::chrono::seconds{10});
  if (!may_grow()) GTEST_SKIP() << "this root has no CAP_SYS_RESOURCE";
  ASSERT_EQ(code_of(grown), "") << (grown ? "" : grown.error().message);
  EXPECT_EQ(grown->new_bytes, 2 * gibibyte);
}

TEST_P(growing, only_what_is_mounted_to_write_grows) {
  auto& loop = add_volume(1024);
  ASSERT_EQ(code_of(format_as(GetParam())), "");
  testing::said_by(growth_of(loop, 2 * gibibyte));
  // Where the filesystem says how large it is.
  const auto digest = [&] {
    return testing::said_by("head -c 64M " + at_image() + " | sha256sum");
  };
  const auto before = digest();
  EXPECT_EQ(code_of(grow_it()), "not_mounted");
  ASSERT_EQ(code_of(mount_it(Access::read_only)), "");
  const auto grown = grow_it();
  EXPECT_EQ(code_of(grown), "not_mounted");
  EXPECT_THAT(grown.error().message, HasSubstr("read-only"));
  EXPECT_EQ(digest(), before);
}

INSTANTIATE_TEST_SUITE_P(of, growing, ::testing::Values(FilesystemType::ext4, FilesystemType::xfs),
                         [](const auto& of) { return std::string{name_of(of.param)}; });

TEST_F(growing, a_partition_table_is_refused) {
  auto& loop = add_volume(1024);
  using namespace std::string_literals;
  // One Linux partition from sector 2048 of 4096 sectors, and the mark at the sector's end.
  scribble(loop.path(), 446, "\0\0\0\0\x83\0\0\0\0\x08\0\0\0\x10\0\0"s);
  scribble(loop.path(), 510, "\x55\xAA");
  const auto before = testing::said_by("head -c 64M " + at_image() + " | sha256sum");
  const auto grown = grow_it(1);
  EXPECT_EQ(code_of(grown), "no_filesystem");
  EXPECT_THAT(grown.error().message, HasSubstr("partition table"));
  EXPECT_EQ(testing::said_by("head -c 64M " + at_image() + " | sha256sum"), before);
}

TEST(growing_directories, is_not_possible) {
  testing::FilesMachine bed;
  bed.add(volume);
  EXPECT_EQ(code_of(grow(bed.machine(), {.volume = volume, .size = GiB{2}})), "not_possible");
}

}  // namespace
}  // namespace runctl::node
