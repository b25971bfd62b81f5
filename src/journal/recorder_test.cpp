#include "journal/recorder.hpp"

#include <gtest/gtest.h>

#include "io/fake_clock.hpp"
#include "io/file.hpp"
#include "io/scratch_directory.hpp"

namespace runctl::journal {
namespace {

class RecorderTest : public testing::Test {
 protected:
  [[nodiscard]] Recorder recorder() {
    return {
        path_,
        clock_,
        {.id = "op-1", .kind = "attach", .place = "here", .plan = "{}", .owner = this_process()}};
  }
  [[nodiscard]] Operation written() { return Journal::open(path_).value()->find("op-1").value(); }

  ScratchDirectory scratch_;
  std::filesystem::path path_ = scratch_.path() / "operations.db";
  FakeClock clock_;
};

Result<int> succeed() { return 1; }
Result<int> fail_with(Errc code, Effect effect) {
  auto failed = fail(code, "no");
  failed.error().effect = effect;
  return failed;
}

TEST_F(RecorderTest, TheIntentIsOnDiskBeforeTheRequestIsSent) {
  auto recording = recorder();
  const auto seen = recording.step(
      "AttachVolume", "{}", [&]() -> Result<Outcome> { return written().steps.at(0).outcome; });
  EXPECT_EQ(seen.value(), Outcome::pending);
  ASSERT_TRUE(recording.end(nullptr).has_value());
  EXPECT_EQ(written().steps.at(0).outcome, Outcome::applied);
  EXPECT_EQ(written().state, State::done);
}

TEST_F(RecorderTest, ACommandThatChangesNothingLeavesNoTrace) {
  auto recording = recorder();
  ASSERT_TRUE(recording.end(nullptr).has_value());
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(RecorderTest, NothingIsSentWhenTheJournalCannotBeWritten) {
  ASSERT_TRUE(write_file_atomically(path_, "this is no journal: it has other content").has_value());
  auto recording = recorder();
  bool sent = false;
  const auto result = recording.step("AttachVolume", "{}", [&]() -> Result<int> {
    sent = true;
    return 1;
  });
  EXPECT_FALSE(sent);
  ASSERT_FALSE(result.has_value());
  EXPECT_NE(result.error().message.find("nothing was sent"), std::string::npos);
}

TEST_F(RecorderTest, ARefusalIsTheEndOfIt) {
  auto recording = recorder();
  const auto result = recording.step("AttachVolume", "{}",
                                     [] { return fail_with(Errc::conflict, Effect::not_applied); });
  ASSERT_TRUE(recording.end(&result.error()).has_value());
  EXPECT_EQ(written().state, State::failed);
  EXPECT_EQ(written().steps.at(0).outcome, Outcome::not_applied);
}

TEST_F(RecorderTest, WhatIsNotKnownStaysOpen) {
  auto recording = recorder();
  const auto result = recording.step("AttachVolume", "{}",
                                     [] { return fail_with(Errc::unavailable, Effect::unknown); });
  ASSERT_TRUE(recording.end(&result.error()).has_value());
  EXPECT_EQ(written().state, State::open);
  EXPECT_EQ(written().steps.at(0).outcome, Outcome::unknown);
  EXPECT_FALSE(written().ended.has_value());
}

TEST_F(RecorderTest, AStepThatReadingSettledIsNoLongerUnknown) {
  auto recording = recorder();
  const auto result = recording.step("AttachVolume", "{}",
                                     [] { return fail_with(Errc::unavailable, Effect::unknown); });
  EXPECT_FALSE(result.has_value());
  recording.settle(Outcome::not_applied, "i-2 has it");
  const Error lost{.code = Errc::conflict, .message = "lost"};
  ASSERT_TRUE(recording.end(&lost).has_value());
  EXPECT_EQ(written().state, State::failed);
  EXPECT_EQ(written().steps.at(0).answer, "i-2 has it");
}

TEST_F(RecorderTest, WhatStoppedHalfWayStaysOpen) {
  for (const Errc code : {Errc::deadline_exceeded, Errc::cancelled}) {
    auto recording = recorder();
    ASSERT_TRUE(recording.step("AttachVolume", "{}", succeed).has_value());
    const Error error{.code = code, .message = "gave up waiting"};
    ASSERT_TRUE(recording.end(&error).has_value());
    EXPECT_EQ(written().state, State::open);
    EXPECT_EQ(written().message, "gave up waiting");
  }
}

// With the credentials or the network gone in the middle, nobody can say that it is over.
TEST_F(RecorderTest, WhatWasCutOffHalfDoneStaysOpen) {
  for (const Errc code : {Errc::denied, Errc::unavailable, Errc::throttled}) {
    const Error error{.code = code, .message = "calling DescribeVolumes"};
    auto half_done = recorder();
    ASSERT_TRUE(half_done.step("DetachVolume", "{}", succeed).has_value());
    ASSERT_TRUE(half_done.end(&error).has_value());
    EXPECT_EQ(written().state, State::open);
    auto refused = recorder();
    EXPECT_FALSE(
        refused.step("DetachVolume", "{}", [&] { return fail_with(code, Effect::not_applied); })
            .has_value());
    ASSERT_TRUE(refused.end(&error).has_value());
    EXPECT_EQ(written().state, State::failed);
  }
}

// What undid an interrupted command knows better than the interruption how it stands.
TEST_F(RecorderTest, AnEndInAStateIsFinal) {
  auto recording = recorder();
  ASSERT_TRUE(recording.step("RunInstances", "{}", succeed).has_value());
  ASSERT_TRUE(recording.end(State::failed, "given back").has_value());
  const Error error{.code = Errc::cancelled, .message = "interrupted"};
  ASSERT_TRUE(recording.end(&error).has_value());
  EXPECT_EQ(written().state, State::failed);
  EXPECT_EQ(written().message, "given back");
}

}  // namespace
}  // namespace runctl::journal
