#include <gtest/gtest.h>

#include "emulator/ec2/filters.hpp"
#include "emulator/ec2/test_bench.hpp"

namespace runctl::emulator::ec2 {
namespace {

TEST(AttachVolume, RefusesASecondAttachmentEvenToTheSameInstance) {
  TestBench bench;
  const auto volume = bench.volume();
  const auto one = bench.instance();
  const auto two = bench.instance();
  ASSERT_TRUE(bench.attach(volume, one).has_value());
  EXPECT_EQ(code_of(bench.attach(volume, one)), "VolumeInUse");
  EXPECT_EQ(code_of(bench.attach(volume, two)), "VolumeInUse");
  bench.settle();
  EXPECT_EQ(code_of(bench.attach(volume, one, "/dev/sdg")), "VolumeInUse");
  EXPECT_EQ(bench.find(volume)->attachments.size(), 1U);
}

TEST(AttachVolume, RefusesAnotherZone) {
  TestBench bench;
  EXPECT_EQ(code_of(bench.attach(bench.volume(), bench.instance("m5.large", "us-east-1b"))),
            "InvalidVolume.ZoneMismatch");
}

TEST(AttachVolume, ChecksDeviceNames) {
  TestBench bench;
  const auto instance = bench.instance();
  for (const std::string bad :
       {"/dev/nvme1n1", "sd", "/dev/sd1", "/dev/sdf16", "/dev/xvdee", "x"}) {
    EXPECT_EQ(code_of(bench.attach(bench.volume(), instance, bad)), "InvalidParameterValue") << bad;
  }
  EXPECT_EQ(code_of(bench.attach(bench.volume(), instance, "")), "MissingParameter");
  for (const std::string good : {"/dev/sdf", "/dev/sdf15", "/dev/xvdba", "xvdh"}) {
    EXPECT_EQ(code_of(bench.attach(bench.volume(), instance, good)), "") << good;
  }
  const auto taken = bench.attach(bench.volume(), instance, "/dev/sdf");
  ASSERT_FALSE(taken.has_value());
  EXPECT_EQ(taken.error().message,
            "Invalid value '/dev/sdf' for unixDevice. Attachment point /dev/sdf is already in use");
}

TEST(AttachVolume, StopsAtTheLimitOfTheInstanceType) {
  TestBench bench;
  const auto instance = bench.instance("g5.48xlarge");  // nine, the root among them
  for (char letter = 'b'; letter < 'j'; ++letter) {
    ASSERT_EQ(code_of(bench.attach(bench.volume(), instance, std::string{"/dev/sd"} + letter)), "");
  }
  EXPECT_EQ(code_of(bench.attach(bench.volume(), instance, "/dev/sdz")), "AttachmentLimitExceeded");
}

TEST(AttachVolume, NeedsAnInstanceThatRuns) {
  TestBench bench;
  const auto volume = bench.volume();
  Turn turn = bench.turn();
  const auto pending =
      run_instances(
          turn,
          {.image_id = "ami-01234567", .instance_type = "t3.nano", .min_count = 1, .max_count = 1})
          ->instances.front()
          .instance_id;
  EXPECT_EQ(code_of(bench.attach(volume, pending)), "IncorrectState");
  bench.settle();
  bench.terminate(pending);
  EXPECT_EQ(code_of(bench.attach(volume, pending)), "IncorrectInstanceState");
  EXPECT_EQ(code_of(bench.attach(volume, "i-0123456789abcdef0")), "InvalidInstanceID.NotFound");
  EXPECT_EQ(code_of(bench.attach("vol-1", pending)), "InvalidVolumeID.Malformed");
}

TEST(MultiAttach, TakesSixteenNitroInstancesAndNoneTwice) {
  TestBench bench;
  const auto volume =
      bench.volume({.volume_type = "io1", .iops = 100, .multi_attach_enabled = true});
  EXPECT_EQ(code_of(bench.attach(volume, bench.instance("t2.micro"))), "UnsupportedOperation");
  for (int i = 0; i < 16; ++i) {
    const auto instance = bench.instance();
    ASSERT_EQ(code_of(bench.attach(volume, instance)), "");
    EXPECT_EQ(code_of(bench.attach(volume, instance, "/dev/sdg")), "VolumeInUse");
  }
  EXPECT_EQ(code_of(bench.attach(volume, bench.instance())), "AttachmentLimitExceeded");
  EXPECT_EQ(code_of(bench.detach(volume)), "MissingParameter");
}

TEST(DetachVolume, NamesWhatIsWrong) {
  TestBench bench;
  const auto volume = bench.volume();
  const auto one = bench.instance();
  const auto two = bench.instance();
  EXPECT_EQ(code_of(bench.detach(volume)), "IncorrectState");
  ASSERT_TRUE(bench.attach(volume, one).has_value());
  bench.settle();
  EXPECT_EQ(code_of(bench.detach(volume, two)), "InvalidAttachment.NotFound");
  Turn turn = bench.turn();
  const auto root =
      describe_volumes(turn, {.filters = {{.name = "attachment.device", .values = {"/dev/xvda"}}}})
          ->volumes.front()
          .volume_id;
  EXPECT_EQ(code_of(bench.detach(root)), "OperationNotPermitted");
}

TEST(DetachVolume, DoesNotForceADeviceThatIsInUse) {
  TestBench bench;
  const auto volume = bench.volume();
  ASSERT_TRUE(bench.attach(volume, bench.instance()).has_value());
  bench.settle();
  ASSERT_TRUE(bench.detach(volume).has_value());
  bench.pass(bench.pace.detach);
  bench.obey({.unplugged = Unplugged::busy});
  Turn turn = bench.turn();
  EXPECT_EQ(code_of(detach_volume(turn, {.volume_id = volume, .force = true})),
            "UnsupportedOperation");
}

struct CreateCase {
  wire::CreateVolumeRequest request;
  std::string code;
};

TEST(CreateVolume, HoldsTheLimitsOfEachType) {
  const std::vector<CreateCase> cases{
      {{.size = 1}, ""},
      {{.size = 0}, "InvalidParameterValue"},
      {{}, "MissingParameter"},
      {{.size = 16'385, .volume_type = "gp2"}, "InvalidParameterValue"},
      {{.size = 8, .volume_type = "gp2", .iops = 100}, "InvalidParameterCombination"},
      {{.size = 65'536, .volume_type = "gp3"}, ""},
      {{.size = 65'537, .volume_type = "gp3"}, "InvalidParameterValue"},
      {{.size = 160, .volume_type = "gp3", .iops = 80'000, .throughput = 2'000}, ""},
      {{.size = 159, .volume_type = "gp3", .iops = 80'000}, "InvalidParameterValue"},
      {{.size = 160, .volume_type = "gp3", .iops = 80'001}, "InvalidParameterValue"},
      {{.size = 8, .volume_type = "gp3", .iops = 2'999}, "InvalidParameterValue"},
      {{.size = 8, .volume_type = "gp3", .throughput = 751}, "InvalidParameterValue"},
      {{.size = 8, .volume_type = "gp3", .throughput = 750}, ""},
      {{.size = 8, .volume_type = "io2"}, "MissingParameter"},
      {{.size = 4, .volume_type = "io2", .iops = 4'000}, ""},
      {{.size = 4, .volume_type = "io2", .iops = 4'001}, "InvalidParameterValue"},
      {{.size = 3, .volume_type = "io1", .iops = 100}, "InvalidParameterValue"},
      {{.size = 124, .volume_type = "st1"}, "InvalidParameterValue"},
      {{.size = 1'025, .volume_type = "standard"}, "InvalidParameterValue"},
      {{.size = 1, .volume_type = "gp9"}, "UnknownVolumeType"},
      {{.size = 1, .volume_type = "gp3", .multi_attach_enabled = true},
       "InvalidParameterCombination"},
      {{.size = 1, .kms_key_id = "alias/x"}, "InvalidParameterDependency"},
      {{.size = 1, .snapshot_id = "snap-0123456789abcdef0"}, "InvalidSnapshot.NotFound"},
      {{.availability_zone_id = "use1-az1", .size = 1}, "InvalidParameterCombination"},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    TestBench bench;
    wire::CreateVolumeRequest request = cases[i].request;
    request.availability_zone = "us-east-1a";
    Turn turn = bench.turn();
    EXPECT_EQ(code_of(create_volume(turn, request)), cases[i].code) << "case " << i;
  }
}

TEST(CreateVolume, TakesAZoneByNameOrById) {
  TestBench bench;
  Turn turn = bench.turn();
  EXPECT_EQ(create_volume(turn, {.availability_zone_id = "use1-az2", .size = 1})->availability_zone,
            "us-east-1b");
  EXPECT_EQ(code_of(create_volume(turn, {.size = 1})), "MissingParameter");
  EXPECT_EQ(code_of(create_volume(turn, {.availability_zone = "us-east-1z", .size = 1})),
            "InvalidZone.NotFound");
}

TEST(CreateVolume, AClientTokenGivesTheFirstAnswerAgain) {
  TestBench bench;
  const wire::CreateVolumeRequest request{
      .availability_zone = "us-east-1a", .size = 3, .client_token = "token"};
  Turn turn = bench.turn();
  const auto first = create_volume(turn, request);
  bench.settle();
  Turn later = bench.turn();
  const auto again = create_volume(later, request);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->volume_id, first->volume_id);
  EXPECT_EQ(again->state, "creating");
  EXPECT_EQ(bench.state.volumes.all().size(), 1U);
  wire::CreateVolumeRequest other = request;
  other.size = 4;
  EXPECT_EQ(code_of(create_volume(later, other)), "IdempotentParameterMismatch");
}

TEST(RunInstances, AClientTokenStartsNothingTwice) {
  TestBench bench;
  wire::RunInstancesRequest request{.image_id = "ami-01234567",
                                    .instance_type = "t3.nano",
                                    .min_count = 2,
                                    .max_count = 2,
                                    .client_token = "token"};
  Turn turn = bench.turn();
  const auto first = run_instances(turn, request);
  const auto again = run_instances(turn, request);
  ASSERT_TRUE(first && again);
  EXPECT_EQ(first->reservation_id, again->reservation_id);
  EXPECT_EQ(bench.state.instances.all().size(), 2U);
  request.instance_type = "t3.micro";
  EXPECT_EQ(code_of(run_instances(turn, request)), "IdempotentParameterMismatch");
}

TEST(CreateSnapshot, ARestoredVolumeIsAtLeastAsLarge) {
  TestBench bench;
  const auto volume = bench.volume({.size = 10});
  Turn turn = bench.turn();
  const auto snapshot = create_snapshot(turn, {.volume_id = volume})->snapshot_id;
  EXPECT_EQ(
      code_of(create_volume(turn, {.availability_zone = "us-east-1a", .snapshot_id = snapshot})),
      "IncorrectState");
  bench.settle();
  Turn later = bench.turn();
  EXPECT_EQ(
      create_volume(later, {.availability_zone = "us-east-1b", .snapshot_id = snapshot})->size, 10);
  EXPECT_EQ(code_of(create_volume(
                later, {.availability_zone = "us-east-1a", .size = 9, .snapshot_id = snapshot})),
            "InvalidParameterValue");
}

TEST(CreateSnapshot, KeepsAwssIntervalAtAwssPace) {
  TestBench bench;
  const auto volume = bench.volume();
  bench.pace = *pace_named("aws");
  Turn turn = bench.turn();
  ASSERT_TRUE(create_snapshot(turn, {.volume_id = volume}).has_value());
  EXPECT_EQ(code_of(create_snapshot(turn, {.volume_id = volume})),
            "SnapshotCreationPerVolumeRateExceeded");
  bench.pass(std::chrono::seconds{15});
  Turn later = bench.turn();
  EXPECT_EQ(code_of(create_snapshot(later, {.volume_id = volume})), "");
}

TEST(CreateTags, HoldsAwssLimits) {
  TestBench bench;
  const auto volume = bench.volume();
  Turn turn = bench.turn();
  const auto put = [&](std::vector<wire::Tag> tags) {
    return code_of(create_tags(turn, {.resources = {volume}, .tags = std::move(tags)}));
  };
  EXPECT_EQ(put({{.key = "Aws:x", .value = "1"}}), "InvalidParameterValue");
  EXPECT_EQ(put({{.key = std::string(129, 'k'), .value = "1"}}), "InvalidParameterValue");
  std::string umlauts;
  for (int i = 0; i < 128; ++i) umlauts += "ä";
  EXPECT_EQ(put({{.key = umlauts, .value = "1"}}), "");
  std::vector<wire::Tag> many;
  for (int i = 0; i < 50; ++i) many.push_back({.key = "k" + std::to_string(i), .value = "1"});
  EXPECT_EQ(put(many), "TagLimitExceeded");
  EXPECT_EQ(code_of(create_tags(turn, {.resources = {"vpc-1"}, .tags = {{.key = "k"}}})),
            "InvalidID");
  EXPECT_EQ(code_of(create_volume(turn, {.availability_zone = "us-east-1a",
                                         .size = 1,
                                         .tag_specifications = {{.resource_type = "snapshot"}}})),
            "InvalidParameterValue");
}

TEST(Wildcards, StarsAndQuestionMarks) {
  EXPECT_TRUE(matches_wildcards("checkpoint-12", "check*"));
  EXPECT_TRUE(matches_wildcards("checkpoint-12", "*-1?"));
  EXPECT_TRUE(matches_wildcards("", "*"));
  EXPECT_TRUE(matches_wildcards("a*b", "a\\*b"));
  EXPECT_TRUE(matches_wildcards("abcabd", "*ab?"));
  EXPECT_FALSE(matches_wildcards("axb", "a\\*b"));
  EXPECT_FALSE(matches_wildcards("ab", "a"));
  EXPECT_FALSE(matches_wildcards("ab", "ab?"));
  EXPECT_FALSE(matches_wildcards("", "?"));
}

TEST(Pages, GiveEveryVolumeOnce) {
  TestBench bench;
  for (int i = 0; i < 12; ++i) bench.volume();
  std::set<std::string> seen;
  wire::DescribeVolumesRequest request{.max_results = 5};
  int pages = 0;
  do {
    Turn turn = bench.turn();
    const auto page = describe_volumes(turn, request);
    ASSERT_TRUE(page.has_value());
    for (const auto& volume : page->volumes) EXPECT_TRUE(seen.insert(volume.volume_id).second);
    request.next_token = page->next_token;
    ++pages;
    bench.volume();  // what is made meanwhile may or may not show; nothing else is lost or doubled
  } while (!request.next_token.empty());
  EXPECT_GE(seen.size(), 12U);
  EXPECT_GE(pages, 3);
}

TEST(Pages, RefuseWhatAwsRefuses) {
  TestBench bench;
  const auto volume = bench.volume();
  Turn turn = bench.turn();
  EXPECT_EQ(code_of(describe_volumes(turn, {.max_results = 4})), "InvalidParameterValue");
  EXPECT_EQ(code_of(describe_volumes(turn, {.max_results = 1'001})), "InvalidParameterValue");
  EXPECT_EQ(code_of(describe_volumes(turn, {.volume_ids = {volume}, .max_results = 5})),
            "InvalidParameterCombination");
  EXPECT_EQ(code_of(describe_volumes(turn, {.max_results = 5, .next_token = "made up"})),
            "InvalidNextToken");
}

TEST(Zones, FollowAwssNames) {
  EXPECT_EQ(zones_of("us-east-1").front().id, "use1-az1");
  EXPECT_EQ(zones_of("ap-southeast-2").back().id, "apse2-az3");
  EXPECT_EQ(zones_of("us-gov-west-1").front().id, "usgw1-az1");
  EXPECT_TRUE(is_region_name("eu-central-1"));
  for (const char* bad : {"", "us-east", "us-east-1a", "US-EAST-1", "us--1", "../../x"}) {
    EXPECT_FALSE(is_region_name(bad)) << bad;
  }
}

}  // namespace
}  // namespace runctl::emulator::ec2
