#include "volume/plan_attach.hpp"

#include <gtest/gtest.h>

#include "volume/sample_facts.hpp"

namespace runctl::volume {
namespace {

AttachFacts facts_for(VolumeFacts volume, InstanceFacts instance = sample::running_instance()) {
  return {.volume = std::move(volume), .instance = std::move(instance)};
}

TEST(PlanAttach, GivesAFreeVolumeAFreeName) {
  const auto plan = plan_attach(facts_for(sample::free_volume()));
  EXPECT_FALSE(plan.refusal.has_value());
  EXPECT_FALSE(plan.already_attached);
  EXPECT_EQ(plan.device, "/dev/sdf");
}

TEST(PlanAttach, ChoosesAnotherNameForAnotherNonceAndPassesOverTakenOnes) {
  auto facts = facts_for(sample::free_volume());
  facts.nonce = 10;  // the last of f to p
  EXPECT_EQ(plan_attach(facts).device, "/dev/sdp");
  facts.instance.devices.push_back(
      {.device = "/dev/sdp", .volume = sample::volume_id("0eeeeeeeeeeeeeee1")});
  EXPECT_EQ(plan_attach(facts).device, "/dev/sdf");
}

TEST(PlanAttach, RefusesAHeldVolumeInTheWordsOfTheContract) {
  const auto holder = sample::instance_id("0bbbbbbbbbbbbbbb2");
  auto facts = facts_for(sample::held_volume_by(holder));
  facts.holder = sample::running_instance(holder);
  const auto plan = plan_attach(facts);
  ASSERT_TRUE(plan.refusal.has_value());
  EXPECT_EQ(plan.refusal->code, Errc::conflict);
  EXPECT_EQ(plan.refusal->message,
            "Volume vol-0aaaaaaaaaaaaaaa1 is already attached to instance i-0bbbbbbbbbbbbbbb2.");
  EXPECT_EQ(plan.refusal->hint, "Detach it first or use a different volume.");
  EXPECT_EQ(plan.refusal->ways_out.front(), "runctl aws ebs detach vol-0aaaaaaaaaaaaaaa1");
  EXPECT_EQ(plan.refusal->section, "EBS_CONCURRENT_ACCESS.md#held-volume");
}

TEST(PlanAttach, RefusesASecondMachineAlsoWithMultiAttachOn) {
  auto volume = sample::held_volume_by(sample::instance_id("0bbbbbbbbbbbbbbb2"));
  volume.multi_attach = true;
  EXPECT_TRUE(plan_attach(facts_for(volume)).refusal.has_value());
}

// Attached to both by somebody else's hand, or in a race.
TEST(PlanAttach, RefusesAVolumeThatAnotherMachineHasAsWell) {
  auto volume = sample::held_volume_by(sample::instance_id());
  volume.multi_attach = true;
  volume.attachments.push_back({.instance = sample::instance_id("0bbbbbbbbbbbbbbb2"),
                                .device = "/dev/sdf",
                                .state = AttachmentState::attached});
  const auto plan = plan_attach(facts_for(volume));
  ASSERT_TRUE(plan.refusal.has_value());
  EXPECT_EQ(plan.refusal->code, Errc::conflict);
  EXPECT_EQ(plan.refusal->ways_out.front(),
            "runctl aws ebs detach vol-0aaaaaaaaaaaaaaa1 --instance i-0bbbbbbbbbbbbbbb2");
  volume.tags[std::string{tag::mode}] = "sealed";
  EXPECT_FALSE(plan_attach(facts_for(volume)).refusal.has_value());
}

TEST(PlanAttach, CallsAnAttachmentThatIsThereDone) {
  for (const auto state : {AttachmentState::attached, AttachmentState::attaching}) {
    const auto plan = plan_attach(facts_for(sample::held_volume_by(sample::instance_id(), state)));
    EXPECT_TRUE(plan.already_attached);
    EXPECT_FALSE(plan.refusal.has_value());
    EXPECT_EQ(plan.device, "/dev/sdf");
  }
  for (const auto state : {AttachmentState::detaching, AttachmentState::busy}) {
    EXPECT_TRUE(plan_attach(facts_for(sample::held_volume_by(sample::instance_id(), state)))
                    .refusal.has_value());
  }
}

TEST(PlanAttach, RefusesEveryVolumeThatIsNotAvailable) {
  for (const auto state :
       {VolumeState::creating, VolumeState::deleting, VolumeState::deleted, VolumeState::error}) {
    auto volume = sample::free_volume();
    volume.state = state;
    EXPECT_TRUE(plan_attach(facts_for(volume)).refusal.has_value()) << name_of(state);
  }
  auto managed = sample::free_volume();
  managed.managed = true;
  EXPECT_TRUE(plan_attach(facts_for(managed)).refusal.has_value());
}

TEST(PlanAttach, RefusesEveryMachineThatIsNeitherRunningNorStopped) {
  auto facts = facts_for(sample::free_volume());
  for (const auto state : {InstanceState::pending, InstanceState::stopping,
                           InstanceState::shutting_down, InstanceState::terminated}) {
    facts.instance.state = state;
    EXPECT_TRUE(plan_attach(facts).refusal.has_value()) << name_of(state);
  }
  facts.instance.state = InstanceState::stopped;
  EXPECT_FALSE(plan_attach(facts).refusal.has_value());
}

TEST(PlanAttach, RefusesAnotherZoneAndSaysHowToGetThere) {
  auto facts = facts_for(sample::free_volume());
  facts.instance.zone = "us-east-1b";
  const auto plan = plan_attach(facts);
  ASSERT_TRUE(plan.refusal.has_value());
  EXPECT_NE(plan.refusal->ways_out.back().find("--availability-zone us-east-1b"),
            std::string::npos);
}

TEST(PlanAttach, RefusesAFullMachineAndATakenName) {
  auto facts = facts_for(sample::free_volume());
  facts.type.attachment_limit = 1;  // its root volume is one
  EXPECT_TRUE(plan_attach(facts).refusal.has_value());
  facts.type.attachment_limit = 2;
  EXPECT_FALSE(plan_attach(facts).refusal.has_value());
  facts.wanted_device = "/dev/xvda";
  EXPECT_TRUE(plan_attach(facts).refusal.has_value());
  facts.wanted_device = "/dev/sdk";
  EXPECT_EQ(plan_attach(facts).device, "/dev/sdk");
}

TEST(PlanAttach, RefusesWhatTheMachineSTypeCannotDo) {
  auto facts = facts_for(sample::free_volume());
  facts.type.nitro = false;
  EXPECT_FALSE(plan_attach(facts).refusal.has_value());
  facts.volume.multi_attach = true;
  ASSERT_TRUE(plan_attach(facts).refusal.has_value());
  EXPECT_NE(plan_attach(facts).refusal->message.find("Multi-Attach"), std::string::npos);
  facts.type.nitro = true;
  EXPECT_FALSE(plan_attach(facts).refusal.has_value());
  facts.volume.encrypted = true;
  EXPECT_FALSE(plan_attach(facts).refusal.has_value()) << "EC2 is silent: it decides";
  facts.type.takes_encrypted = false;
  EXPECT_TRUE(plan_attach(facts).refusal.has_value());
}

TEST(PlanAttach, PassesOverTheNamesThatALateRequestMayBeAbout) {
  auto facts = facts_for(sample::free_volume());
  facts.recent_devices = {"/dev/sdf", "/dev/sdg"};
  EXPECT_EQ(plan_attach(facts).device, "/dev/sdh");
  facts.wanted_device = "/dev/sdf";
  EXPECT_EQ(plan_attach(facts).device, "/dev/sdf") << "asked for by name";
}

TEST(ClassifyAttach, TellsOursFromAllOthers) {
  const auto us = sample::instance_id();
  const auto them = sample::instance_id("0bbbbbbbbbbbbbbb2");
  EXPECT_EQ(classify_attach(sample::held_volume_by(us), us, "/dev/sdf"), AttachOutcome::ours);
  EXPECT_EQ(classify_attach(sample::held_volume_by(us), us, "/dev/sdg"), AttachOutcome::other_name);
  EXPECT_EQ(classify_attach(sample::held_volume_by(them), us, "/dev/sdf"), AttachOutcome::lost);
  EXPECT_EQ(classify_attach(sample::free_volume(), us, "/dev/sdf"), AttachOutcome::not_yet);
}

}  // namespace
}  // namespace runctl::volume
