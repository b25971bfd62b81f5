#include "io/merged_names.hpp"

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "io/directory.hpp"
#include "io/scratch_directory.hpp"

namespace runctl {
namespace {

class MergedNames : public testing::Test {
 protected:
  void file(const std::string& name, const std::string& content) {
    std::ofstream{scratch_.path() / name} << content;
  }
  [[nodiscard]] std::string content(const std::string& name) const {
    std::string text;
    std::getline(std::ifstream{scratch_.path() / name}, text);
    return text;
  }
  ScratchDirectory scratch_;
  UniqueFd fd_{::open(scratch_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
};

TEST_F(MergedNames, AnExactNameIsOneOfTheSameBytes) {
  file("Foo", "1");
  EXPECT_TRUE(*has_exact_name(fd_.get(), "Foo"));
  EXPECT_FALSE(*has_exact_name(fd_.get(), "foo"));
  EXPECT_FALSE(*has_exact_name(fd_.get(), "Fo"));
}

// A test's own directory lies on a file system that compares bytes (tests/cli/s3_test.py has
// others).
TEST_F(MergedNames, WhereBytesAreComparedNothingIsMerged) {
  file("Foo", "1");
  file("foo", "2");
  EXPECT_FALSE(may_merge_names(fd_.get(), "Foo"));
}

TEST_F(MergedNames, ANameIsGivenAnewAndInThePlaceOfItsEqual) {
  const auto directory = Directory::make_below(scratch_.path(), "");
  ASSERT_TRUE(directory.has_value());
  file("part", "new");
  ASSERT_TRUE(directory->give_name("part", "Foo").has_value());
  EXPECT_EQ(content("Foo"), "new");
  file("part", "newer");
  ASSERT_TRUE(directory->give_name("part", "Foo").has_value());
  EXPECT_EQ(content("Foo"), "newer");
  file("part", "other");
  ASSERT_TRUE(directory->give_name("part", "foo").has_value());
  EXPECT_EQ(content("Foo"), "newer");
}

}  // namespace
}  // namespace runctl
