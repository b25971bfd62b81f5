#include "io/file.hpp"

#include <cerrno>
#include <filesystem>
#include <string>
#include <sys/mount.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/scratch_directory.hpp"

namespace runctl {
namespace {

using testing::HasSubstr;

std::vector<std::string> names_in(const std::filesystem::path& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator{directory}) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

TEST(FailErrno, MapsEachErrorToWhatACallerCanDo) {
  const std::vector<std::pair<int, Errc>> table{
      {ENOENT, Errc::not_found}, {ENOTDIR, Errc::not_found}, {EACCES, Errc::denied},
      {EPERM, Errc::denied},     {EROFS, Errc::denied},      {EEXIST, Errc::conflict},
      {EBUSY, Errc::conflict},   {ENOSPC, Errc::internal},   {EIO, Errc::internal}};
  for (const auto& [error, code] : table) {
    EXPECT_EQ(fail_errno(error, "read", "/x").error().code, code) << error;
  }
  EXPECT_EQ(fail_errno(ENOENT, "read", "/x").error().message,
            "cannot read /x: No such file or directory");
}

TEST(WriteFileAtomically, ReplacesAndLeavesNothingBeside) {
  const ScratchDirectory scratch;
  const auto path = scratch.path() / "state";
  ASSERT_TRUE(write_file_atomically(path, "old").has_value());
  ASSERT_TRUE(write_file_atomically(path, std::string("new\0text", 8)).has_value());
  EXPECT_EQ(read_file(path).value(), std::string("new\0text", 8));
  EXPECT_THAT(names_in(scratch.path()), testing::ElementsAre("state"));
}

TEST(WriteFileAtomically, MakesAFileThatOnlyItsOwnerReads) {
  const ScratchDirectory scratch;
  ASSERT_TRUE(write_file_atomically(scratch.path() / "secret", "x").has_value());
  struct stat facts{};
  ASSERT_EQ(::stat((scratch.path() / "secret").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
}

TEST(WriteFileAtomically, WithoutADirectoryIsNotFound) {
  const ScratchDirectory scratch;
  const auto written = write_file_atomically(scratch.path() / "absent" / "state", "x");
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code, Errc::not_found);
}

TEST(WriteFileAtomically, OverADirectoryFailsAndLeavesNothingBeside) {
  const ScratchDirectory scratch;
  std::filesystem::create_directory(scratch.path() / "state");
  EXPECT_FALSE(write_file_atomically(scratch.path() / "state", "x").has_value());
  EXPECT_THAT(names_in(scratch.path()), testing::ElementsAre("state"));
}

// Readers see one whole content or another, whoever wins.
TEST(WriteFileAtomically, IsSafeFromTwoThreadsAndAReader) {
  const ScratchDirectory scratch;
  const auto path = scratch.path() / "state";
  ASSERT_TRUE(write_file_atomically(path, std::string(50'000, 'a')).has_value());
  {
    const auto write = [&](char c) {
      for (int i = 0; i < 50; ++i) {
        EXPECT_TRUE(write_file_atomically(path, std::string(50'000, c)).has_value());
      }
    };
    const std::jthread first{write, 'a'};
    const std::jthread second{write, 'b'};
    for (int i = 0; i < 200; ++i) {
      const auto content = read_file(path).value();
      EXPECT_EQ(content, std::string(50'000, content.front()));
    }
  }
  EXPECT_THAT(names_in(scratch.path()), testing::ElementsAre("state"));
}

// A filesystem of a few pages. It goes with its owner.
class TinyFilesystem {
 public:
  explicit TinyFilesystem(const std::filesystem::path& path) : path_{path} {
    mounted_ = ::mount("tmpfs", path.c_str(), "tmpfs", 0, "size=64k") == 0;
  }
  TinyFilesystem(const TinyFilesystem&) = delete;
  TinyFilesystem& operator=(const TinyFilesystem&) = delete;
  TinyFilesystem(TinyFilesystem&&) = delete;
  TinyFilesystem& operator=(TinyFilesystem&&) = delete;
  ~TinyFilesystem() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  [[nodiscard]] bool is_mounted() const { return mounted_; }

 private:
  std::filesystem::path path_;
  bool mounted_ = false;
};

TEST(WriteFileAtomically, OnAFullDiskKeepsTheOldContent) {
  const ScratchDirectory scratch;
  const TinyFilesystem disk{scratch.path()};
  if (!disk.is_mounted()) GTEST_SKIP() << "mounting a small filesystem needs root";
  const auto path = scratch.path() / "state";
  ASSERT_TRUE(write_file_atomically(path, "old").has_value());
  const auto written = write_file_atomically(path, std::string(200'000, 'x'));
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code, Errc::internal);
  EXPECT_THAT(written.error().message, HasSubstr("No space left on device"));
  EXPECT_EQ(read_file(path).value(), "old");
  EXPECT_THAT(names_in(scratch.path()), testing::ElementsAre("state"));
}

TEST(ReadFile, SaysWhatIsWrong) {
  const ScratchDirectory scratch;
  EXPECT_EQ(read_file(scratch.path() / "absent").error().code, Errc::not_found);
  EXPECT_EQ(read_file(scratch.path()).error().code, Errc::internal);
  EXPECT_EQ(read_file(scratch.path() / "absent" / "x").error().code, Errc::not_found);
}

TEST(ReadFile, StopsAtTheLimit) {
  const ScratchDirectory scratch;
  const auto path = scratch.path() / "file";
  ASSERT_TRUE(write_file_atomically(path, "12345").has_value());
  EXPECT_EQ(read_file(path, 5).value(), "12345");
  EXPECT_EQ(read_file(path, 4).error().code, Errc::invalid_argument);
  // A file without an end is given up as well.
  EXPECT_EQ(read_file("/dev/zero", 1'000'000).error().code, Errc::invalid_argument);
}

TEST(LockFile, IsHeldByOneAtATime) {
  const ScratchDirectory scratch;
  const auto path = scratch.path() / "lock";
  auto held = lock_file(path);
  ASSERT_TRUE(held.has_value());
  const auto second = lock_file(path);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Errc::conflict);
  EXPECT_THAT(second.error().message, HasSubstr(path.string()));
  held->reset();
  EXPECT_TRUE(lock_file(path).has_value());
}

TEST(LockFile, MovesWithItsOwner) {
  const ScratchDirectory scratch;
  const auto path = scratch.path() / "lock";
  UniqueFd owner;
  owner = lock_file(path).value();
  EXPECT_TRUE(owner.is_open());
  EXPECT_FALSE(lock_file(path).has_value());
}

}  // namespace
}  // namespace runctl
