#include <gtest/gtest.h>

#include "emulator/ec2/test_bench.hpp"

namespace runctl::emulator::ec2 {
namespace {

using std::chrono::milliseconds;

const Report broken{.error = Error{.message = "broken"}};
const Report busy{.unplugged = Unplugged::busy};

TEST(VolumeTransitions, CreatingEndsWhenBothTimeAndDiskAreThere) {
  TestBench bench;
  Turn turn = bench.turn();
  const auto made = create_volume(turn, {.availability_zone = "us-east-1a", .size = 1})->volume_id;
  bench.pass(bench.pace.create_volume);
  EXPECT_EQ(bench.seen(made), "creating");  // the disk is not there
  bench.obey();
  EXPECT_EQ(bench.seen(made), "available");
}

TEST(VolumeTransitions, ADiskThatCannotBeMadeIsAnErrorAndCanBeDeleted) {
  TestBench bench;
  Turn turn = bench.turn();
  const auto made = create_volume(turn, {.availability_zone = "us-east-1a", .size = 1})->volume_id;
  bench.obey(broken);
  EXPECT_EQ(bench.seen(made), "error");
  Turn later = bench.turn();
  EXPECT_TRUE(delete_volume(later, {.volume_id = made}).has_value());
  bench.settle();
  EXPECT_EQ(bench.seen(made), "gone");
}

TEST(VolumeTransitions, AttachGoesThroughInUseThenAttached) {
  TestBench bench;
  const auto volume = bench.volume();
  const auto instance = bench.instance();
  ASSERT_TRUE(bench.attach(volume, instance).has_value());
  EXPECT_EQ(bench.seen(volume), "in-use attaching");
  EXPECT_TRUE(bench.orders.empty());
  bench.pass(bench.pace.attach);
  ASSERT_EQ(bench.orders.size(), 1U);
  EXPECT_EQ(name_of(bench.orders.front()), "plug");
  EXPECT_EQ(bench.seen(volume), "in-use attaching");  // the device is not there
  bench.obey();
  EXPECT_EQ(bench.seen(volume), "in-use attached");
}

TEST(VolumeTransitions, AnAttachmentWhoseDeviceCannotAppearIsStuckUntilDetached) {
  TestBench bench;
  const auto volume = bench.volume();
  ASSERT_TRUE(bench.attach(volume, bench.instance()).has_value());
  bench.pass(bench.pace.attach);
  bench.obey(broken);
  bench.settle();
  EXPECT_EQ(bench.seen(volume), "in-use attaching");
  ASSERT_TRUE(bench.detach(volume).has_value());
  bench.settle();
  EXPECT_EQ(bench.seen(volume), "available");
}

TEST(VolumeTransitions, DetachWaitsForTheMachineAndThenVanishesBeforeAvailable) {
  TestBench bench;
  const auto volume = bench.volume();
  ASSERT_TRUE(bench.attach(volume, bench.instance()).has_value());
  bench.settle();
  ASSERT_TRUE(bench.detach(volume).has_value());
  EXPECT_EQ(bench.seen(volume), "in-use detaching");
  bench.pass(bench.pace.detach);
  bench.obey(busy);
  EXPECT_EQ(bench.seen(volume), "in-use busy");
  bench.pass(bench.pace.busy_retry);
  bench.obey(busy);
  EXPECT_EQ(bench.seen(volume), "in-use busy");
  bench.pass(bench.pace.busy_retry);
  bench.obey();
  EXPECT_EQ(bench.seen(volume), "in-use");
  bench.pass(bench.pace.release);
  EXPECT_EQ(bench.seen(volume), "available");
}

TEST(VolumeTransitions, ALateReportDoesNotTouchALaterAttachment) {
  TestBench bench;
  const auto volume = bench.volume();
  const auto instance = bench.instance();
  ASSERT_TRUE(bench.attach(volume, instance).has_value());
  bench.pass(bench.pace.attach);
  const Order late = bench.orders.front();
  ASSERT_TRUE(bench.detach(volume).has_value());
  bench.orders.clear();
  bench.settle();
  ASSERT_TRUE(bench.attach(volume, instance).has_value());
  Turn turn = bench.turn();
  report(turn, late, {});
  EXPECT_EQ(bench.seen(volume), "in-use attaching");
}

TEST(InstanceTransitions, TerminationKeepsDataVolumesAndTakesTheRoot) {
  TestBench bench;
  const auto kept = bench.volume();
  const auto doomed = bench.volume();
  const auto instance = bench.instance();
  ASSERT_TRUE(bench.attach(kept, instance, "/dev/sdf").has_value());
  ASSERT_TRUE(bench.attach(doomed, instance, "/dev/sdg").has_value());
  bench.settle();
  Turn turn = bench.turn();
  ASSERT_TRUE(modify_instance_attribute(
                  turn, {.instance_id = instance,
                         .block_device_mappings = {{.device_name = "/dev/sdg",
                                                    .ebs =
                                                        wire::EbsInstanceBlockDeviceSpecification{
                                                            .delete_on_termination = true}}}})
                  .has_value());
  bench.terminate(instance);
  EXPECT_EQ(bench.seen(kept), "in-use attached");
  bench.settle();
  EXPECT_EQ(bench.seen(kept), "available");
  EXPECT_EQ(bench.seen(doomed), "gone");
  EXPECT_EQ(bench.state.volumes.all().size(), 1U);
  bench.pass(std::chrono::hours{2});
  EXPECT_TRUE(bench.state.instances.all().empty());
}

TEST(InstanceTransitions, TheLastAttachedInstanceDecidesOnASharedVolume) {
  TestBench bench;
  const auto volume =
      bench.volume({.volume_type = "io2", .iops = 100, .multi_attach_enabled = true});
  const auto one = bench.instance();
  const auto two = bench.instance();
  for (const auto& instance : {one, two}) {
    ASSERT_TRUE(bench.attach(volume, instance).has_value());
    Turn turn = bench.turn();
    ASSERT_TRUE(modify_instance_attribute(
                    turn, {.instance_id = instance,
                           .block_device_mappings = {{.device_name = "/dev/sdf",
                                                      .ebs =
                                                          wire::EbsInstanceBlockDeviceSpecification{
                                                              .delete_on_termination = true}}}})
                    .has_value());
  }
  bench.settle();
  bench.terminate(one);
  bench.settle();
  EXPECT_EQ(bench.seen(volume), "in-use attached");
  bench.terminate(two);
  bench.settle();
  EXPECT_EQ(bench.seen(volume), "gone");
}

TEST(InstanceTransitions, AMachineThatCannotBootIsTerminatedWithAReason) {
  TestBench bench;
  Turn turn = bench.turn();
  const auto made = run_instances(
      turn,
      {.image_id = "ami-01234567", .instance_type = "t3.nano", .min_count = 1, .max_count = 1});
  bench.obey(broken);
  const Instance& instance = bench.state.instances.all().begin()->second;
  EXPECT_EQ(name_of(instance.state), "terminated");
  EXPECT_EQ(instance.reason_code, "Server.InternalError");
}

TEST(InstanceTransitions, AStoppedInstanceKeepsItsVolumesAndFindsThemAgain) {
  TestBench bench;
  const auto held = bench.volume();
  const auto given_back = bench.volume();
  const auto late = bench.volume();
  const auto instance = bench.instance();
  ASSERT_TRUE(bench.attach(held, instance, "/dev/sdf").has_value());
  ASSERT_TRUE(bench.attach(given_back, instance, "/dev/sdg").has_value());
  bench.settle();
  Turn turn = bench.turn();
  EXPECT_EQ(code_of(start_instances(turn, {.instance_ids = {instance}})), "");
  ASSERT_EQ(code_of(stop_instances(turn, {.instance_ids = {instance}})), "");
  EXPECT_EQ(code_of(start_instances(turn, {.instance_ids = {instance}})), "IncorrectInstanceState");
  EXPECT_EQ(code_of(bench.attach(late, instance, "/dev/sdh")), "IncorrectState");
  bench.settle();
  EXPECT_EQ(bench.seen(held), "in-use attached");
  // Neither needs the machine, which does not run.
  ASSERT_EQ(code_of(bench.detach(given_back)), "");
  ASSERT_EQ(code_of(bench.attach(late, instance, "/dev/sdh")), "");
  bench.pass(bench.pace.attach + bench.pace.detach);
  bench.pass(bench.pace.release);
  EXPECT_TRUE(bench.orders.empty());
  EXPECT_EQ(bench.seen(given_back), "available");
  EXPECT_EQ(bench.seen(late), "in-use attached");

  Turn later = bench.turn();
  ASSERT_EQ(code_of(start_instances(later, {.instance_ids = {instance}})), "");
  const auto boot = bench.orders.back();
  bench.orders.clear();
  Turn booted = bench.turn();
  report(booted, boot, {});
  EXPECT_EQ(bench.orders.size(), 2U);  // both are plugged in
}

TEST(SnapshotTransitions, ProgressGrowsUntilCompleted) {
  TestBench bench;
  const auto volume = bench.volume();
  Turn turn = bench.turn();
  ASSERT_TRUE(create_snapshot(turn, {.volume_id = volume}).has_value());
  bench.obey();
  const auto progress = [&] {
    Turn t = bench.turn();
    return describe_snapshots(t, {})->snapshots.front().progress;
  };
  EXPECT_EQ(progress(), "0%");
  bench.pass(bench.pace.snapshot / 2);
  EXPECT_EQ(progress(), "50%");
  bench.pass(bench.pace.snapshot / 2);
  EXPECT_EQ(progress(), "100%");
}

TEST(Recovery, OrdersAgainWhatWasUnderWay) {
  TestBench bench;
  const auto attached = bench.volume();
  const auto instance = bench.instance();
  ASSERT_TRUE(bench.attach(attached, instance).has_value());
  bench.settle();
  Turn turn = bench.turn();
  ASSERT_TRUE(create_snapshot(turn, {.volume_id = attached}).has_value());
  ASSERT_TRUE(create_volume(turn, {.availability_zone = "us-east-1a", .size = 1}).has_value());
  bench.orders.clear();  // the emulator is killed
  bench.state.instances.edit(*InstanceId::parse(instance)).booted = false;

  Turn later = bench.turn();
  recover(later);
  std::vector<std::string> names;
  for (const Order& order : bench.orders) names.emplace_back(name_of(order));
  EXPECT_EQ(names, (std::vector<std::string>{"remove-capture", "create-disk", "boot"}));
  EXPECT_EQ(name_of(bench.state.snapshots.all().begin()->second.state), "error");
  const auto boot = bench.orders.back();
  bench.orders.clear();
  Turn booted = bench.turn();
  report(booted, boot, {});
  ASSERT_EQ(bench.orders.size(), 1U);
  EXPECT_EQ(name_of(bench.orders.front()), "plug");  // the machine finds its volume again
}

}  // namespace
}  // namespace runctl::emulator::ec2
