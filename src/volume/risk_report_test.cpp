#include "volume/risk_report.hpp"

#include <algorithm>
#include <functional>

#include <gtest/gtest.h>

#include "volume/prices.hpp"
#include "volume/sample_facts.hpp"

namespace runctl::volume {
namespace {

constexpr Timestamp now{std::chrono::days{20'000}};

RiskFacts facts_of(VolumeFacts volume) {
  RiskFacts facts{.volume = std::move(volume), .now = now};
  for (const AttachmentFacts& attachment : facts.volume.attachments) {
    facts.holders.push_back(sample::running_instance(attachment.instance));
  }
  return facts;
}

VolumeFacts held() { return sample::held_volume_by(sample::instance_id()); }

SnapshotFacts copy_of(std::chrono::hours age, SnapshotState state = SnapshotState::completed) {
  return {.id = sample::snapshot_id(), .volume_size = GiB{8}, .state = state, .started = now - age};
}

// The level of one scenario, or nothing when the report does not speak of it.
std::optional<RiskLevel> level_of(const RiskFacts& facts, std::string_view id) {
  const auto risks = risk_report(facts);
  for (const Risk& risk : risks) {
    EXPECT_FALSE(risk.effect.empty()) << risk.id;
    if (risk.id == id) return risk.level;
  }
  return std::nullopt;
}

TEST(RiskReport, ASecondMachineIsARiskOnlyWithMultiAttach) {
  auto facts = facts_of(held());
  EXPECT_EQ(level_of(facts, "second-machine"), RiskLevel::none);
  facts.volume.multi_attach = true;
  EXPECT_EQ(level_of(facts, "second-machine"), RiskLevel::high);
  facts.volume.attachments.push_back(
      {.instance = sample::instance_id("0bbbbbbbbbbbbbbb2"), .device = "/dev/sdf"});
  EXPECT_EQ(level_of(facts, "second-machine"), RiskLevel::critical);
  facts.volume.tags[std::string{tag::mode}] = "sealed";
  EXPECT_EQ(level_of(facts, "second-machine"), RiskLevel::low);
}

TEST(RiskReport, AVolumeThatGoesWithItsMachineIsTheWorse) {
  auto facts = facts_of(held());
  EXPECT_EQ(level_of(facts, "terminate"), RiskLevel::low);
  facts.volume.attachments[0].delete_on_termination = true;
  EXPECT_EQ(level_of(facts, "terminate"), RiskLevel::critical);
  facts.snapshots = {copy_of(std::chrono::hours{1})};
  EXPECT_EQ(level_of(facts, "terminate"), RiskLevel::high);
  facts.holders[0].root_device = "/dev/sdf";  // a root volume is meant to go
  EXPECT_EQ(level_of(facts, "terminate"), RiskLevel::low);
}

TEST(RiskReport, OnlyACompletedSnapshotIsACopy) {
  auto facts = facts_of(held());
  EXPECT_EQ(level_of(facts, "disk-failure"), RiskLevel::high);
  facts.snapshots = {copy_of(std::chrono::hours{1}, SnapshotState::pending)};
  EXPECT_EQ(level_of(facts, "disk-failure"), RiskLevel::high);
  facts.snapshots.push_back(copy_of(std::chrono::hours{48}));
  EXPECT_EQ(level_of(facts, "disk-failure"), RiskLevel::medium);
  facts.snapshots.push_back(copy_of(std::chrono::hours{2}));
  EXPECT_EQ(level_of(facts, "disk-failure"), RiskLevel::low);
}

TEST(RiskReport, DeletingIsHarmlessOnlyWhileItCannotBeDone) {
  EXPECT_EQ(level_of(facts_of(held()), "delete"), RiskLevel::none);
  auto facts = facts_of(sample::free_volume());
  EXPECT_EQ(level_of(facts, "delete"), RiskLevel::high);
  facts.volume.tags[std::string{tag::is_protected}] = "true";
  EXPECT_EQ(level_of(facts, "delete"), RiskLevel::medium);
  facts.snapshots = {copy_of(std::chrono::hours{1})};
  EXPECT_EQ(level_of(facts, "delete"), RiskLevel::low);
}

TEST(RiskReport, AttachmentsThatDoNotMoveAreNamed) {
  auto facts = facts_of(held());
  facts.volume.attachments[0].state = AttachmentState::attaching;
  facts.volume.attachments[0].since = now - std::chrono::seconds{20};
  EXPECT_EQ(level_of(facts, "stuck-attaching"), std::nullopt);
  facts.volume.attachments[0].since = now - std::chrono::minutes{5};
  EXPECT_EQ(level_of(facts, "stuck-attaching"), RiskLevel::high);
  facts.volume.attachments[0].state = AttachmentState::busy;
  EXPECT_EQ(level_of(facts, "detach"), RiskLevel::high);
}

TEST(RiskReport, TheWorstComesFirst) {
  auto facts = facts_of(sample::free_volume());
  facts.volume.state = VolumeState::error;
  facts.volume.source = sample::snapshot_id();
  const auto risks = risk_report(facts);
  EXPECT_EQ(risks.front().id, "error-state");
  EXPECT_TRUE(std::ranges::is_sorted(risks, std::greater{}, &Risk::level));
  EXPECT_EQ(level_of(facts, "lazy-load"), RiskLevel::low);
  EXPECT_EQ(level_of(facts, "unused"), RiskLevel::low);
}

TEST(Prices, AddWhatGoesBeyondTheBaseline) {
  const auto price = [](PricedVolume volume) { return volume_per_month(volume).value(); };
  EXPECT_DOUBLE_EQ(price({.type = "gp3", .size = GiB{100}}), 8.0);
  EXPECT_DOUBLE_EQ(price({.type = "gp3", .size = GiB{100}, .iops = 3'000, .throughput = 125}), 8.0);
  EXPECT_DOUBLE_EQ(price({.type = "gp3", .size = GiB{100}, .iops = 4'000, .throughput = 225}),
                   8.0 + 5.0 + 4.0);
  EXPECT_DOUBLE_EQ(price({.type = "io2", .size = GiB{100}, .iops = 40'000}),
                   12.5 + 32'000 * 0.065 + 8'000 * 0.0455);
  EXPECT_FALSE(volume_per_month({.type = "gp9", .size = GiB{1}}).has_value());
  EXPECT_EQ(dollars(12.8), "$12.80");
  EXPECT_EQ(dollars(0.001), "under $0.01");
}

InsideFacts mounted(const InstanceId& instance, bool read_only, bool device_read_only) {
  return {.instance = instance,
          .device = node::DeviceFacts{.device = "/dev/nvme1n1",
                                      .serial = "vol",
                                      .read_only = device_read_only,
                                      .mounts = {{.mount_point = "/data",
                                                  .root = "/",
                                                  .options = read_only ? "ro" : "rw",
                                                  .read_only = read_only}}}};
}

TEST(RiskReport, AWriterOfASealedVolumeIsTheWorst) {
  auto facts = facts_of(held());
  facts.volume.tags[std::string{tag::mode}] = "sealed";
  facts.inside = {mounted(sample::instance_id(), true, true)};
  EXPECT_EQ(level_of(facts, "sealed-written"), std::nullopt);
  EXPECT_EQ(level_of(facts, "read-only-mount"), std::nullopt);
  facts.inside = {mounted(sample::instance_id(), false, false)};
  EXPECT_EQ(level_of(facts, "sealed-written"), RiskLevel::critical);
  EXPECT_EQ(risk_report(facts).front().id, "sealed-written");
}

TEST(RiskReport, TwoMountsOfWhichOneWritesAreSeen) {
  auto facts = facts_of(held());
  const auto second = sample::instance_id("0bbbbbbbbbbbbbbb2");
  facts.inside = {mounted(sample::instance_id(), false, false)};
  EXPECT_EQ(level_of(facts, "shared-now"), std::nullopt);
  facts.inside.push_back(mounted(second, true, false));
  EXPECT_EQ(level_of(facts, "shared-now"), RiskLevel::critical);
}

TEST(RiskReport, AReadOnlyMountOfAWritableDeviceIsNamed) {
  auto facts = facts_of(held());
  facts.inside = {mounted(sample::instance_id(), true, false)};
  EXPECT_EQ(level_of(facts, "read-only-mount"), RiskLevel::low);
}

TEST(RiskReport, AMachineThatCannotBeAskedIsARisk) {
  auto facts = facts_of(held());
  facts.inside = {{.instance = sample::instance_id(), .why_not = "it does not answer"}};
  EXPECT_EQ(level_of(facts, "silent-machine"), RiskLevel::medium);
}

TEST(RiskReport, WhatIsNotMountedIsDetachedWithoutLoss) {
  auto facts = facts_of(held());
  EXPECT_EQ(level_of(facts, "detach"), RiskLevel::medium);
  auto unmounted = mounted(sample::instance_id(), false, false);
  unmounted.device->mounts.clear();
  facts.inside = {unmounted};
  EXPECT_EQ(level_of(facts, "detach"), RiskLevel::none);
}

TEST(RiskReport, AVolumeThatWasPulledByForceSaysSo) {
  auto facts = facts_of(sample::free_volume());
  facts.volume.tags[std::string{tag::needs_check}] = "snap-1";
  EXPECT_EQ(level_of(facts, "needs-check"), RiskLevel::high);
}

}  // namespace
}  // namespace runctl::volume
