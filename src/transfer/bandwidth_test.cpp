#include "transfer/bandwidth.hpp"

#include <chrono>

#include <gtest/gtest.h>

#include "io/fake_clock.hpp"

namespace runctl::transfer {
namespace {

double seconds_since(const FakeClock& clock, std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(clock.ticks() - start).count();
}

TEST(Bandwidth, LetsPassNoMoreThanTheLimit) {
  FakeClock clock;
  Bandwidth bandwidth{clock, 1'000'000};
  const auto start = clock.ticks();
  for (int at = 0; at < 500; ++at) EXPECT_TRUE(bandwidth.take(10'000, {}));
  EXPECT_NEAR(seconds_since(clock, start), 5.0, 0.15);
}

TEST(Bandwidth, KeepsOnlyATenthOfASecondThatWasNotUsed) {
  FakeClock clock;
  Bandwidth bandwidth{clock, 1'000'000};
  clock.advance(std::chrono::seconds{60});
  const auto start = clock.ticks();
  EXPECT_TRUE(bandwidth.take(1'000'000, {}));
  EXPECT_NEAR(seconds_since(clock, start), 0.9, 0.01);
}

TEST(Bandwidth, IsNothingWithoutALimit) {
  FakeClock clock;
  Bandwidth bandwidth{clock, 0};
  const auto start = clock.ticks();
  EXPECT_TRUE(bandwidth.take(1'000'000'000'000, {}));
  EXPECT_EQ(seconds_since(clock, start), 0);
  EXPECT_GE(bandwidth.portion(), std::uint64_t{64} << 10U);
}

TEST(Bandwidth, EndsItsWaitWhenStopped) {
  FakeClock clock;
  Bandwidth bandwidth{clock, 10};
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(bandwidth.take(1'000, stop.get_token()).error().code, Errc::cancelled);
}

TEST(Bandwidth, AsksForLittleAtATimeWhereTheLimitIsLow) {
  FakeClock clock;
  EXPECT_EQ((Bandwidth{clock, 10'000}.portion()), 1024U);
  EXPECT_EQ((Bandwidth{clock, 1'000'000}.portion()), 50'000U);
}

}  // namespace
}  // namespace runctl::transfer
