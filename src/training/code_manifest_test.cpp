#include "training/code_manifest.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.hpp"

namespace runctl::training {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

CodeEntry entry_of(const std::string& path, char hash, EntryKind kind = EntryKind::file) {
  return {.path = path, .kind = kind, .hash = std::string(1, hash)};
}

TEST(code_manifest, has_a_sorted_line_for_each_entry) {
  const std::vector<CodeEntry> entries{entry_of("b", 'B', EntryKind::executable),
                                       entry_of("a\tx\n\\", 'A'),
                                       entry_of("a", 'C', EntryKind::link)};
  EXPECT_EQ(manifest_of(entries), "a\tl\t43\na\\tx\\n\\\\\tf\t41\nb\tx\t42\n");
}

TEST(code_manifest, lines_that_differ_and_paths_that_are_no_more_are_found) {
  const std::string before = manifest_of(
      std::vector{entry_of("d/e/gone", '1'), entry_of("d/e/too\n", '1'), entry_of("d/kept", '1'),
                  entry_of("mode", '1'), entry_of("new", '1')});
  const std::string after =
      manifest_of(std::vector{entry_of("d/kept", '1'), entry_of("mode", '1', EntryKind::executable),
                              entry_of("new/file", '1')});
  const auto change = compare_manifests(before, after);
  EXPECT_EQ(change.plus, "mode\tx\t31\nnew/file\tf\t31\n");
  EXPECT_EQ(change.minus, "d/e/gone\tf\t31\nd/e/too\\n\tf\t31\nmode\tf\t31\nnew\tf\t31\n");
  EXPECT_THAT(change.removed_files, ElementsAre("d/e/gone", "d/e/too\n", "new"));
  EXPECT_THAT(change.removed_folders, ElementsAre("d/e"));
}

TEST(code_manifest, folders_go_the_deepest_first) {
  const auto change = compare_manifests(
      manifest_of(std::vector{entry_of("a/b/c/f", '1'), entry_of("a/g", '1')}), "");
  EXPECT_THAT(change.removed_folders, ElementsAre("a/b/c", "a/b", "a"));
}

TEST(code_manifest, nothing_comes_from_two_that_are_equal) {
  const std::string same = manifest_of(std::vector{entry_of("a", '1')});
  const auto change = compare_manifests(same, same);
  EXPECT_EQ(change.minus + change.plus, "");
  EXPECT_THAT(change.removed_files, IsEmpty());
}

TEST(code_manifest, what_is_not_in_it_is_to_be_sent) {
  std::vector<CodeEntry> entries{entry_of("a", '1'), entry_of("b", '1'), entry_of("c", '1')};
  const std::string manifest = manifest_of(entries);
  entries[1].hash = "2";
  entries[2].hash.clear();
  EXPECT_THAT(entries_not_in(manifest, entries), ElementsAre(1, 2));
}

}  // namespace
}  // namespace runctl::training
