#include "io/directory.hpp"

#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <sys/stat.h>

#include <gtest/gtest.h>

#include "io/scratch_directory.hpp"

namespace runctl {
namespace {

namespace fs = std::filesystem;

TEST(Directory, MakesWhatIsMissingBelowItsRoot) {
  const ScratchDirectory scratch;
  ASSERT_TRUE(Directory::make_below(scratch.path() / "new", "a/b/c"));
  EXPECT_TRUE(fs::is_directory(scratch.path() / "new/a/b/c"));
  EXPECT_TRUE(Directory::make_below(scratch.path() / "new", ""));
}

TEST(Directory, RefusesPathsThatAreNotBelow) {
  const ScratchDirectory scratch;
  for (const char* below : {"..", "a/../..", "/etc", "a//b", ".", "a/./b", "a/"}) {
    const auto directory = Directory::make_below(scratch.path(), below);
    ASSERT_FALSE(directory) << below;
    EXPECT_EQ(directory.error().code, Errc::invalid_argument) << below;
  }
}

TEST(Directory, FollowsALinkAboveItsRootOnly) {
  const ScratchDirectory scratch;
  fs::create_directory(scratch.path() / "real");
  fs::create_directory(scratch.path() / "outside");
  fs::create_directory_symlink(scratch.path() / "real", scratch.path() / "root");
  fs::create_directory_symlink(scratch.path() / "outside", scratch.path() / "real" / "out");
  EXPECT_TRUE(Directory::make_below(scratch.path() / "root", "in"));
  const auto out = Directory::make_below(scratch.path() / "root", "out/x");
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().code, Errc::invalid_argument);
  EXPECT_TRUE(fs::is_empty(scratch.path() / "outside"));
}

TEST(Directory, StaysWhereItIsWhenItsPathBecomesALink) {
  const ScratchDirectory scratch;
  const auto directory = Directory::make_below(scratch.path(), "d");
  ASSERT_TRUE(directory);
  fs::create_directory(scratch.path() / "outside");
  fs::rename(scratch.path() / "d", scratch.path() / "moved");
  fs::create_directory_symlink(scratch.path() / "outside", scratch.path() / "d");
  ASSERT_TRUE(directory->open("f"));
  EXPECT_TRUE(fs::exists(scratch.path() / "moved/f"));
  EXPECT_TRUE(fs::is_empty(scratch.path() / "outside"));
}

TEST(Directory, OpensOnlyRegularFiles) {
  const ScratchDirectory scratch;
  const auto directory = Directory::make_below(scratch.path(), "");
  ASSERT_TRUE(directory);
  fs::create_symlink("target", scratch.path() / "link");
  ::mkfifo((scratch.path() / "fifo").c_str(), 0600);
  for (const char* name : {"link", "fifo"}) {
    const auto file = directory->open(name);
    ASSERT_FALSE(file) << name;
    EXPECT_EQ(file.error().code, Errc::invalid_argument) << name;
  }
  EXPECT_FALSE(fs::exists(scratch.path() / "target"));
}

TEST(Directory, NamesAFileThatHadNone) {
  const ScratchDirectory scratch;
  const auto directory = Directory::make_below(scratch.path(), "");
  ASSERT_TRUE(directory);
  const auto file = directory->open_unnamed("a");
  ASSERT_TRUE(file);
  if (!*file) GTEST_SKIP() << "this file system has no files without a name";
  const std::string text = "hello";
  ASSERT_TRUE((*file)->write_at(0, std::as_bytes(std::span{text})));
  EXPECT_TRUE(fs::is_empty(scratch.path()));
  EXPECT_FALSE(*directory->has("a"));
  EXPECT_TRUE(*directory->link(**file, "a"));
  EXPECT_TRUE(*directory->has("a"));
  EXPECT_EQ(**directory->read("a", 100), "hello");

  const auto other = directory->open_unnamed("a");
  ASSERT_TRUE(other && *other);
  EXPECT_FALSE(*directory->link(**other, "a")) << "it is another's";
  EXPECT_EQ(**directory->read("a", 100), "hello");
}

TEST(Directory, KnowsThatItWasRemoved) {
  const ScratchDirectory scratch;
  const auto directory = Directory::make_below(scratch.path(), "d");
  ASSERT_TRUE(directory);
  EXPECT_TRUE(directory->is_there());
  fs::remove(scratch.path() / "d");
  EXPECT_FALSE(directory->is_there());
}

TEST(Directory, RenamesRemovesAndReads) {
  const ScratchDirectory scratch;
  const auto directory = Directory::make_below(scratch.path(), "");
  ASSERT_TRUE(directory);
  const auto file = directory->open("a");
  ASSERT_TRUE(file);
  const std::string text = "hello";
  ASSERT_TRUE(file->write_at(0, std::as_bytes(std::span{text})));
  EXPECT_TRUE(*directory->is_named("a", *file));
  ASSERT_TRUE(directory->rename("a", "b"));
  EXPECT_FALSE(*directory->is_named("a", *file));
  EXPECT_EQ(**directory->read("b", 100), "hello");
  EXPECT_FALSE(directory->read("b", 4));
  EXPECT_FALSE(directory->read("a", 100)->has_value());
  EXPECT_TRUE(directory->remove("b"));
  EXPECT_TRUE(directory->remove("b"));
  EXPECT_TRUE(directory->sync());
}

}  // namespace
}  // namespace runctl
