#include "base/fold.hpp"

#include <string>

#include <gtest/gtest.h>

namespace runctl {
namespace {

TEST(FoldTest, SetsParagraphsAnew) {
  EXPECT_EQ(fold("one two three\nfour five\n\nsix\n", 9), "one two\nthree\nfour five\n\nsix\n");
  EXPECT_EQ(fold("one two", 80), "one two");
  EXPECT_EQ(fold("- one two\n- three\n", 7), "- one\ntwo\n- three\n");
}

TEST(FoldTest, ContinuesARightColumnBelowItself) {
  EXPECT_EQ(fold("Options:\n  --size GIB  the size, in GiB\n", 24),
            "Options:\n  --size GIB  the size,\n              in GiB\n");
  EXPECT_EQ(fold("  --all  each\n", 24), "  --all  each\n");
}

TEST(FoldTest, LeavesCommandsAndMarkupAlone) {
  const std::string text =
      "# A heading of some words\n\nExamples:\n  runctl aws ebs attach vol-1 --instance i-2\n"
      "| a table | of words |\n```\nas it is, all of it\n```\n";
  EXPECT_EQ(fold(text, 12), text);
}

TEST(FoldTest, AWordThatIsTooWideStandsAlone) {
  EXPECT_EQ(fold("see https://example.com/a/b now\n", 10), "see\nhttps://example.com/a/b\nnow\n");
}

// Columns, not bytes.
TEST(FoldTest, CountsCharacters) { EXPECT_EQ(fold("éé éé éé\n", 5), "éé éé\néé\n"); }

}  // namespace
}  // namespace runctl
