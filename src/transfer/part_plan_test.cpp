#include "transfer/part_plan.hpp"

#include <gtest/gtest.h>

#include "transfer/options.hpp"

namespace runctl::transfer {
namespace {

constexpr std::uint64_t mib = std::uint64_t{1} << 20U;
constexpr std::uint64_t gib = std::uint64_t{1} << 30U;
constexpr std::uint64_t tib = std::uint64_t{1} << 40U;

struct PartCase {
  std::uint64_t object;
  double rate;
  unsigned concurrency;
  std::uint64_t part;
};

TEST(PartPlan, ChoosesPartsByWhatWasMeasured) {
  for (const PartCase& entry : {
           PartCase{20 * mib, 0, 8, 8 * mib},              // nothing measured yet
           PartCase{2 * gib, 1.0 * mib, 8, 8 * mib},       // a slow road
           PartCase{2 * gib, 10.0 * mib, 8, 20 * mib},     // two seconds of it
           PartCase{2 * gib, 500.0 * mib, 8, 64 * mib},    // no more than that
           PartCase{400 * mib, 500.0 * mib, 8, 25 * mib},  // two for each connection
           PartCase{5 * tib, 0, 8, 525 * mib},             // 10,000 are the most
       }) {
    const auto part = part_size_for(
        entry.object, 0, {.bytes_a_second = entry.rate, .concurrency = entry.concurrency});
    ASSERT_TRUE(part);
    EXPECT_EQ(*part, entry.part) << entry.object;
    EXPECT_LE((entry.object + *part - 1) / *part, greatest_part_count);
  }
}

TEST(PartPlan, TakesWhatWasAskedForWithinS3sLimits) {
  EXPECT_EQ(*part_size_for(gib, 5 * mib, {}), 5 * mib);
  EXPECT_EQ(*part_size_for(gib, 5 * gib, {}), 5 * gib);
  EXPECT_EQ(part_size_for(gib, 5 * mib - 1, {}).error().code, Errc::invalid_argument);
  EXPECT_EQ(part_size_for(gib, 5 * gib + 1, {}).error().code, Errc::invalid_argument);
  const auto too_many = part_size_for(tib, 5 * mib, {});
  EXPECT_EQ(too_many.error().hint, "use parts of 105.0 MiB or more");
  EXPECT_EQ(part_size_for(5 * tib + 1, 0, {}).error().code, Errc::invalid_argument);
  EXPECT_TRUE(part_size_for(5 * tib, 0, {}));
}

TEST(PartPlan, LetsAllConnectionsEndTogether) {
  const Measured fast{.bytes_a_second = 500.0 * mib, .concurrency = 8};
  EXPECT_EQ(range_size_for(8 * gib, 0, fast), 64 * mib);
  EXPECT_EQ(range_size_for(320 * mib, 0, fast), 20 * mib);
  EXPECT_EQ(range_size_for(20 * mib, 0, fast), 8 * mib);
  EXPECT_EQ(range_size_for(3 * mib, 0, fast), 3 * mib);
  EXPECT_EQ(range_size_for(8 * gib, 5 * mib, fast), 5 * mib);
}

}  // namespace
}  // namespace runctl::transfer
