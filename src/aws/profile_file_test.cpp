#include "aws/profile_file.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "io/file.hpp"

namespace runctl::aws {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

Result<ProfileFile> parse_config(std::string_view text) {
  return parse_profile_file(text, "/h/.aws/config", ProfileFileKind::config);
}

TEST(ProfileFileTest, KeepsNestedSettingsApart) {
  const auto file = parse_config(
      "[profile x]\nregion = r\ns3 =\n  max = 1\n  region = no\noutput = json\n"
      "[services local]\nec2 =\n  endpoint_url = http://h\n");
  ASSERT_TRUE(file);
  const ProfileSection& x = file->profiles.at("x");
  EXPECT_EQ(x.at("region").value, "r");
  EXPECT_EQ(x.at("region").line, 2U);
  EXPECT_EQ(x.at("s3").nested.at("region"), "no");
  EXPECT_EQ(x.at("output").value, "json");
  EXPECT_EQ(file->services.at("local").at("ec2").nested.at("endpoint_url"), "http://h");
}

TEST(ProfileFileTest, PrefersTheNewerSpellingOfDefault) {
  for (const std::string_view text :
       {"[default]\nregion = old\n[profile default]\nregion = new\n",
        "[profile default]\nregion = new\n[default]\nregion = old\n"}) {
    EXPECT_EQ(parse_config(text)->profiles.at("default").at("region").value, "new") << text;
  }
}

TEST(ProfileFileTest, TakesTheMarkThatWindowsEditorsWrite) {
  EXPECT_TRUE(
      parse_config("\xEF\xBB\xBF[default]\r\nregion = r\r\n")->profiles.contains("default"));
}

TEST(ProfileFileTest, SaysWhereAFileIsWrongAndNotWhatStandsThere) {
  struct Case {
    std::string_view text, start;
  };
  const std::vector<Case> cases{
      {"HIDDEN = x\n", "/h/.aws/config:1: a setting stands before"},
      {"[default]\n\nHIDDEN\n", "/h/.aws/config:3: this line is neither"},
      {"[default\n", "/h/.aws/config:1: a section is written"},
      {"[default]\na = HIDDEN\na = HIDDEN\n",
       "/h/.aws/config:3: 'a' is there twice, first in line 2"},
      {"[default]\n[other]\n[default]\n",
       "/h/.aws/config:3: section [default] is there twice, first in line 1"},
      {"[default]\ns3 =\n  HIDDEN\n", "/h/.aws/config:3: an indented line"},
  };
  for (const Case& c : cases) {
    const auto wrong = parse_config(c.text);
    ASSERT_FALSE(wrong) << c.text;
    EXPECT_EQ(wrong.error().code, Errc::invalid_argument);
    EXPECT_THAT(wrong.error().message, StartsWith(std::string{c.start}));
    EXPECT_THAT(wrong.error().message, Not(HasSubstr("HIDDEN")));
  }
}

TEST(ProfileFileTest, IsWhereAwssToolsLook) {
  const auto path = [](Environment environment, ProfileFileKind kind) {
    return profile_file_path(environment, kind);
  };
  using enum ProfileFileKind;
  EXPECT_EQ(path({{{"HOME", "/h"}}}, credentials), "/h/.aws/credentials");
  EXPECT_EQ(path({{{"HOME", "/h"}}}, config), "/h/.aws/config");
  EXPECT_EQ(path({{{"HOME", "/h"}, {"AWS_CONFIG_FILE", "/c"}}}, config), "/c");
  EXPECT_EQ(path({{{"HOME", "/h"}, {"AWS_CONFIG_FILE", "~/c"}}}, config), "/h/c");
  EXPECT_EQ(path({{{"AWS_SHARED_CREDENTIALS_FILE", "/s"}}}, credentials), "/s");
  EXPECT_EQ(path({}, credentials), "");
}

TEST(ProfileFileTest, IsReadFromTheDiskAndMayBeAbsent) {
  std::string pattern = (std::filesystem::temp_directory_path() / "runctl-aws-XXXXXX").string();
  const std::filesystem::path home = ::mkdtemp(pattern.data());
  std::filesystem::create_directory(home / ".aws");
  ASSERT_TRUE(write_file_atomically(home / ".aws/config", "[profile x]\nregion = r\n"));
  const auto files = read_profile_files({{{"HOME", home.string()}}});
  std::filesystem::remove_all(home);
  ASSERT_TRUE(files);
  EXPECT_EQ(files->config.found, FileFound::yes);
  EXPECT_EQ(files->credentials.found, FileFound::no);
  EXPECT_EQ(files->credentials.path, (home / ".aws/credentials").string());
  EXPECT_EQ(find_setting(*files, "x", "region")->setting.value, "r");
  EXPECT_FALSE(find_setting(*files, "y", "region"));
}

RC_GTEST_PROP(ProfileFilePropertyTest, AnyTextIsReadOrRefused, ()) {
  const auto text = *rc::gen::container<std::string>(rc::gen::oneOf(
      rc::gen::elementOf(std::string{"[]=:#; \t\n\r'\"a"}), rc::gen::arbitrary<char>()));
  static_cast<void>(parse_config(text));
  static_cast<void>(parse_profile_file(text, "x", ProfileFileKind::credentials));
}

}  // namespace
}  // namespace runctl::aws
