#include "io/log.hpp"

#include <string>

#include <gtest/gtest.h>

#include "base/json.hpp"

namespace runctl {
namespace {

std::string line_of(LogFormat format, const LogEvent& event, LogLevel least = LogLevel::debug) {
  StderrLog log{least, format};
  testing::internal::CaptureStderr();
  log.write(event);
  return testing::internal::GetCapturedStderr();
}

TEST(StderrLog, WritesOneLineOfFields) {
  EXPECT_EQ(line_of(LogFormat::text, {.level = LogLevel::info,
                                      .name = "aws.call",
                                      .fields = {{.name = "operation", .value = "AttachVolume"},
                                                 {.name = "elapsed_ms", .value = "12"}}}),
            "info aws.call operation=AttachVolume elapsed_ms=12\n");
}

TEST(StderrLog, QuotesWhatWouldBreakTheLine) {
  EXPECT_EQ(line_of(LogFormat::text, {.level = LogLevel::error,
                                      .name = "e",
                                      .fields = {{.name = "a", .value = ""},
                                                 {.name = "b", .value = "two words"},
                                                 {.name = "c", .value = "line\nforged level=info"},
                                                 {.name = "d", .value = "x=\"y\""}}}),
            "error e a=\"\" b=\"two words\" c=\"line\\nforged level=info\" d=\"x=\\\"y\\\"\"\n");
}

// A value may come from a server: it must not move the terminal's cursor or clear its screen.
TEST(StderrLog, EscapesControlCharacters) {
  const auto line =
      line_of(LogFormat::text, {.name = "e", .fields = {{.name = "a", .value = "\x1b[2J\x07"}}});
  EXPECT_EQ(line, "info e a=\"\\u001b[2J\\u0007\"\n");
}

TEST(StderrLog, WritesJsonThatReadsBack) {
  const auto line =
      line_of(LogFormat::json, {.level = LogLevel::warning,
                                .name = "retry",
                                .fields = {{.name = "why", .value = "a \"quoted\"\nline"}}});
  const auto record = parse_json(line);
  ASSERT_TRUE(record.has_value()) << line;
  EXPECT_EQ(string_at(*record, "level"), "warning");
  EXPECT_EQ(string_at(*record, "event"), "retry");
  EXPECT_EQ(string_at(*record, "why"), "a \"quoted\"\nline");
}

TEST(StderrLog, LeavesOutWhatIsBelowItsLevel) {
  EXPECT_EQ(line_of(LogFormat::text, {.level = LogLevel::info, .name = "e"}, LogLevel::warning),
            "");
  EXPECT_EQ(line_of(LogFormat::text, {.level = LogLevel::warning, .name = "e"}, LogLevel::warning),
            "warning e\n");
  EXPECT_EQ(line_of(LogFormat::text, {.level = LogLevel::error, .name = "e"}, LogLevel::off), "");
}

TEST(NoLog, IsEnabledForNothing) {
  NoLog log;
  EXPECT_FALSE(log.enabled(LogLevel::error));
}

}  // namespace
}  // namespace runctl
