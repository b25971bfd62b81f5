#include "training/stat_cache.hpp"

#include <chrono>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "io/scratch_directory.hpp"

namespace runctl::training {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t second = 1'000'000'000;

CodeEntry entry_of(const std::string& path, std::int64_t changed_ns) {
  return {.path = path,
          .stamp = {.size = 3, .modified_ns = 100 * second, .changed_ns = changed_ns, .inode = 7},
          .hash = std::string(32, 'h')};
}

CodeTree tree_of(std::vector<CodeEntry> entries) {
  CodeTree tree;
  tree.entries = std::move(entries);
  return tree;
}

class stat_cache : public ::testing::Test {
 protected:
  std::filesystem::path file() { return scratch_.path() / "deep/stat"; }
  // What the cache says of a file that looks like this.
  std::string recalled(CodeEntry entry) {
    entry.hash.clear();
    CodeTree tree = tree_of({std::move(entry)});
    recall_hashes(file(), tree);
    return tree.entries.front().hash;
  }
  ScratchDirectory scratch_;
};

TEST_F(stat_cache, knows_what_looks_as_it_did_and_nothing_else) {
  const auto there = entry_of("a\nb", 100 * second);
  ASSERT_TRUE(keep_hashes(file(), tree_of({there}), Timestamp{1000s}));
  EXPECT_EQ(recalled(there), std::string(32, 'h'));
  CodeEntry other = there;
  other.path = "b";
  EXPECT_EQ(recalled(other), "");
  for (const auto change : {&FileStamp::modified_ns, &FileStamp::changed_ns}) {
    other = there;
    ++(other.stamp.*change);
    EXPECT_EQ(recalled(other), "");
  }
  for (const auto change : {&FileStamp::size, &FileStamp::inode}) {
    other = there;
    ++(other.stamp.*change);
    EXPECT_EQ(recalled(other), "");
  }
}

TEST_F(stat_cache, what_changed_just_before_the_look_is_read_again) {
  const auto settled = entry_of("settled", 997 * second);
  const auto racy = entry_of("racy", 999 * second);
  ASSERT_TRUE(keep_hashes(file(), tree_of({settled, racy}), Timestamp{1000s}));
  EXPECT_NE(recalled(settled), "");
  EXPECT_EQ(recalled(racy), "");
}

TEST_F(stat_cache, a_damaged_file_knows_nothing) {
  const auto there = entry_of("a", 100 * second);
  ASSERT_TRUE(keep_hashes(file(), tree_of({there}), Timestamp{1000s}));
  std::filesystem::resize_file(file(), std::filesystem::file_size(file()) - 1);
  EXPECT_EQ(recalled(there), "");
  std::ofstream{file()} << "another format\n";
  EXPECT_EQ(recalled(there), "");
}

TEST_F(stat_cache, an_unchanged_one_is_not_written_again) {
  const auto tree = tree_of({entry_of("a", 100 * second)});
  ASSERT_TRUE(keep_hashes(file(), tree, Timestamp{1000s}));
  const auto before = std::filesystem::last_write_time(file());
  ASSERT_TRUE(keep_hashes(file(), tree, Timestamp{2000s}));
  EXPECT_EQ(std::filesystem::last_write_time(file()), before);
}

}  // namespace
}  // namespace runctl::training
