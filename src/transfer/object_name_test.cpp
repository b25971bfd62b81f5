#include "transfer/object_name.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace runctl::transfer {
namespace {

using std::string_literals::operator""s;

TEST(FaultOfName, NamesThatCannotBeAFilesAreRefused) {
  struct Case {
    std::string name;
    NameFault fault;
  };
  const std::string longest(255, 'n');
  for (const Case& c :
       std::vector<Case>{{"a", NameFault::none},
                         {"a/b c/ä😀.pt", NameFault::none},
                         {"...", NameFault::none},
                         {"..a/.b/c..", NameFault::none},
                         {"-rf", NameFault::none},
                         {"a\\b", NameFault::none},
                         {".runctl-part", NameFault::none},
                         {".runctl-part-x", NameFault::reserved},
                         {"a/.runctl-part-x.ranges", NameFault::reserved},
                         {".runctl-part-x/a", NameFault::none},
                         {"~/x", NameFault::none},
                         {"C:x", NameFault::none},
                         {longest, NameFault::none},
                         {"", NameFault::folder_marker},
                         {"a/", NameFault::folder_marker},
                         {"a/b/", NameFault::folder_marker},
                         {"/", NameFault::absolute},
                         {"/etc/passwd", NameFault::absolute},
                         {"//x", NameFault::absolute},
                         {"a//b", NameFault::empty_component},
                         {"a//", NameFault::empty_component},
                         {"..", NameFault::dot_component},
                         {"../x", NameFault::dot_component},
                         {"a/../../x", NameFault::dot_component},
                         {"a/..", NameFault::dot_component},
                         {"../", NameFault::dot_component},
                         {".", NameFault::dot_component},
                         {"./x", NameFault::dot_component},
                         {"a/./x", NameFault::dot_component},
                         {"a\0b"s, NameFault::control_character},
                         {"a\nb", NameFault::control_character},
                         {"\x1b[2J", NameFault::control_character},
                         {"a\x7f", NameFault::control_character},
                         {"\xff", NameFault::not_utf8},
                         {"a\xc0\xae\xc0\xae/x", NameFault::not_utf8},  // ".." overlong
                         {"a\xed\xa0\x80", NameFault::not_utf8},        // a surrogate
                         {longest + "n", NameFault::component_too_long},
                         {"a/" + longest + "n/b", NameFault::component_too_long}}) {
    EXPECT_EQ(fault_of_name(c.name), c.fault) << printable(c.name);
  }
}

TEST(FaultOfName, AKeyHas1024BytesWithItsFolder) {
  std::string name;
  for (int i = 0; i < 4; ++i) name += std::string(250, 'x') + '/';
  name += std::string(20, 'y');
  ASSERT_EQ(name.size(), 1'024U);
  EXPECT_EQ(fault_of_name(name), NameFault::none);
  EXPECT_EQ(fault_of_name(name, 1), NameFault::key_too_long);
  EXPECT_EQ(fault_of_name(name + "y"), NameFault::key_too_long);
}

rc::Gen<std::string> hostile_name() {
  return rc::gen::container<std::string>(rc::gen::weightedOneOf<char>(
      {{4, rc::gen::element('.', '/', 'a')}, {1, rc::gen::arbitrary<char>()}}));
}

RC_GTEST_PROP(FaultOfName, WhatPassesStaysInItsDirectory, ()) {
  const std::string name = *hostile_name();
  if (fault_of_name(name) != NameFault::none) return;
  const std::filesystem::path root{"/target/dir"};
  const auto path = (root / name).lexically_normal();
  const auto relative = path.lexically_relative(root);
  // Not only inside, but under that very name.
  RC_ASSERT(relative.string() == name);
}

TEST(IsUtf8, TakesWhatRfc3629Takes) {
  for (const char* good : {"", "a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
                           "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_utf8(good)) << printable(good);
  }
  for (const char* bad :
       {"\x80", "\xc2", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "a\xe2\x82", "\xe2\x28\xa1"}) {
    EXPECT_FALSE(is_utf8(bad)) << printable(bad);
  }
}

TEST(Printable, ShowsWhatATerminalWouldObey) {
  EXPECT_EQ(printable("plain ä😀\\"), "plain ä😀\\");
  EXPECT_EQ(printable("\x1b[2J\n\x7f"), "\\x1b[2J\\x0a\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b");  // CSI in one character
  EXPECT_EQ(printable("a\xff"), "a\\xff");
  EXPECT_EQ(printable("\0"s), "\\x00");
}

TEST(ShadowedNames, AFileWhereADirectoryIsNeededIsSeenAcrossWhatLiesBetween) {
  ShadowedNames names;
  EXPECT_FALSE(names.is_shadowed("a"));
  EXPECT_FALSE(names.is_shadowed("a!"));
  EXPECT_FALSE(names.is_shadowed("a-b/c"));
  EXPECT_TRUE(names.is_shadowed("a/b"));
  EXPECT_TRUE(names.is_shadowed("a/b/c"));
  EXPECT_FALSE(names.is_shadowed("a0/b"));
  EXPECT_FALSE(names.is_shadowed("b"));
  EXPECT_FALSE(names.is_shadowed("b.x/c"));
}

RC_GTEST_PROP(ShadowedNames, AgreesWithLookingAtAllNames, ()) {
  const auto name = rc::gen::container<std::string>(rc::gen::element('a', '/', '.'));
  const auto all = *rc::gen::container<std::set<std::string>>(name);
  ShadowedNames names;
  std::set<std::string> files;
  for (const std::string& one : all) {
    if (fault_of_name(one) != NameFault::none) continue;
    const bool expected = std::ranges::any_of(
        files, [&](const std::string& before) { return one.starts_with(before + '/'); });
    RC_ASSERT(names.is_shadowed(one) == expected);
    if (!expected) files.insert(one);
  }
}

}  // namespace
}  // namespace runctl::transfer
