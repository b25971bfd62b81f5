#include "fleet/stop.hpp"

#include <gtest/gtest.h>

namespace runctl::fleet {
namespace {

using volume::InstanceState;

PowerFacts machine(InstanceState state, bool with_data = true) {
  PowerFacts facts{
      .instance = {.id = InstanceId::parse("i-0bbbbbbbbbbbbbbb1").value(),
                   .state = state,
                   .root_device = "/dev/xvda",
                   .devices = {{.device = "/dev/xvda",
                                .volume = VolumeId::parse("vol-0ddddddddddddddd1").value(),
                                .delete_on_termination = true}}},
      .agent_online = true};
  if (with_data) {
    facts.instance.devices.push_back(
        {.device = "/dev/sdf", .volume = VolumeId::parse("vol-0aaaaaaaaaaaaaaa1").value()});
  }
  return facts;
}

TEST(PlanStop, UnmountsTheDataVolumesAndNotTheRoot) {
  const auto plan = plan_stop(machine(InstanceState::running), Unmounting::required);
  EXPECT_FALSE(plan.refusal.has_value());
  EXPECT_TRUE(plan.unmount_first);
  ASSERT_EQ(plan.data_volumes.size(), 1U);
  EXPECT_EQ(plan.data_volumes.front().device, "/dev/sdf");
}

TEST(PlanStop, RefusesASpotMachineThatEc2DoesNotStopBeforeAnythingIsUnmounted) {
  auto facts = machine(InstanceState::running);
  facts.spot = SpotFacts{.request = "sir-1", .state = "active"};
  auto plan = plan_stop(facts, Unmounting::required);
  ASSERT_TRUE(plan.refusal.has_value());
  EXPECT_NE(plan.refusal->message.find("one-time"), std::string::npos);
  EXPECT_FALSE(plan.unmount_first);
  facts.spot->persistent = true;
  EXPECT_FALSE(plan_stop(facts, Unmounting::required).refusal.has_value());
  facts.spot->state = "cancelled";
  EXPECT_TRUE(plan_stop(facts, Unmounting::required).refusal.has_value());
}

TEST(PlanStart, LeavesWhatEc2StoppedForWantOfSpotCapacityToEc2) {
  auto facts = machine(InstanceState::stopped);
  EXPECT_FALSE(plan_start(facts.instance).refusal.has_value());
  facts.instance.reason_code = "Server.SpotInstanceShutdown";
  ASSERT_TRUE(plan_start(facts.instance).refusal.has_value());
  EXPECT_NE(plan_start(facts.instance).refusal->hint.find("by itself"), std::string::npos);
}

TEST(PlanStop, HasNothingToUnmountWithoutDataVolumes) {
  auto facts = machine(InstanceState::running, false);
  facts.agent_online = false;
  const auto plan = plan_stop(facts, Unmounting::required);
  EXPECT_FALSE(plan.unmount_first);
  EXPECT_FALSE(plan.refusal.has_value()) << "nothing can be lost";
}

TEST(PlanStop, RefusesAMachineThatCannotBeAskedUnlessToldByName) {
  auto facts = machine(InstanceState::running);
  facts.agent_online = false;
  const auto refused = plan_stop(facts, Unmounting::required);
  ASSERT_TRUE(refused.refusal.has_value());
  EXPECT_NE(refused.refusal->ways_out.back().find("runctl aws stop"), std::string::npos);
  const auto skipped = plan_stop(facts, Unmounting::skipped);
  EXPECT_FALSE(skipped.refusal.has_value());
  EXPECT_FALSE(skipped.unmount_first);
}

TEST(PlanStop, GoesByTheMachineSState) {
  const auto plan = [](InstanceState state) {
    return plan_stop(machine(state), Unmounting::required);
  };
  EXPECT_TRUE(plan(InstanceState::stopped).already_stopped);
  EXPECT_TRUE(plan(InstanceState::stopping).already_stopped);
  for (const auto state :
       {InstanceState::pending, InstanceState::shutting_down, InstanceState::terminated}) {
    EXPECT_TRUE(plan(state).refusal.has_value()) << volume::name_of(state);
  }
}

TEST(PlanStart, GoesByTheMachineSState) {
  const auto plan = [](InstanceState state) { return plan_start(machine(state).instance); };
  EXPECT_TRUE(plan(InstanceState::running).already_running);
  EXPECT_TRUE(plan(InstanceState::pending).already_running);
  EXPECT_FALSE(plan(InstanceState::stopped).already_running);
  EXPECT_FALSE(plan(InstanceState::stopped).refusal.has_value());
  for (const auto state :
       {InstanceState::stopping, InstanceState::shutting_down, InstanceState::terminated}) {
    EXPECT_TRUE(plan(state).refusal.has_value()) << volume::name_of(state);
  }
}

}  // namespace
}  // namespace runctl::fleet
