// The program that reads a block device, by itself: on files, which are devices to it.
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.hpp"
#include "node/block_machine.hpp"
#include "node/block_reader_fixture.hpp"

namespace runctl::node {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using testing::said_by;

constexpr std::uint64_t mebibyte = 1U << 20U;

class block_reader : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto program = testing::own_reader();
    if (!program) GTEST_SKIP() << "this build makes no reader for this machine";
    std::ofstream{at("reader"), std::ios::binary} << *program;
    fs::permissions(at("reader"), fs::perms::owner_all);
    std::ofstream{at("device")}.close();
    // tmpfs, for one, has none before Linux 6.6.
    if (said_by(fmt::format("dd if={} iflag=direct 2>&1", at("device"))).contains("nvalid"))
      GTEST_SKIP() << "/tmp has no direct I/O";
  }
  std::string at(const char* name) const { return (folder_.path() / name).string(); }
  void device_has(std::uint64_t bytes) { fs::resize_file(at("device"), bytes); }
  // What it says of a device that should have so many bytes, and its exit status: "STATUS WORDS".
  std::string reading(const std::string& device, std::uint64_t bytes) {
    return said_by(fmt::format("said=$({} {} {} 2>&1 >{}); echo $? $said", at("reader"), device,
                               bytes, at("passed")));
  }
  std::uint64_t passed() {
    return std::stoull(said_by(
        fmt::format("awk '{{ sum += $1 }} END {{ printf \"%.0f\", sum }}' {}", at("passed"))));
  }
  testing::TempFolder folder_;
};

TEST_F(block_reader, passes_every_byte_of_any_size) {
  for (const std::uint64_t size :
       {std::uint64_t{512}, std::uint64_t{4096}, mebibyte - 512, mebibyte, mebibyte + 512,
        32 * mebibyte, (33 * mebibyte) + (3 * 4096), 300 * mebibyte, 5000 * mebibyte}) {
    device_has(size);
    EXPECT_EQ(reading(at("device"), size), "0") << size;
    EXPECT_EQ(passed(), size);
  }
}

TEST_F(block_reader, a_device_that_is_too_short_is_not_taken_for_read) {
  device_has(10 * mebibyte);
  EXPECT_EQ(reading(at("device"), (10 * mebibyte) + 512), "1 10485760 512 10486272");
  // Behind the 16 requests that are looked into, too.
  EXPECT_EQ(reading(at("device"), 100 * mebibyte), "1 10485760 94371840 104857600");
  device_has((10 * mebibyte) + 8192);
  EXPECT_EQ(reading(at("device"), 100 * mebibyte), "1 10493952 94363648 104857600");
}

TEST_F(block_reader, gives_a_device_up_that_is_gone) {
  device_has(4096);
  const auto said = reading(at("device"), std::uint64_t{1} << 44U);  // 16 TiB
  EXPECT_THAT(said, MatchesRegex("1 4096 11[0-9]{8} 11[0-9]{8}"));
}

TEST_F(block_reader, cannot_work_with_what_is_no_device) {
  EXPECT_EQ(reading("/nonexistent", 4096), "3");
  EXPECT_EQ(reading("/proc/version", 4096), "3");  // no direct I/O
  EXPECT_EQ(reading(at("device"), 0), "3");
  EXPECT_EQ(said_by(fmt::format("{} {}; echo $?", at("reader"), at("device"))), "3");
  EXPECT_EQ(said_by(fmt::format("{} {} 12x; echo $?", at("reader"), at("device"))), "3");
}

TEST_F(block_reader, needs_nothing_of_the_machine) {
  if (said_by("id -u") != "0") GTEST_SKIP() << "needs root, for chroot";
  device_has(mebibyte);
  EXPECT_EQ(
      said_by(fmt::format("chroot {} /reader /device 1048576; echo $?", folder_.path().string())),
      "1048576\n0");
}

// A server fails for one page in the middle, and only there.
TEST_F(block_reader, reads_what_lies_behind_a_bad_place) {
  if (said_by("id -u") != "0") GTEST_SKIP() << "needs root, for a mount";
  for (const char* tool : {"nbdkit", "nbdfuse"}) {
    if (said_by(fmt::format("command -v {}", tool)).empty())
      GTEST_SKIP() << "this machine has no " << tool;
  }
  constexpr std::uint64_t bad = (5 * mebibyte) + (7 * 4096);
  fs::create_directories(at("mount"));
  {
    const testing::Background server{fmt::format(
        "exec nbdfuse {} --command nbdkit -s eval get_size='echo 8M' pread='"
        "if [ $4 -le {} ] && [ $(($3 + $4)) -gt {} ]; then echo EIO bad >&2; exit 1; fi; "
        "head -c $3 /dev/zero'",
        at("mount"), bad, bad)};
    ASSERT_TRUE(testing::eventually(fmt::format("[ -e {}/nbd ]", at("mount"))));
    EXPECT_EQ(reading(at("mount") + "/nbd", 8 * mebibyte),
              fmt::format("1 {} 4096 {}", bad, 8 * mebibyte));
    EXPECT_EQ(passed(), 8 * mebibyte);
    said_by(fmt::format("umount {}", at("mount")));
  }
}

}  // namespace
}  // namespace runctl::node
