// What every Clock promises, asked of the real one and of the fake one.
#include "io/clock.hpp"

#include <chrono>
#include <stop_token>
#include <thread>

#include <gtest/gtest.h>

#include "io/fake_clock.hpp"
#include "io/real_clock.hpp"

namespace runctl {
namespace {

using std::chrono::milliseconds;

template <class Subject>
class ClockConformance : public testing::Test {
 protected:
  Subject clock;
};
using Clocks = testing::Types<FakeClock, RealClock>;
TYPED_TEST_SUITE(ClockConformance, Clocks);

TYPED_TEST(ClockConformance, TicksNeverGoBack) {
  auto last = this->clock.ticks();
  for (int i = 0; i < 1000; ++i) {
    const auto next = this->clock.ticks();
    EXPECT_GE(next, last);
    last = next;
  }
}

TYPED_TEST(ClockConformance, SleepingMovesBothTimes) {
  const auto ticks = this->clock.ticks();
  const auto now = this->clock.now();
  const auto until = ticks + milliseconds{20};
  ASSERT_TRUE(this->clock.sleep_until(until, {}).has_value());
  EXPECT_GE(this->clock.ticks(), until);
  EXPECT_GE(this->clock.now(),
            now + milliseconds{15});  // two clocks of one machine may differ a little
}

TYPED_TEST(ClockConformance, AMomentThatHasPassedIsNotWaitedFor) {
  const auto before = this->clock.ticks();
  ASSERT_TRUE(this->clock.sleep_until(before - std::chrono::hours{1}, {}).has_value());
  EXPECT_GE(this->clock.ticks(), before);
  EXPECT_LT(this->clock.ticks(), before + std::chrono::minutes{1});
}

TYPED_TEST(ClockConformance, AStopEndsTheSleepBeforeItsTime) {
  std::stop_source stop;
  stop.request_stop();
  const auto before = this->clock.ticks();
  const auto slept = this->clock.sleep_until(before + std::chrono::hours{1}, stop.get_token());
  ASSERT_FALSE(slept.has_value());
  EXPECT_EQ(slept.error().code, Errc::cancelled);
  EXPECT_LT(this->clock.ticks(), before + std::chrono::minutes{1});
}

TYPED_TEST(ClockConformance, WallTimeIsOfThisCentury) {
  EXPECT_GT(this->clock.now(), std::chrono::sys_days{std::chrono::year{2020} / 1 / 1});
  EXPECT_LT(this->clock.now(), std::chrono::sys_days{std::chrono::year{2100} / 1 / 1});
}

TEST(RealClock, AStopFromAnotherThreadWakesTheSleeper) {
  RealClock clock;
  std::stop_source stop;
  const auto until = clock.ticks() + std::chrono::minutes{1};
  const std::jthread stopper{[&] { stop.request_stop(); }};
  EXPECT_EQ(clock.sleep_until(until, stop.get_token()).error().code, Errc::cancelled);
  EXPECT_LT(clock.ticks(), until);
}

TEST(FakeClock, SleepsOfAnHourTakeNoTime) {
  FakeClock clock;
  const auto before = clock.ticks();
  ASSERT_TRUE(clock.sleep_until(before + std::chrono::hours{1}, {}).has_value());
  EXPECT_EQ(clock.ticks(), before + std::chrono::hours{1});
  clock.advance(milliseconds{1});
  EXPECT_EQ(clock.ticks(), before + std::chrono::hours{1} + milliseconds{1});
}

}  // namespace
}  // namespace runctl
