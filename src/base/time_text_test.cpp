#include "base/time_text.hpp"

#include <chrono>
#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace runctl {
namespace {

using std::chrono::days;
using std::chrono::milliseconds;
using std::chrono::seconds;

Timestamp at(std::int64_t unix_milliseconds) { return Timestamp{milliseconds{unix_milliseconds}}; }

struct Moment {
  std::int64_t unix_milliseconds;
  std::string extended;
  std::string basic;
};

// The seconds are those of date(1): date -u -d 2024-02-29T12:00:00Z +%s
const Moment moments[] = {
    {0, "1970-01-01T00:00:00.000Z", "19700101T000000Z"},
    {951'782'400'000, "2000-02-29T00:00:00.000Z", "20000229T000000Z"},
    {1'709'208'000'000, "2024-02-29T12:00:00.000Z", "20240229T120000Z"},
    {1'709'251'199'999, "2024-02-29T23:59:59.999Z", "20240229T235959Z"},
    {1'769'903'999'123, "2026-01-31T23:59:59.123Z", "20260131T235959Z"},
    {4'107'542'399'000, "2100-02-28T23:59:59.000Z", "21000228T235959Z"},
    {4'107'542'400'000, "2100-03-01T00:00:00.000Z", "21000301T000000Z"},
    {253'402'300'799'000, "9999-12-31T23:59:59.000Z", "99991231T235959Z"},
};

TEST(Iso8601, WritesAndReadsTheTable) {
  for (const Moment& moment : moments) {
    EXPECT_EQ(iso8601(at(moment.unix_milliseconds)), moment.extended);
    EXPECT_EQ(iso8601_basic(at(moment.unix_milliseconds)), moment.basic);
    EXPECT_EQ(parse_iso8601(moment.extended).value(), at(moment.unix_milliseconds));
    EXPECT_EQ(parse_iso8601(moment.basic).value(),
              std::chrono::floor<seconds>(at(moment.unix_milliseconds)));
  }
}

TEST(Iso8601, ReadsFractionsOfAnyLength) {
  EXPECT_EQ(parse_iso8601("1970-01-01T00:00:00Z").value(), at(0));
  EXPECT_EQ(parse_iso8601("1970-01-01T00:00:00.5Z").value(), at(500));
  EXPECT_EQ(parse_iso8601("1970-01-01T00:00:00.05Z").value(), at(50));
  EXPECT_EQ(parse_iso8601("1970-01-01T00:00:00.1239999999999999999999Z").value(), at(123));
  EXPECT_EQ(parse_iso8601("19700101T000000.25Z").value(), at(250));
}

TEST(Iso8601, RefusesDatesThatDoNotExist) {
  for (const std::string text :
       {"2023-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
        "2024-02-30T00:00:00Z", "2024-04-31T00:00:00Z", "2024-13-01T00:00:00Z",
        "2024-00-01T00:00:00Z", "2024-01-00T00:00:00Z", "2024-01-32T00:00:00Z",
        "2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z", "2024-01-01T00:00:60Z",
        "20230229T000000Z"}) {
    EXPECT_FALSE(parse_iso8601(text).has_value()) << text;
  }
}

TEST(Iso8601, RefusesNonsense) {
  for (const std::string text : {"",
                                 "Z",
                                 "T",
                                 "yesterday",
                                 "2024-01-01",
                                 "2024-01-01T00:00:00",
                                 "2024-01-01 00:00:00Z",
                                 "2024-01-01T00:00Z",
                                 "2024-01-01T00:00:00.Z",
                                 "2024-01-01T00:00:00,5Z",
                                 "2024-01-01T00:00:00+00:00",
                                 "2024-01-01T00:00:00z",
                                 "2024-01-01T00:00:00Zx",
                                 " 2024-01-01T00:00:00Z",
                                 "2024-01-01T00:00:00Z ",
                                 "24-01-01T00:00:00Z",
                                 "-024-01-01T00:00:00Z",
                                 "+024-01-01T00:00:00Z",
                                 "2024--1-01T00:00:00Z",
                                 "2024-1-1T0:0:0Z",
                                 "2024-0101T00:00:00Z",
                                 "202401-01T00:00:00Z",
                                 "20240101T00:0000Z",
                                 "20240101T0000:00Z",
                                 "2024-01-01T00:00:0xZ",
                                 "12024-01-01T00:00:00Z",
                                 "2024-01-01T00:00:00.-5Z"}) {
    const auto time = parse_iso8601(text);
    ASSERT_FALSE(time.has_value()) << text;
    EXPECT_EQ(time.error().code, Errc::invalid_argument);
  }
}

TEST(ParseDuration, ReadsEachUnit) {
  EXPECT_EQ(parse_duration("0").value(), seconds{0});
  EXPECT_EQ(parse_duration("90").value(), seconds{90});
  EXPECT_EQ(parse_duration("90s").value(), seconds{90});
  EXPECT_EQ(parse_duration("15m").value(), seconds{900});
  EXPECT_EQ(parse_duration("15min").value(), seconds{900});
  EXPECT_EQ(parse_duration("2h").value(), seconds{7200});
  EXPECT_EQ(parse_duration("1d").value(), days{1});
  EXPECT_EQ(parse_duration("3650d").value(), days{3650});
}

TEST(ParseDuration, RefusesNonsenseAndTheVeryLong) {
  for (const std::string text :
       {"", "s", "m", "-1s", "+1s", "1.5h", "1 h", " 1h", "1h ", "1w", "1H", "1ms", "1h30m", "0x1",
        "3651d", "315360001", "9223372036854775807d", "9223372036854775808",
        "99999999999999999999999"}) {
    const auto duration = parse_duration(text);
    ASSERT_FALSE(duration.has_value()) << text;
    EXPECT_EQ(duration.error().code, Errc::invalid_argument);
  }
}

TEST(DurationInWords, NamesTheTwoLargestUnits) {
  EXPECT_EQ(duration_in_words(milliseconds{0}), "0.0 s");
  EXPECT_EQ(duration_in_words(milliseconds{4'500}), "4.5 s");
  EXPECT_EQ(duration_in_words(milliseconds{9'960}), "10.0 s");
  EXPECT_EQ(duration_in_words(milliseconds{10'000}), "10 s");
  EXPECT_EQ(duration_in_words(milliseconds{45'999}), "45 s");
  EXPECT_EQ(duration_in_words(seconds{60}), "1 min 0 s");
  EXPECT_EQ(duration_in_words(seconds{200}), "3 min 20 s");
  EXPECT_EQ(duration_in_words(seconds{3'599}), "59 min 59 s");
  EXPECT_EQ(duration_in_words(seconds{7'500}), "2 h 5 min");
  EXPECT_EQ(duration_in_words(seconds{86'399}), "23 h 59 min");
  EXPECT_EQ(duration_in_words(days{3} + std::chrono::hours{4}), "3 d 4 h");
}

}  // namespace
}  // namespace runctl
