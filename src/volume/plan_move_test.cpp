#include <gtest/gtest.h>

#include "volume/move.hpp"
#include "volume/sample_facts.hpp"

namespace runctl::volume {
namespace {

const InstanceId from_id = sample::instance_id("0bbbbbbbbbbbbbbb1");
const InstanceId to_id = sample::instance_id("0bbbbbbbbbbbbbbb2");

// A volume mounted at /data on one machine, wanted by another in the same zone.
MoveFacts facts() {
  MoveFacts facts{.from = {.volume = sample::held_volume_by(from_id),
                           .holder = sample::running_instance(from_id),
                           .agent_online = true},
                  .to = {.volume = sample::free_volume(),
                         .instance = sample::running_instance(to_id),
                         .recent_devices = {"/dev/sdf"}},
                  .target_online = true,
                  .mounted_at = "/data"};
  return facts;
}

TEST(PlanMove, UnmountsDetachesAttachesAndMountsWhereItWas) {
  const auto plan = plan_move(facts());
  ASSERT_FALSE(plan.refusal.has_value()) << plan.refusal->message;
  EXPECT_TRUE(plan.detach.unmount_first);
  EXPECT_EQ(plan.detach.attachment->instance, from_id);
  EXPECT_NE(plan.attach.device, "/dev/sdf") << "the name that a late request may mean";
  ASSERT_TRUE(plan.mount.has_value());
  EXPECT_EQ(plan.mount->directory, "/data");
}

TEST(PlanMove, MountsWhereItIsToldTo) {
  auto wanted = facts();
  wanted.wanted_directory = "/other";
  EXPECT_EQ(plan_move(wanted).mount->directory, "/other");
}

TEST(PlanMove, MountsNothingThatWasNotMounted) {
  auto unmounted = facts();
  unmounted.mounted_at.reset();
  unmounted.target_online = false;  // nothing is asked of it
  const auto plan = plan_move(unmounted);
  EXPECT_FALSE(plan.refusal.has_value());
  EXPECT_FALSE(plan.mount.has_value());
}

TEST(PlanMove, TakesNothingThatTheOtherMachineWillNotBeGiven) {
  auto elsewhere = facts();
  elsewhere.to.instance.zone = "us-east-1b";
  ASSERT_TRUE(plan_move(elsewhere).refusal.has_value());
  EXPECT_EQ(plan_move(elsewhere).refusal->section, "EBS_CONCURRENT_ACCESS.md#wrong-zone");

  auto silent = facts();
  silent.target_online = false;
  ASSERT_TRUE(plan_move(silent).refusal.has_value());
  EXPECT_NE(plan_move(silent).refusal->message.find("cannot be reached"), std::string::npos);

  auto off = facts();
  off.to.instance.state = InstanceState::stopped;
  EXPECT_TRUE(plan_move(off).refusal.has_value());

  auto full = facts();
  full.to.type.attachment_limit = 1;
  EXPECT_TRUE(plan_move(full).refusal.has_value());
}

TEST(PlanMove, PullsNothingFromAMachineThatCannotBeAsked) {
  auto silent = facts();
  silent.from.agent_online = false;
  const auto plan = plan_move(silent);
  ASSERT_TRUE(plan.refusal.has_value());
  EXPECT_EQ(plan.refusal->section, "EBS_CONCURRENT_ACCESS.md#unreachable-machine");
}

TEST(PlanMove, CallsAVolumeThatIsThereDone) {
  auto there = facts();
  there.from.volume = sample::held_volume_by(to_id);
  there.to.volume = there.from.volume;
  const auto plan = plan_move(there);
  EXPECT_TRUE(plan.already_there);
  EXPECT_TRUE(plan.detach.already_detached);
  EXPECT_FALSE(plan.refusal.has_value());
}

TEST(PlanMove, AttachesAVolumeThatNobodyHas) {
  auto free = facts();
  free.from = {.volume = sample::free_volume()};
  free.mounted_at.reset();
  const auto plan = plan_move(free);
  EXPECT_TRUE(plan.detach.already_detached);
  EXPECT_FALSE(plan.already_there);
  EXPECT_FALSE(plan.refusal.has_value());
  EXPECT_FALSE(plan.attach.device.empty());
}

TEST(PlanMove, HandsNoSharedVolumeOver) {
  auto shared = facts();
  for (VolumeFacts* volume : {&shared.from.volume, &shared.to.volume}) {
    volume->multi_attach = true;
    volume->tags[std::string{tag::mode}] = "sealed";
  }
  ASSERT_TRUE(plan_move(shared).refusal.has_value());
  EXPECT_EQ(plan_move(shared).refusal->section, "EBS_CONCURRENT_ACCESS.md#sealed-volumes");
}

}  // namespace
}  // namespace runctl::volume
