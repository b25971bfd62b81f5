#include "transfer/pace.hpp"

#include <algorithm>
#include <functional>

#include <gtest/gtest.h>

namespace runctl::transfer {
namespace {

// Where it is after so many intervals on a road that gives so much at each concurrency.
unsigned settled(Pace& pace, int intervals, const std::function<double(unsigned)>& road) {
  unsigned highest = 0;
  for (int at = 0; at < intervals; ++at) {
    pace.observe({.work_a_second = road(pace.limit())});
    highest = std::max(highest, pace.limit());
  }
  return highest;
}

TEST(Pace, ClimbsAsLongAsItHelps) {
  Pace pace{0, 64};
  settled(pace, 20, [](unsigned limit) { return 10.0 * limit; });
  EXPECT_GE(pace.limit(), 40U);
  EXPECT_LE(pace.limit(), 64U);
}

TEST(Pace, StopsWhereTheRoadIsFull) {
  Pace pace{0, 64};
  settled(pace, 9, [](unsigned limit) { return 10.0 * std::min(limit, 12U); });
  EXPECT_EQ(pace.limit(), 13U) << "one step more than 9, where 12 are enough";
}

TEST(Pace, GoesDownWhereFewerDoAsWell) {
  Pace pace{0, 64};
  settled(pace, 200, [](unsigned limit) { return 10.0 * std::min(limit, 4U); });
  EXPECT_LE(pace.limit(), 6U);
  EXPECT_GE(pace.limit(), 3U);
}

TEST(Pace, FollowsARoadThatWidens) {
  Pace pace{0, 64};
  settled(pace, 60, [](unsigned limit) { return 10.0 * std::min(limit, 8U); });
  EXPECT_LE(pace.limit(), 12U);
  settled(pace, 300, [](unsigned limit) { return 10.0 * std::min(limit, 40U); });
  EXPECT_GE(pace.limit(), 24U);
}

TEST(Pace, HalvesWhenAskedToSlowDown) {
  Pace pace{0, 64};
  pace.observe({.work_a_second = 1, .throttled = true});
  EXPECT_EQ(pace.limit(), 2U);
  for (int at = 0; at < 5; ++at) pace.observe({.work_a_second = 1, .throttled = true});
  EXPECT_EQ(pace.limit(), 1U);
}

TEST(Pace, DoesNotJudgeByAnIntervalWithoutWork) {
  Pace pace{0, 64};
  for (int at = 0; at < 50; ++at) pace.observe({.work_a_second = 0, .busy = false});
  EXPECT_EQ(pace.limit(), 4U);
}

TEST(Pace, StaysWhereItIsToldTo) {
  Pace pace{5, 64};
  settled(pace, 50, [](unsigned limit) { return 10.0 * limit; });
  pace.observe({.throttled = true});
  EXPECT_EQ(pace.limit(), 5U);
}

TEST(Pace, NeverLeavesItsBounds) {
  Pace pace{0, 3};
  EXPECT_EQ(settled(pace, 100, [](unsigned limit) { return 10.0 * limit; }), 3U);
}

}  // namespace
}  // namespace runctl::transfer
