#include "base/text.hpp"

#include <array>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace runctl {
namespace {

using testing::ElementsAre;

TEST(Split, GivesOnePieceMoreThanSeparators) {
  EXPECT_THAT(split("", ','), ElementsAre(""));
  EXPECT_THAT(split("a", ','), ElementsAre("a"));
  EXPECT_THAT(split(",", ','), ElementsAre("", ""));
  EXPECT_THAT(split("a,,b,", ','), ElementsAre("a", "", "b", ""));
}

TEST(Join, PutsTheSeparatorBetween) {
  const std::vector<std::string> pieces{"a", "", "b"};
  EXPECT_EQ(join(pieces, ", "), "a, , b");
  EXPECT_EQ(join({}, ", "), "");
}

TEST(Trim, TakesBlanksOffBothEnds) {
  EXPECT_EQ(trim(""), "");
  EXPECT_EQ(trim(" \t\r\n"), "");
  EXPECT_EQ(trim("\r\n a b\t"), "a b");
}

TEST(Lower, LeavesWhatIsNotAscii) {
  EXPECT_EQ(lower("X-Amz-Date @[`{ \xc3\x84"), "x-amz-date @[`{ \xc3\x84");
}

// Source: RFC 3986, section 2.3.
TEST(PercentEncode, KeepsExactlyTheUnreserved) {
  const std::string unreserved =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  EXPECT_EQ(percent_encode(unreserved), unreserved);
  for (int byte = 0; byte < 256; ++byte) {
    const auto c = static_cast<char>(byte);
    if (!unreserved.contains(c)) {
      EXPECT_EQ(percent_encode(std::string(1, c)).size(), 3U) << byte;
    }
  }
  EXPECT_EQ(percent_encode(" /+\xff"), "%20%2F%2B%FF");
  EXPECT_EQ(percent_encode("/a b", "/"), "/a%20b");
}

TEST(PercentDecode, LeavesWhatIsNoEscape) {
  EXPECT_EQ(percent_decode("%2f%2F+%"), "//+%");
  EXPECT_EQ(percent_decode("%4"), "%4");
  EXPECT_EQ(percent_decode("%zz%4g%%41"), "%zz%4g%A");
  EXPECT_EQ(percent_decode("%00"), std::string(1, '\0'));
}

TEST(Hex, IsLowerCase) { EXPECT_EQ(hex(std::string("\0\x0f\xab\xff", 4)), "000fabff"); }

// Source: RFC 4648, section 10.
TEST(Base64, GivesTheRfcsExamples) {
  const std::array<std::pair<std::string, std::string>, 7> examples{{{"", ""},
                                                                     {"f", "Zg=="},
                                                                     {"fo", "Zm8="},
                                                                     {"foo", "Zm9v"},
                                                                     {"foob", "Zm9vYg=="},
                                                                     {"fooba", "Zm9vYmE="},
                                                                     {"foobar", "Zm9vYmFy"}}};
  for (const auto& [bytes, text] : examples) {
    EXPECT_EQ(base64(bytes), text);
    EXPECT_EQ(base64_decode(text), bytes);
  }
}

TEST(Base64Decode, TakesNoSecondSpelling) {
  for (const std::string text : {"Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm8", "=",
                                 "==", "====", "Z===", "Zg==Zg==", "Z=g=", "Zm9v\n", " Zm9", "Zm-v",
                                 "Zm_v", "Zm9vYg==\n", "Zm=v"}) {
    EXPECT_FALSE(base64_decode(text).has_value()) << text;
  }
}

TEST(ShellQuote, IsOneWord) {
  EXPECT_EQ(shell_quote(""), "''");
  EXPECT_EQ(shell_quote("it's"), R"('it'\''s')");
  EXPECT_EQ(shell_quote(std::string("a\0b", 3)), "'ab'");
}

TEST(Nearest, FindsWhatWasMeant) {
  constexpr std::array<std::string_view, 3> options{"--instance", "--iops", "--mount"};
  EXPECT_EQ(nearest("--instnace", options), "--instance");
  EXPECT_EQ(nearest("--instance-id", options), "--instance");
  EXPECT_EQ(nearest("--mont", options), "--mount");
  EXPECT_EQ(nearest("--x", options), "");
  EXPECT_EQ(nearest("", options), "");
  EXPECT_EQ(nearest("--iops", {}), "");
}

TEST(Text, ComparesNamesIgnoringTheCaseOfAsciiOnly) {
  EXPECT_TRUE(same_ignoring_case("ETag", "etag"));
  EXPECT_TRUE(same_ignoring_case("", ""));
  EXPECT_FALSE(same_ignoring_case("etag", "etags"));
  EXPECT_FALSE(same_ignoring_case("[", "{"));
  EXPECT_FALSE(same_ignoring_case("\xc3\x84", "\xc3\xa4"));  // Ä, ä
}

}  // namespace
}  // namespace runctl
