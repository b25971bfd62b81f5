#include "transfer/local_tree.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "io/scratch_directory.hpp"

namespace runctl::transfer {
namespace {

namespace fs = std::filesystem;

class LocalTreeTest : public testing::Test {
 protected:
  void file(const std::string& name, std::string_view content = "x") {
    fs::create_directories((root() / name).parent_path());
    std::ofstream{root() / name, std::ios::binary} << content;
  }
  [[nodiscard]] const fs::path& root() const { return scratch_.path(); }

  std::vector<TreeItem> walk(WalkOptions options = {}) {
    auto tree = LocalTree::open(root(), std::move(options));
    if (!tree) throw std::runtime_error{tree.error().message};
    std::vector<TreeItem> items;
    while (auto item = tree->next()) items.push_back(*std::move(item));
    return items;
  }
  // "name", and of an obstacle "name: symlink".
  std::vector<std::string> told(WalkOptions options = {}) {
    std::vector<std::string> out;
    for (const TreeItem& item : walk(std::move(options))) {
      out.push_back(printable(item.name));
      if (!item.obstacle) continue;
      out.back() += ": ";
      out.back() += item.fault == NameFault::none ? name_of(*item.obstacle) : name_of(item.fault);
    }
    return out;
  }

 private:
  ScratchDirectory scratch_;
};

using Told = std::vector<std::string>;

TEST_F(LocalTreeTest, FilesComeInTheOrderOfTheirKeys) {
  for (const char* name : {"a/b", "a.txt", "a-b/c", "a0", "b/c/d", "b/c.x", "b.d/e", "Z", "ä"})
    file(name);
  const auto names = told();
  EXPECT_EQ(names, (Told{"Z", "a-b/c", "a.txt", "a/b", "a0", "b.d/e", "b/c.x", "b/c/d", "ä"}));
  EXPECT_TRUE(std::ranges::is_sorted(names));
}

TEST_F(LocalTreeTest, AFileIsToldWithItsSizeAndTime) {
  file("data", "12345");
  ASSERT_TRUE(set_modified(root() / "data",
                           FileTimestamp{std::chrono::nanoseconds{1'700'000'000'123'456'789}})
                  .has_value());
  const auto items = walk();
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].facts.size, 5U);
  EXPECT_EQ(items[0].facts.modified.time_since_epoch().count(), 1'700'000'000'123'456'789);
}

TEST_F(LocalTreeTest, WhatIsNoFileIsToldAndStandsWhereItsKeyWould) {
  file("kept");
  fs::create_directory(root() / "empty");
  fs::create_symlink("kept", root() / "link");
  fs::create_symlink("/etc", root() / "etc");
  ASSERT_EQ(::mkfifo((root() / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(told(), (Told{"empty/: empty_directory", "etc: symlink", "kept", "link: symlink",
                          "pipe: special_file"}));
}

TEST_F(LocalTreeTest, LinksAreFollowedWhenAskedAndCirclesAreSeen) {
  file("real/data", "123");
  fs::create_symlink("real", root() / "again");
  fs::create_symlink("real/data", root() / "file");
  fs::create_symlink("nowhere", root() / "gone");
  fs::create_symlink("..", root() / "real/up");
  const WalkOptions follow{.links = Links::followed};
  EXPECT_EQ(told(follow), (Told{"again/data", "again/up/: link_cycle", "file",
                                "gone: dangling_link", "real/data", "real/up/: link_cycle"}));
  EXPECT_EQ(walk(follow)[0].facts.size, 3U);
}

TEST_F(LocalTreeTest, NamesThatCannotBeKeysAreToldWithAllBelowThem) {
  file("line\nend");
  file("not-\xff-utf8/deep/file");
  file("fine");
  file(".runctl-part-fine");
  EXPECT_EQ(walk()[0].obstacle, Obstacle::unfinished);
  std::filesystem::remove(root() / ".runctl-part-fine");
  EXPECT_EQ(told(), (Told{"fine", "line\\x0aend: control_character", "not-\\xff-utf8/: not_utf8"}));
  EXPECT_EQ(
      told({.folder_size = 1'021}),
      (Told{"fine: key_too_long", "line\\x0aend: control_character", "not-\\xff-utf8/: not_utf8"}));
}

TEST_F(LocalTreeTest, AVeryDeepTreeEndsWhereKeysEnd) {
  fs::path at = root();
  for (int i = 0; i < 12; ++i) at /= std::string(100, 'd');
  fs::create_directories(at);
  std::ofstream{at / "file"} << "x";
  const auto items = walk();
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].fault, NameFault::key_too_long);
  EXPECT_LE(items[0].name.size(), 1'024U + 102U);
}

TEST_F(LocalTreeTest, ADirectoryThatCannotBeReadStandsForAllBelowIt) {
  if (::geteuid() == 0) GTEST_SKIP() << "needs to run as a user whom a directory's mode stops";
  file("locked/file");
  file("open");
  fs::permissions(root() / "locked", fs::perms::none);
  const auto names = told();
  fs::permissions(root() / "locked", fs::perms::owner_all);
  EXPECT_EQ(names, (Told{"locked/: unreadable", "open"}));
}

TEST_F(LocalTreeTest, WhatVanishesDuringTheWalkIsTold) {
  file("a");
  file("b");
  file("c/d");
  auto tree = LocalTree::open(root(), {});
  ASSERT_TRUE(tree.has_value());
  ASSERT_EQ(tree->next()->name, "a");
  fs::remove(root() / "b");
  fs::remove_all(root() / "c");
  const auto b = tree->next();
  ASSERT_TRUE(b.has_value());
  EXPECT_EQ(b->obstacle, Obstacle::vanished);
  const auto c = tree->next();
  ASSERT_TRUE(c.has_value());
  EXPECT_EQ(c->name, "c/");
  EXPECT_EQ(c->obstacle, Obstacle::vanished);
  EXPECT_FALSE(tree->next().has_value());
}

TEST_F(LocalTreeTest, ADirectoryThatBecomesALinkDuringTheWalkIsNotFollowed) {
  file("a");
  file("d/inside");
  file("elsewhere/secret");
  auto tree = LocalTree::open(root(), {.filter = {}});
  ASSERT_TRUE(tree.has_value());
  ASSERT_EQ(tree->next()->name, "a");
  fs::remove_all(root() / "d");
  fs::create_directory_symlink("elsewhere", root() / "d");
  const auto d = tree->next();
  ASSERT_TRUE(d.has_value());
  EXPECT_EQ(d->name, "d/");
  EXPECT_TRUE(d->obstacle.has_value());
}

TEST_F(LocalTreeTest, WhatTheFilterLeavesOutIsNotEvenLookedInto) {
  file("a.pt");
  file("b.log");
  file("skip/a.pt");
  fs::create_symlink("a.pt", root() / "l.log");
  WalkOptions options;
  options.filter.exclude.add("skip/");
  options.filter.exclude.add("*.log");
  fs::permissions(root() / "skip", fs::perms::none);
  const auto names = told(options);
  fs::permissions(root() / "skip", fs::perms::owner_all);
  EXPECT_EQ(names, (Told{"a.pt"}));
}

TEST_F(LocalTreeTest, ARootThatIsNoneIsAnError) {
  EXPECT_EQ(LocalTree::open(root() / "none", {}).error().code, Errc::not_found);
  file("file");
  EXPECT_FALSE(LocalTree::open(root() / "file", {}).has_value());
}

}  // namespace
}  // namespace runctl::transfer
