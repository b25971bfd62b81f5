#include <gtest/gtest.h>

#include "volume/mount.hpp"
#include "volume/plan_attach.hpp"
#include "volume/sample_facts.hpp"
#include "volume/seal.hpp"

namespace runctl::volume {
namespace {

VolumeFacts sealed(VolumeFacts volume) {
  volume.multi_attach = true;
  volume.tags[std::string{tag::mode}] = "sealed";
  return volume;
}

VolumeFacts held_by_two() {
  auto volume = sample::held_volume_by(sample::instance_id("0bbbbbbbbbbbbbbb2"));
  volume.attachments.push_back(
      {.instance = sample::instance_id("0bbbbbbbbbbbbbbb3"), .device = "/dev/sdg"});
  volume.multi_attach = true;
  return volume;
}

TEST(PlanSeal, TakesAVolumeThatOneMachineHas) {
  const auto plan = plan_seal(sample::held_volume_by(sample::instance_id()));
  EXPECT_FALSE(plan.refusal.has_value());
  EXPECT_FALSE(plan.already_sealed);
}

TEST(PlanSeal, RefusesAVolumeThatSeveralMachinesMayWrite) {
  const auto plan = plan_seal(held_by_two());
  ASSERT_TRUE(plan.refusal.has_value());
  EXPECT_EQ(plan.refusal->ways_out.size(), 2U);
}

TEST(PlanSeal, RefusesWhatWasPulledByForceAndWhatIsTheClusters) {
  auto pulled = sample::held_volume_by(sample::instance_id());
  pulled.tags[std::string{tag::needs_check}] = "snap-1";
  EXPECT_TRUE(plan_seal(pulled).refusal.has_value());
  auto cluster = sample::held_volume_by(sample::instance_id());
  cluster.tags[std::string{tag::mode}] = "cluster";
  EXPECT_TRUE(plan_seal(cluster).refusal.has_value());
}

TEST(PlanSeal, CallsASealedVolumeDone) {
  EXPECT_TRUE(plan_seal(sealed(held_by_two())).already_sealed);
}

TEST(PlanUnseal, RefusesWhileAnyMachineHasIt) {
  const auto plan = plan_unseal(sealed(held_by_two()));
  ASSERT_TRUE(plan.refusal.has_value());
  EXPECT_FALSE(plan_unseal(sealed(sample::free_volume())).refusal.has_value());
  EXPECT_TRUE(plan_unseal(sample::free_volume()).already_unsealed);
}

TEST(Sealed, IsGivenToFurtherMachinesWithMultiAttach) {
  const auto facts =
      AttachFacts{.volume = sealed(held_by_two()), .instance = sample::running_instance()};
  EXPECT_FALSE(plan_attach(facts).refusal.has_value());
  auto alone = facts;
  alone.volume.multi_attach = false;
  ASSERT_TRUE(plan_attach(alone).refusal.has_value());
  EXPECT_EQ(plan_attach(alone).refusal->section, "EBS_CONCURRENT_ACCESS.md#held-volume");
}

TEST(Sealed, IsGivenToSixteenMachinesAndNoMore) {
  auto volume = sealed(sample::free_volume());
  volume.state = VolumeState::in_use;
  for (char digit = '0'; digit < '8'; ++digit) {
    for (const char* kind : {"0ccccccccccccccc", "0ddddddddddddddd"}) {
      volume.attachments.push_back(
          {.instance = sample::instance_id(std::string{kind} + digit), .device = "/dev/sdf"});
    }
  }
  ASSERT_EQ(volume.attachments.size(), 16U);
  const auto facts = AttachFacts{.volume = volume, .instance = sample::running_instance()};
  ASSERT_TRUE(plan_attach(facts).refusal.has_value());
  auto fewer = facts;
  fewer.volume.attachments.pop_back();
  EXPECT_FALSE(plan_attach(fewer).refusal.has_value());
}

TEST(Sealed, IsNotLostToAnotherReader) {
  const auto volume = sealed(held_by_two());
  EXPECT_EQ(classify_attach(volume, sample::instance_id(), "/dev/sdf"), AttachOutcome::not_yet);
  auto exclusive = volume;
  exclusive.tags.clear();
  EXPECT_EQ(classify_attach(exclusive, sample::instance_id(), "/dev/sdf"), AttachOutcome::lost);
}

TEST(CheckMount, ReadsASealedVolumeWhateverWasAskedFor) {
  const auto volume = sealed(sample::free_volume());
  EXPECT_EQ(access_for(volume, node::Access::read_write), node::Access::read_only);
  EXPECT_EQ(access_for(sample::free_volume(), node::Access::read_write), node::Access::read_write);
  const auto instance = sample::running_instance();
  EXPECT_FALSE(check_mount(volume, instance, {.directory = "/data"}).has_value());
  EXPECT_TRUE(check_mount(volume, instance, {.directory = "/data", .format = Filesystem::ext4})
                  .has_value());
}

TEST(CheckMount, ShowsNobodyAFilesystemThatWasPulledAndNotChecked) {
  auto volume = sample::free_volume();
  volume.tags[std::string{tag::needs_check}] = "snap-1";
  const auto instance = sample::running_instance();
  EXPECT_TRUE(
      check_mount(volume, instance, {.directory = "/data", .access = node::Access::read_only})
          .has_value());
  EXPECT_FALSE(check_mount(volume, instance, {.directory = "/data"}).has_value());
}

TEST(CheckMount, MountsNothingThatAnotherMachineHasAsWell) {
  auto volume = sample::held_volume_by(sample::instance_id());
  const auto instance = sample::running_instance();
  EXPECT_FALSE(check_mount(volume, instance, {.directory = "/data"}).has_value());
  volume.multi_attach = true;
  volume.attachments.push_back({.instance = sample::instance_id("0bbbbbbbbbbbbbbb2"),
                                .device = "/dev/sdf",
                                .state = AttachmentState::attached});
  EXPECT_TRUE(check_mount(volume, instance, {.directory = "/data"}).has_value());
  EXPECT_FALSE(check_mount(sealed(volume), instance, {.directory = "/data"}).has_value());
}

TEST(CheckMount, MountsNothingThatIsOnItsWayOff) {
  for (const auto state : {AttachmentState::detaching, AttachmentState::busy}) {
    const auto volume = sample::held_volume_by(sample::instance_id(), state);
    EXPECT_TRUE(
        check_mount(volume, sample::running_instance(), {.directory = "/data"}).has_value());
  }
}

TEST(CheckMount, FormatsNoCopy) {
  auto copy = sample::free_volume();
  copy.tags[std::string{tag::created_empty}] = "uuid";
  copy.source_volume = sample::volume_id("0aaaaaaaaaaaaaaa2");
  EXPECT_TRUE(check_mount(copy, sample::running_instance(),
                          {.directory = "/data", .format = Filesystem::ext4})
                  .has_value());
}

}  // namespace
}  // namespace runctl::volume
