#include "volume/plan_detach.hpp"

#include <gtest/gtest.h>

#include "volume/sample_facts.hpp"

namespace runctl::volume {
namespace {

DetachFacts held() {
  return {.volume = sample::held_volume_by(sample::instance_id()),
          .holder = sample::running_instance(),
          .agent_online = true};
}

TEST(PlanDetach, UnmountsFirstOnARunningMachine) {
  const auto plan = plan_detach(held());
  ASSERT_TRUE(plan.attachment.has_value());
  EXPECT_FALSE(plan.refusal.has_value());
  EXPECT_TRUE(plan.unmount_first);
}

TEST(PlanDetach, NeedsNoUnmountOnAStoppedMachine) {
  auto facts = held();
  facts.holder->state = InstanceState::stopped;
  facts.agent_online = false;
  const auto plan = plan_detach(facts);
  EXPECT_FALSE(plan.refusal.has_value());
  EXPECT_FALSE(plan.unmount_first);
}

TEST(PlanDetach, RefusesARunningMachineThatCannotBeAsked) {
  auto facts = held();
  facts.agent_online = false;
  const auto plan = plan_detach(facts);
  ASSERT_TRUE(plan.refusal.has_value());
  EXPECT_EQ(plan.refusal->section, "EBS_CONCURRENT_ACCESS.md#unreachable-machine");
  facts.holder.reset();
  EXPECT_TRUE(plan_detach(facts).refusal.has_value());
}

TEST(PlanDetach, CallsAFreeVolumeDone) {
  EXPECT_TRUE(plan_detach({.volume = sample::free_volume()}).already_detached);
  auto facts = held();
  facts.wanted_instance = sample::instance_id("0bbbbbbbbbbbbbbb2");
  EXPECT_TRUE(plan_detach(facts).already_detached);
}

TEST(PlanDetach, AsksWhichOneWhenSeveralHaveIt) {
  auto facts = held();
  facts.volume.attachments.push_back(
      {.instance = sample::instance_id("0bbbbbbbbbbbbbbb2"), .device = "/dev/sdg"});
  const auto plan = plan_detach(facts);
  ASSERT_TRUE(plan.refusal.has_value());
  EXPECT_EQ(plan.refusal->ways_out.size(), 2U);
  facts.wanted_instance = sample::instance_id();
  EXPECT_FALSE(plan_detach(facts).refusal.has_value());
}

TEST(PlanDetach, NeverTakesARootVolumeFromARunningMachine) {
  auto facts = held();
  facts.volume.attachments.front().device = "/dev/xvda";
  EXPECT_TRUE(plan_detach(facts).refusal.has_value());
  facts.holder->state = InstanceState::stopped;
  EXPECT_FALSE(plan_detach(facts).refusal.has_value());
}

TEST(PlanDetach, PullsByForceOnlyWhatCannotBeAsked) {
  const auto holder = sample::instance_id();
  DetachFacts facts{.volume = sample::held_volume_by(holder),
                    .holder = sample::running_instance(holder),
                    .agent_online = false,
                    .force = Force::yes};
  const auto pulled = plan_detach(facts);
  EXPECT_FALSE(pulled.refusal.has_value());
  EXPECT_TRUE(pulled.by_force);
  EXPECT_FALSE(pulled.unmount_first);

  facts.agent_online = true;
  EXPECT_FALSE(plan_detach(facts).by_force);
  EXPECT_TRUE(plan_detach(facts).unmount_first);

  facts.agent_online = false;
  facts.holder->state = InstanceState::stopped;
  EXPECT_FALSE(plan_detach(facts).by_force) << "it needs none";
}

}  // namespace
}  // namespace runctl::volume
