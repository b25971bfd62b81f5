#include "io/random_access_file.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <sys/stat.h>

#include <gtest/gtest.h>

#include "io/directory.hpp"
#include "io/scratch_directory.hpp"

namespace runctl {
namespace {

namespace fs = std::filesystem;

class RandomAccessFileTest : public testing::Test {
 protected:
  [[nodiscard]] RandomAccessFile make(const std::string& name) const {
    auto directory = Directory::make_below(scratch.path(), "");
    auto file = directory->open(name);
    EXPECT_TRUE(file.has_value());
    return *std::move(file);
  }
  static void write(const RandomAccessFile& file, std::uint64_t offset, const std::string& text) {
    EXPECT_TRUE(file.write_at(offset, std::as_bytes(std::span{text})));
  }

  ScratchDirectory scratch;
};

TEST_F(RandomAccessFileTest, WritesAndReadsWhereItIsTold) {
  const RandomAccessFile file = make("f");
  write(file, 5, "world");
  write(file, 0, "hello");
  std::array<std::byte, 20> bytes{};
  EXPECT_EQ(*file.read_at(0, bytes), 10U) << "fewer only at the end";
  EXPECT_EQ(*file.read_at(8, std::span{bytes}.first(1)), 1U);
  EXPECT_EQ(bytes[0], std::byte{'l'});
  EXPECT_EQ(*file.read_at(10, bytes), 0U);
}

TEST_F(RandomAccessFileTest, ReservesRoomThatIsNotSeen) {
  const RandomAccessFile file = make("f");
  EXPECT_TRUE(file.reserve(1 << 20U));
  EXPECT_EQ(file.state()->size, 0U);
  write(file, 0, "x");
  EXPECT_EQ(file.state()->size, 1U);
}

TEST_F(RandomAccessFileTest, SaysWhenTheDiskCannotHoldIt) {
  const RandomAccessFile file = make("f");
  const auto reserved = file.reserve(std::uint64_t{1} << 61U);
  ASSERT_FALSE(reserved);
  EXPECT_NE(reserved.error().message.find("find room"), std::string::npos);
}

TEST_F(RandomAccessFileTest, SetsTimesBeforeAndAfter1970) {
  const RandomAccessFile file = make("f");
  for (const std::int64_t time : {std::int64_t{1'700'000'000'123'456'789}, std::int64_t{-1}}) {
    ASSERT_TRUE(file.set_modified(time));
    EXPECT_EQ(file.state()->modified_ns, time);
  }
}

TEST_F(RandomAccessFileTest, TellsStatesApart) {
  const RandomAccessFile file = make("f");
  const auto before = file.state();
  EXPECT_EQ(*before, *state_of(scratch.path() / "f", AtLink::refuse));
  write(file, 0, "x");
  EXPECT_NE(*before, *file.state());
}

TEST_F(RandomAccessFileTest, LetsOneHoldTheLock) {
  const RandomAccessFile first = make("f");
  const RandomAccessFile second = make("f");
  EXPECT_TRUE(first.lock());
  EXPECT_EQ(second.lock().error().code, Errc::conflict);
}

TEST_F(RandomAccessFileTest, OpensOnlyRegularFilesAndDoesNotWaitForAFifo) {
  ::mkfifo((scratch.path() / "fifo").c_str(), 0600);
  fs::create_symlink("f", scratch.path() / "link");
  std::ofstream{scratch.path() / "f"} << "x";
  const auto code = [&](const char* name) {
    return RandomAccessFile::open(scratch.path() / name, AtLink::refuse).error().code;
  };
  EXPECT_EQ(code("fifo"), Errc::invalid_argument);
  EXPECT_EQ(code("link"), Errc::invalid_argument);
  EXPECT_EQ(code(""), Errc::invalid_argument);
  EXPECT_EQ(code("none"), Errc::not_found);
  EXPECT_TRUE(RandomAccessFile::open(scratch.path() / "link", AtLink::follow));
}

TEST_F(RandomAccessFileTest, FollowsNoLinkBelowTheDirectoryThatIsNamed) {
  const fs::path data = scratch.path() / "data";
  fs::create_directories(data / "a" / "b");
  fs::create_directories(scratch.path() / "outside" / "b");
  std::ofstream{data / "a" / "b" / "f"} << "inside";
  std::ofstream{scratch.path() / "outside" / "b" / "f"} << "outside";
  fs::create_directory_symlink("data", scratch.path() / "link");
  const fs::path root = scratch.path() / "link";  // it may be a link itself
  const auto inside = state_below(root, "a/b/f", AtLink::refuse);
  ASSERT_TRUE(inside);
  EXPECT_EQ(inside->size, 6U);
  EXPECT_EQ(RandomAccessFile::open_below(root, "a/b/f", AtLink::refuse)->state()->size, 6U);
  EXPECT_EQ(RandomAccessFile::open_below(root, "a/b/g", AtLink::refuse).error().code,
            Errc::not_found);

  fs::rename(data / "a", data / "was");
  fs::create_directory_symlink(scratch.path() / "outside", data / "a");
  const auto refused = RandomAccessFile::open_below(root, "a/b/f", AtLink::refuse);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::invalid_argument);
  EXPECT_EQ(refused.error().message,
            (root / "a").string() + " is a symbolic link or no directory, and is not followed");
  EXPECT_EQ(state_below(root, "a/b/f", AtLink::refuse).error().code, Errc::invalid_argument);
  EXPECT_EQ(RandomAccessFile::open_below(root, "a/b/f", AtLink::follow)->state()->size, 7U);
}

}  // namespace
}  // namespace runctl
