#include "volume/create.hpp"

#include <gtest/gtest.h>

#include "volume/sample_facts.hpp"

namespace runctl::volume {
namespace {

struct Case {
  std::string_view what;
  VolumeSpec spec;
  bool good;
};

TEST(CheckSpec, HoldsEachTypeToItsLimits) {
  const std::vector<Case> cases{
      {"gp3 at its least", {.size = GiB{1}}, true},
      {"gp3 at its most", {.size = GiB{65'536}}, true},
      {"gp3 above", {.size = GiB{65'537}}, false},
      {"nothing", {.size = GiB{0}}, false},
      {"st1 below", {.size = GiB{124}, .type = "st1"}, false},
      {"st1 at its least", {.size = GiB{125}, .type = "st1"}, true},
      {"gp2 with iops", {.size = GiB{8}, .type = "gp2", .iops = 3'000}, false},
      {"io2 without iops", {.size = GiB{8}, .type = "io2"}, false},
      {"io2 at its most by size", {.size = GiB{8}, .type = "io2", .iops = 8'000}, true},
      {"io2 above by size", {.size = GiB{8}, .type = "io2", .iops = 8'001}, false},
      {"io1 shared", {.size = GiB{8}, .type = "io1", .iops = 400, .multi_attach = true}, true},
      {"gp3 shared", {.size = GiB{8}, .multi_attach = true}, false},
      {"throughput beyond a quarter of the iops", {.size = GiB{8}, .throughput = 751}, false},
      {"throughput at a quarter of the iops", {.size = GiB{8}, .throughput = 750}, true},
      {"throughput on gp2", {.size = GiB{8}, .type = "gp2", .throughput = 200}, false},
      {"no such type", {.size = GiB{8}, .type = "gp33"}, false},
  };
  for (const Case& c : cases) EXPECT_EQ(!check_spec(c.spec).has_value(), c.good) << c.what;
}

TEST(DefaultIops, ArePassableAndOnlyForTypesThatNeedThem) {
  EXPECT_EQ(default_iops("io2", GiB{100}), 3'000);
  EXPECT_EQ(default_iops("io1", GiB{100}), 3'000);
  EXPECT_EQ(default_iops("io1", GiB{4}), 200);
  EXPECT_EQ(default_iops("gp3", GiB{100}), std::nullopt);
  EXPECT_EQ(default_iops("gp33", GiB{100}), std::nullopt);
  for (const std::string_view type : {"io1", "io2"}) {
    for (const GiB size : {GiB{4}, GiB{60}, GiB{16'384}}) {
      const VolumeSpec spec{
          .size = size, .type = std::string{type}, .iops = default_iops(type, size)};
      EXPECT_FALSE(check_spec(spec).has_value()) << type << " " << size.count;
    }
  }
}

TEST(CheckSpec, NamesTheNearestType) {
  const auto error = check_spec({.size = GiB{8}, .type = "gp33"});
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->hint, "Did you mean 'gp3'?");
}

TEST(CheckSpec, RestoresOnlyWhatIsCompleteAndFits) {
  const SnapshotFacts whole{
      .id = sample::snapshot_id(), .volume_size = GiB{8}, .state = SnapshotState::completed};
  SnapshotFacts partial = whole;
  partial.state = SnapshotState::pending;
  EXPECT_FALSE(check_spec({.size = GiB{8}, .source = whole}).has_value());
  EXPECT_FALSE(check_spec({.size = GiB{9}, .source = whole}).has_value());
  EXPECT_TRUE(check_spec({.size = GiB{7}, .source = whole}).has_value());
  EXPECT_TRUE(check_spec({.size = GiB{8}, .source = partial}).has_value());
}

}  // namespace
}  // namespace runctl::volume
