#include <gtest/gtest.h>

#include "volume/modify.hpp"
#include "volume/sample_facts.hpp"

namespace runctl::volume {
namespace {

VolumeFacts volume_of(unsigned gib) {
  auto volume = sample::free_volume();
  volume.size = GiB{gib};
  volume.iops = 3'000;
  volume.throughput = 125;
  return volume;
}

TEST(PlanModify, GrowsAVolume) {
  const auto plan = plan_modify(volume_of(8), std::nullopt, {.size = GiB{16}});
  EXPECT_FALSE(plan.refusal.has_value());
  EXPECT_FALSE(plan.is_as_asked);
}

TEST(PlanModify, NeverShrinksOne) {
  const auto plan = plan_modify(volume_of(8), std::nullopt, {.size = GiB{4}});
  ASSERT_TRUE(plan.refusal.has_value());
  EXPECT_EQ(plan.refusal->code, Errc::invalid_argument);
}

TEST(PlanModify, SendsNothingForWhatIsSoAlready) {
  EXPECT_TRUE(plan_modify(volume_of(8), std::nullopt, {.size = GiB{8}}).is_as_asked);
  EXPECT_TRUE(plan_modify(volume_of(8), std::nullopt, {.type = "gp3", .iops = 3'000}).is_as_asked);
  EXPECT_FALSE(plan_modify(volume_of(8), std::nullopt, {.type = "gp3", .iops = 4'000}).is_as_asked);
}

TEST(PlanModify, WaitsForTheSameModificationAndRefusesAnother) {
  const ModificationFacts running{.state = ModificationState::modifying,
                                  .progress = 30,
                                  .size = GiB{16},
                                  .type = "gp3",
                                  .iops = 3'000,
                                  .throughput = 125};
  EXPECT_TRUE(plan_modify(volume_of(8), running, {.size = GiB{16}}).is_under_way);
  const auto other = plan_modify(volume_of(8), running, {.size = GiB{32}});
  ASSERT_TRUE(other.refusal.has_value());
  EXPECT_EQ(other.refusal->code, Errc::conflict);
  auto over = running;
  over.state = ModificationState::completed;
  EXPECT_FALSE(plan_modify(volume_of(16), over, {.size = GiB{32}}).refusal.has_value());
}

TEST(PlanModify, HasNothingToWaitForOnceItIsOptimizing) {
  const ModificationFacts running{.state = ModificationState::optimizing,
                                  .size = GiB{16},
                                  .type = "gp3",
                                  .iops = 3'000,
                                  .throughput = 125};
  const auto same = plan_modify(volume_of(16), running, {.size = GiB{16}});
  EXPECT_TRUE(same.is_as_asked);
  EXPECT_FALSE(same.is_under_way);
  EXPECT_TRUE(plan_modify(volume_of(16), running, {.size = GiB{32}}).refusal.has_value());
}

TEST(PlanModify, HoldsTheNewTypesLimits) {
  EXPECT_TRUE(plan_modify(volume_of(8), std::nullopt, {.type = "io2"}).refusal.has_value());
  EXPECT_FALSE(
      plan_modify(volume_of(8), std::nullopt, {.type = "io2", .iops = 400}).refusal.has_value());
  EXPECT_TRUE(plan_modify(volume_of(8), std::nullopt, {.type = "st1"}).refusal.has_value());
  // The speed that it has counts where only the size is asked for.
  auto fast = volume_of(8);
  fast.throughput = 500;
  EXPECT_TRUE(
      plan_modify(fast, std::nullopt, {.iops = 3'000, .throughput = 1'000}).refusal.has_value());
}

TEST(PlanModify, RefusesAVolumeThatIsNotThereYet) {
  auto creating = volume_of(8);
  creating.state = VolumeState::creating;
  EXPECT_TRUE(plan_modify(creating, std::nullopt, {.size = GiB{16}}).refusal.has_value());
}

}  // namespace
}  // namespace runctl::volume
