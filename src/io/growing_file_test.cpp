#include "io/growing_file.hpp"

#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "io/scratch_directory.hpp"

namespace runctl {
namespace {

namespace fs = std::filesystem;
using Event = GrowingFile::Event;

class growing_file : public ::testing::Test {
 protected:
  void append(std::string_view text) { std::ofstream{path(), std::ios::app} << text; }
  [[nodiscard]] fs::path path() const { return folder_.path() / "log"; }
  // All that comes until nothing comes twice.
  static std::string rest(GrowingFile& file, Event* seen = nullptr) {
    std::string all;
    for (int empty = 0; empty < 3;) {
      const auto piece = file.next().value();
      if (piece.event != Event::none && seen != nullptr) *seen = piece.event;
      empty = piece.text.empty() ? empty + 1 : 0;
      all += piece.text;
    }
    return all;
  }

 private:
  ScratchDirectory folder_;
};

TEST_F(growing_file, grows) {
  append("a\n");
  auto file = GrowingFile::open(path()).value();
  EXPECT_EQ(rest(file), "a\n");
  append("b");
  EXPECT_EQ(rest(file), "b");
  append(std::string(3'000'000, 'x'));
  EXPECT_EQ(rest(file).size(), 3'000'000U);
  EXPECT_EQ(rest(file), "");
}

TEST_F(growing_file, rotated_without_losing_the_old_ones_end) {
  append("1\n");
  auto file = GrowingFile::open(path()).value();
  EXPECT_EQ(rest(file), "1\n");
  std::ofstream writer{path(), std::ios::app};
  writer << "2\n" << std::flush;
  fs::rename(path(), path().string() + ".1");
  append("4\n");
  EXPECT_EQ(file.next()->text, "2\n");
  EXPECT_EQ(file.next()->text, "");
  writer << "3\n" << std::flush;
  Event seen = Event::none;
  EXPECT_EQ(rest(file, &seen), "3\n4\n");
  EXPECT_EQ(seen, Event::rotated);
  append("5\n");
  EXPECT_EQ(rest(file), "5\n");
}

TEST_F(growing_file, truncated_begins_again) {
  append("a long line\n");
  auto file = GrowingFile::open(path()).value();
  EXPECT_EQ(rest(file), "a long line\n");
  fs::resize_file(path(), 0);
  append("new\n");
  Event seen = Event::none;
  EXPECT_EQ(rest(file, &seen), "new\n");
  EXPECT_EQ(seen, Event::truncated);
}

TEST_F(growing_file, a_name_that_is_gone_for_a_while_is_waited_for) {
  append("1\n");
  auto file = GrowingFile::open(path()).value();
  EXPECT_EQ(rest(file), "1\n");
  fs::remove(path());
  EXPECT_EQ(rest(file), "");
  append("2\n");
  EXPECT_EQ(rest(file), "2\n");
}

TEST_F(growing_file, begins_at_the_last_lines) {
  append("a\nb\nc\n");
  const auto from = [&](std::size_t lines) {
    auto file = GrowingFile::open(path()).value();
    EXPECT_TRUE(file.skip_to_last_lines(lines).has_value());
    return rest(file);
  };
  EXPECT_EQ(from(0), "");
  EXPECT_EQ(from(1), "c\n");
  EXPECT_EQ(from(2), "b\nc\n");
  EXPECT_EQ(from(9), "a\nb\nc\n");
  append("d");
  EXPECT_EQ(from(1), "d");
}

TEST_F(growing_file, what_is_not_there_or_no_file_is_an_error) {
  EXPECT_EQ(GrowingFile::open(path()).error().code, Errc::not_found);
  EXPECT_FALSE(GrowingFile::open(path().parent_path()).has_value());
}

}  // namespace
}  // namespace runctl
