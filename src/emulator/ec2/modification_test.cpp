#include <gtest/gtest.h>

#include "emulator/ec2/test_bench.hpp"

namespace runctl::emulator::ec2 {
namespace {

using std::chrono::milliseconds;

Result<wire::ModifyVolumeResult> modify(TestBench& bench,
                                        const wire::ModifyVolumeRequest& request) {
  Turn turn = bench.turn();
  return modify_volume(turn, request);
}

// "modifying 0%", "none"
std::string state_of(TestBench& bench, const std::string& volume) {
  Turn turn = bench.turn();
  const auto found = describe_volumes_modifications(turn, {.volume_ids = {volume}});
  if (!found) return code_of(found);
  const auto& seen = found->volumes_modifications.front();
  return seen.modification_state + " " + std::to_string(*seen.progress) + "%";
}

TEST(ModifyVolume, TakesEffectOnceTheDiskHasGrownAndThenOptimizes) {
  TestBench bench;
  const auto volume = bench.volume({.size = 10, .volume_type = "gp3"});
  EXPECT_EQ(state_of(bench, volume), "InvalidVolumeModification.NotFound");
  const auto begun = modify(bench, {.volume_id = volume, .size = 20, .iops = 4'000});
  ASSERT_TRUE(begun.has_value()) << begun.error().message;
  EXPECT_EQ(begun->volume_modification->original_size, 10);
  EXPECT_EQ(begun->volume_modification->target_iops, 4'000);
  EXPECT_EQ(state_of(bench, volume), "modifying 0%");
  bench.pass(bench.pace.modify);
  ASSERT_EQ(bench.orders.size(), 1U);
  EXPECT_EQ(name_of(bench.orders.front()), "resize-disk");
  EXPECT_EQ(bench.find(volume)->size.count, 10U) << "the disk has not grown";
  bench.obey();
  EXPECT_EQ(bench.find(volume)->size.count, 20U);
  EXPECT_EQ(bench.find(volume)->iops, 4'000);
  EXPECT_EQ(state_of(bench, volume), "optimizing 0%");
  bench.pass(bench.pace.optimize / 2);
  EXPECT_EQ(state_of(bench, volume), "optimizing 50%");
  EXPECT_EQ(code_of(modify(bench, {.volume_id = volume, .size = 30})),
            "IncorrectModificationState");
  bench.pass(bench.pace.optimize);
  EXPECT_EQ(state_of(bench, volume), "completed 100%");
}

TEST(ModifyVolume, ADiskThatCannotGrowLeavesTheVolumeAsItWas) {
  TestBench bench;
  const auto volume = bench.volume({.size = 10});
  ASSERT_TRUE(modify(bench, {.volume_id = volume, .size = 20}).has_value());
  bench.pass(bench.pace.modify);
  bench.obey({.error = Error{.message = "the disk is full"}});
  EXPECT_EQ(state_of(bench, volume), "failed 0%");
  Turn turn = bench.turn();
  EXPECT_EQ(describe_volumes_modifications(turn, {})->volumes_modifications.front().status_message,
            "the disk is full");
  EXPECT_EQ(bench.find(volume)->size.count, 10U);
}

TEST(ModifyVolume, HoldsTheLimitsOfTheTypeAsCreateVolumeDoes) {
  TestBench bench;
  const auto volume = bench.volume({.size = 10, .volume_type = "gp3"});
  const auto refusal = [&](wire::ModifyVolumeRequest request) {
    request.volume_id = volume;
    return code_of(modify(bench, request));
  };
  EXPECT_EQ(refusal({.size = 9}), "InvalidParameterValue") << "never smaller";
  EXPECT_EQ(refusal({.size = 65'537}), "InvalidParameterValue");
  EXPECT_EQ(refusal({.volume_type = "gp4"}), "UnknownVolumeType");
  EXPECT_EQ(refusal({.volume_type = "st1"}), "InvalidParameterValue") << "125 GiB at least";
  EXPECT_EQ(refusal({.iops = 80'001}), "InvalidParameterValue");
  EXPECT_EQ(refusal({.throughput = 1'000}), "InvalidParameterValue") << "a quarter of the IOPS";
  EXPECT_EQ(refusal({.multi_attach_enabled = true}), "InvalidParameterCombination");
  EXPECT_EQ(refusal({.volume_type = "gp2", .iops = 100}), "InvalidParameterCombination");
  EXPECT_TRUE(bench.find(volume)->modified.empty()) << "what is refused does not count";
}

TEST(ModifyVolume, GivesAnotherTypeItsOwnSpeed) {
  TestBench bench;
  const auto volume = bench.volume({.size = 100, .volume_type = "gp3", .iops = 5'000});
  ASSERT_TRUE(modify(bench, {.volume_id = volume, .volume_type = "io2"}).has_value());
  bench.settle();
  EXPECT_EQ(bench.find(volume)->iops, 3'000);
  EXPECT_FALSE(bench.find(volume)->throughput.has_value());
  ASSERT_TRUE(modify(bench, {.volume_id = volume, .volume_type = "gp2"}).has_value());
  bench.settle();
  EXPECT_EQ(bench.find(volume)->iops, 300);
}

TEST(ModifyVolume, AllowsFourInADayAndCountsThoseThatChangeNothing) {
  TestBench bench;
  const auto volume = bench.volume({.size = 10});
  for (int i = 0; i < 4; ++i) {
    ASSERT_EQ(code_of(modify(bench, {.volume_id = volume, .size = 10})), "") << i;
    bench.settle();
  }
  EXPECT_EQ(code_of(modify(bench, {.volume_id = volume, .size = 20})),
            "VolumeModificationRateExceeded");
  bench.pass(std::chrono::hours{24} - std::chrono::seconds{9});
  EXPECT_EQ(code_of(modify(bench, {.volume_id = volume, .size = 20})),
            "VolumeModificationRateExceeded");
  bench.pass(std::chrono::seconds{9});
  EXPECT_EQ(code_of(modify(bench, {.volume_id = volume, .size = 20})), "");
}

TEST(ModifyVolume, ChangesMultiAttachOnlyOfWhatIsNotAttached) {
  TestBench bench;
  const auto volume = bench.volume({.volume_type = "io2", .iops = 100});
  ASSERT_TRUE(bench.attach(volume, bench.instance()).has_value());
  bench.settle();
  EXPECT_EQ(code_of(modify(bench, {.volume_id = volume, .multi_attach_enabled = true})),
            "IncorrectState");
  ASSERT_TRUE(bench.detach(volume).has_value());
  bench.settle();
  ASSERT_EQ(code_of(modify(bench, {.volume_id = volume, .multi_attach_enabled = true})), "");
  bench.settle();
  EXPECT_TRUE(bench.find(volume)->multi_attach);
}

TEST(ModifyVolume, GoesOnAfterARestart) {
  TestBench bench;
  const auto volume = bench.volume({.size = 10});
  ASSERT_TRUE(modify(bench, {.volume_id = volume, .size = 20}).has_value());
  bench.pass(bench.pace.modify);
  bench.orders.clear();  // the emulator is killed: what the hardware was told is forgotten
  bench.state.volumes.edit(*VolumeId::parse(volume)).modification->ordered = false;
  Turn turn = bench.turn();
  recover(turn);
  bench.settle();
  EXPECT_EQ(state_of(bench, volume), "completed 100%");
  EXPECT_EQ(bench.find(volume)->size.count, 20U);
}

TEST(DescribeVolumesModifications, FiltersAndPages) {
  TestBench bench;
  std::vector<std::string> volumes;
  for (int i = 0; i < 7; ++i) volumes.push_back(bench.volume({.size = 10}));
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(modify(bench, {.volume_id = volumes[static_cast<std::size_t>(i)], .size = 11 + i})
                    .has_value());
  }
  Turn turn = bench.turn();
  const auto first = describe_volumes_modifications(turn, {.max_results = 5});
  ASSERT_EQ(first->volumes_modifications.size(), 5U);
  const auto second =
      describe_volumes_modifications(turn, {.max_results = 5, .next_token = first->next_token});
  EXPECT_EQ(second->volumes_modifications.size(), 1U) << "one volume has not been modified";
  const auto filtered = describe_volumes_modifications(
      turn, {.filters = {{.name = "target-size", .values = {"14"}}}});
  ASSERT_EQ(filtered->volumes_modifications.size(), 1U);
  EXPECT_EQ(filtered->volumes_modifications.front().volume_id, volumes[3]);
}

TEST(CopyVolumes, TakesOverWhatIsTheSourcesAndNothingElse) {
  TestBench bench;
  const auto source =
      bench.volume({.size = 10,
                    .volume_type = "gp3",
                    .encrypted = true,
                    .kms_key_id = "alias/data",
                    .tag_specifications = {{.resource_type = "volume",
                                            .tags = {{.key = "runctl:mode", .value = "sealed"}}}}});
  Turn turn = bench.turn();
  const auto made = copy_volumes(
      turn,
      {.source_volume_id = source,
       .tag_specifications = {{.resource_type = "volume", .tags = {{.key = "a", .value = "b"}}}}});
  ASSERT_TRUE(made.has_value()) << made.error().message;
  ASSERT_EQ(made->volumes.size(), 1U);
  const wire::Volume& copy = made->volumes.front();
  EXPECT_EQ(copy.source_volume_id, source);
  EXPECT_EQ(copy.state, "creating");
  EXPECT_EQ(copy.size, 10);
  EXPECT_EQ(copy.volume_type, "gp2");
  EXPECT_EQ(copy.availability_zone, "us-east-1a");
  EXPECT_EQ(copy.encrypted, true);
  EXPECT_EQ(copy.kms_key_id, "alias/data");
  ASSERT_EQ(copy.tags.size(), 1U);
  EXPECT_EQ(copy.tags.front().key, "a");
  ASSERT_EQ(bench.orders.size(), 1U);
  EXPECT_TRUE(precedes_answer(bench.orders.front()));
  bench.settle();
  EXPECT_EQ(bench.seen(copy.volume_id), "available");
}

TEST(CopyVolumes, RefusesWhatAwsRefuses) {
  TestBench bench;
  const auto source = bench.volume({.size = 10});
  const auto refusal = [&](wire::CopyVolumesRequest request) {
    if (request.source_volume_id.empty()) request.source_volume_id = source;
    Turn turn = bench.turn();
    return code_of(copy_volumes(turn, request));
  };
  EXPECT_EQ(refusal({.size = 9}), "InvalidParameterValue");
  EXPECT_EQ(refusal({.iops = 3'000}), "InvalidParameterCombination") << "gp2 has none to choose";
  EXPECT_EQ(refusal({.source_volume_id = "vol-0123456789abcdef0"}), "InvalidVolume.NotFound");
  EXPECT_EQ(refusal({.size = 12}), "");
  EXPECT_EQ(refusal({}), "CopyVolumesLimitExceeded");
  bench.settle();
  ASSERT_TRUE(modify(bench, {.volume_id = source, .size = 20}).has_value());
  EXPECT_EQ(refusal({.size = 20}), "IncorrectState");
  bench.pass(bench.pace.modify);
  bench.obey();
  EXPECT_EQ(refusal({}), "") << "while it optimizes it can be copied";
}

TEST(CopyVolumes, ATokenMakesOneCopy) {
  TestBench bench;
  const auto source = bench.volume({.size = 10});
  wire::CopyVolumesRequest request{.source_volume_id = source, .client_token = "once"};
  Turn turn = bench.turn();
  const auto first = copy_volumes(turn, request);
  const auto again = copy_volumes(turn, request);
  ASSERT_TRUE(first && again);
  EXPECT_EQ(first->volumes.front().volume_id, again->volumes.front().volume_id);
  EXPECT_EQ(bench.state.volumes.all().size(), 2U);
  request.size = 11;
  EXPECT_EQ(code_of(copy_volumes(turn, request)), "IdempotentParameterMismatch");
}

TEST(CopyVolumes, ACopyThatARestartCutShortIsAnError) {
  TestBench bench;
  const auto source = bench.volume({.size = 10});
  Turn turn = bench.turn();
  const auto copy = copy_volumes(turn, {.source_volume_id = source})->volumes.front().volume_id;
  bench.orders.clear();  // the emulator is killed
  Turn later = bench.turn();
  recover(later);
  EXPECT_EQ(bench.seen(copy), "error");
  EXPECT_TRUE(bench.orders.empty());
}

TEST(CreateVolume, TakesAnInitializationRateForARestoredVolumeOnly) {
  TestBench bench;
  const auto volume = bench.volume();
  Turn turn = bench.turn();
  const auto snapshot = create_snapshot(turn, {.volume_id = volume})->snapshot_id;
  bench.settle();
  const auto make = [&](const std::string& source, std::int64_t rate) {
    Turn later = bench.turn();
    return create_volume(later, {.availability_zone = "us-east-1a",
                                 .size = 10,
                                 .snapshot_id = source,
                                 .volume_initialization_rate = rate});
  };
  EXPECT_EQ(code_of(make("", 100)), "InvalidParameterCombination");
  EXPECT_EQ(code_of(make(snapshot, 99)), "InvalidParameterValue");
  EXPECT_EQ(code_of(make(snapshot, 301)), "InvalidParameterValue");
  EXPECT_EQ(make(snapshot, 300)->volume_initialization_rate, 300);
}

TEST(RebootInstances, KeepsItRunningAndBringsItsVolumesBack) {
  TestBench bench;
  const auto volume = bench.volume();
  const auto instance = bench.instance();
  const InstanceId id = *InstanceId::parse(instance);
  ASSERT_TRUE(bench.attach(volume, instance).has_value());
  bench.settle();
  Turn turn = bench.turn();
  ASSERT_EQ(code_of(reboot_instances(turn, {.instance_ids = {instance}})), "");
  ASSERT_EQ(code_of(reboot_instances(turn, {.instance_ids = {instance}})), "");
  ASSERT_EQ(bench.orders.size(), 1U) << "it reboots already";
  EXPECT_EQ(name_of(bench.state.instances.find(id)->state), "running");
  EXPECT_FALSE(bench.state.instances.find(id)->booted);
  // What is asked for meanwhile waits for the machine.
  ASSERT_EQ(code_of(bench.detach(volume)), "");
  bench.pass(bench.pace.detach);
  const auto reboot = bench.orders.front();
  ASSERT_EQ(bench.orders.size(), 1U);
  bench.orders.clear();
  Turn up = bench.turn();
  report(up, reboot, {});
  EXPECT_TRUE(bench.state.instances.find(id)->booted);
  bench.settle();
  EXPECT_EQ(bench.seen(volume), "available");
}

TEST(RebootInstances, IsForInstancesThatRun) {
  TestBench bench;
  const auto instance = bench.instance();
  Turn turn = bench.turn();
  ASSERT_EQ(code_of(stop_instances(turn, {.instance_ids = {instance}})), "");
  EXPECT_EQ(code_of(reboot_instances(turn, {.instance_ids = {instance}})), "IncorrectState");
  bench.terminate(instance);
  bench.settle();
  Turn later = bench.turn();
  EXPECT_EQ(code_of(reboot_instances(later, {.instance_ids = {instance}})), "");
  EXPECT_TRUE(bench.orders.empty());
}

}  // namespace
}  // namespace runctl::emulator::ec2
