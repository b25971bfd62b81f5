#include "base/json.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace runctl {
namespace {

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(ParseJson, KeepsTheOrderOfMembers) {
  const auto value =
      parse_json(R"({"zulu": 1, "alpha": [true, null], "mike": {"b": "x", "a": 2.5}})");
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(to_text(*value), R"({"zulu":1,"alpha":[true,null],"mike":{"b":"x","a":2.5E0}})");
}

TEST(ParseJson, RefusesWhatIsNotOneValue) {
  for (const std::string text : {"", " ", "{", "{} {}", "[1,]", "{\"a\":1,}", "nul", "\"", "01",
                                 "// c\n1", "NaN", "'a'", "\"\xff\"", "\"\\ud800\""}) {
    const auto value = parse_json(text);
    ASSERT_FALSE(value.has_value()) << text;
    EXPECT_EQ(value.error().code, Errc::corrupt) << text;
    EXPECT_THAT(value.error().message, testing::StartsWith("not JSON at byte ")) << text;
  }
}

TEST(ParseJson, SaysWhereItBroke) {
  EXPECT_THAT(parse_json(R"({"a": 1, b})").error().message, testing::HasSubstr("byte 9"));
}

TEST(ParseJson, RefusesNumbersThatItCannotHold) {
  EXPECT_TRUE(parse_json("[1e308, -1e308, 18446744073709551616]").has_value());
  for (const std::string text : {"1e400", "0e400", "[-1e400]", R"({"a": [{"b": 1e999}]})"}) {
    const auto value = parse_json(text);
    ASSERT_FALSE(value.has_value()) << text;
    EXPECT_EQ(value.error().code, Errc::corrupt) << text;
  }
}

TEST(ParseJson, BoundsTheDepth) {
  EXPECT_TRUE(parse_json(nested(32)).has_value());
  EXPECT_FALSE(parse_json(nested(33)).has_value());
  // What an attacker would send: refused at the bound, before it costs anything.
  EXPECT_FALSE(parse_json(nested(10'000'000)).has_value());
}

TEST(JsonFields, AreThereOnlyWithTheirType) {
  const auto value =
      parse_json(R"({"text": "x", "number": -7, "flag": false, "list": [1], "record": {"a": 1},
                                    "none": null, "real": 1.5})");
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(string_at(*value, "text"), "x");
  EXPECT_EQ(integer_at(*value, "number"), -7);
  EXPECT_EQ(boolean_at(*value, "flag"), false);
  ASSERT_NE(array_at(*value, "list"), nullptr);
  EXPECT_EQ(array_at(*value, "list")->size(), 1U);
  ASSERT_NE(object_at(*value, "record"), nullptr);
  EXPECT_EQ(object_at(*value, "record")->size(), 1U);
  for (const char* name : {"number", "flag", "list", "record", "none", "real", "absent"}) {
    EXPECT_FALSE(string_at(*value, name).has_value()) << name;
  }
  for (const char* name : {"text", "flag", "list", "record", "none", "real", "absent"}) {
    EXPECT_FALSE(integer_at(*value, name).has_value()) << name;
  }
  for (const char* name : {"text", "number", "list", "record", "none", "real", "absent"}) {
    EXPECT_FALSE(boolean_at(*value, name).has_value()) << name;
  }
  EXPECT_EQ(array_at(*value, "record"), nullptr);
  EXPECT_EQ(object_at(*value, "list"), nullptr);
}

TEST(JsonFields, AreNotThereInWhatIsNoObject) {
  const auto value = parse_json("[1]");
  ASSERT_TRUE(value.has_value());
  EXPECT_FALSE(string_at(*value, "a").has_value());
  EXPECT_EQ(object_at(*value, "a"), nullptr);
}

TEST(JsonFields, AnIntegerBeyondTheTypeIsNone) {
  const auto value = parse_json(R"({"most": 9223372036854775807, "more": 9223372036854775808})");
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(integer_at(*value, "most"), std::numeric_limits<std::int64_t>::max());
  EXPECT_FALSE(integer_at(*value, "more").has_value());
}

TEST(PrettyText, IndentsByTwoAndReadsBack) {
  const auto value = parse_json(R"({"a":[],"b":{},"c":[1,{"d":"q\"\n"}],"e":null})");
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(to_pretty_text(*value), R"({
  "a": [],
  "b": {},
  "c": [
    1,
    {
      "d": "q\"\n"
    }
  ],
  "e": null
})");
  EXPECT_EQ(parse_json(to_pretty_text(*value)).value(), *value);
}

}  // namespace
}  // namespace runctl
