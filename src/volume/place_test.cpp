#include "volume/place.hpp"

#include <gtest/gtest.h>

#include "volume/sample_facts.hpp"

namespace runctl::volume {
namespace {

TEST(PlaceSpec, IsReadFromTheJournalAsItWasWritten) {
  const PlaceSpec spec{.mount = MountSpec{.directory = "/a b", .format = Filesystem::xfs},
                       .device = "/dev/sdf"};
  const auto read = read_plan(boost::json::value(plan_of(spec)));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->device, spec.device);
  EXPECT_EQ(read->mount->directory, "/a b");
  EXPECT_EQ(read->mount->format, Filesystem::xfs);
  EXPECT_EQ(read->mount->access, node::Access::read_write);

  const PlaceSpec reads{.mount =
                            MountSpec{.directory = "/data", .access = node::Access::read_only}};
  EXPECT_EQ(read_plan(boost::json::value(plan_of(reads)))->mount->access, node::Access::read_only);
  EXPECT_FALSE(read_plan(boost::json::value(plan_of({})))->mount.has_value());
  EXPECT_FALSE(
      read_plan(boost::json::value{{"mount_point", "/data"}, {"format", "ntfs"}}).has_value());
}

TEST(DefaultMountPoint, IsTheNameAsFarAsAPathCanHaveIt) {
  auto volume = sample::free_volume();
  EXPECT_EQ(default_mount_point(volume), "/mnt/" + volume.id.str());
  volume.tags["Name"] = "../a b/$(x)";
  EXPECT_EQ(default_mount_point(volume), "/mnt/---a-b---x-");
}

TEST(CheckTarget, FindsOutBeforeAnythingIsMade) {
  const std::optional<MountSpec> mount = MountSpec{.directory = "/data"};
  auto instance = sample::running_instance();
  EXPECT_TRUE(check_target(instance, "us-east-1a", mount).has_value());
  EXPECT_FALSE(check_target(instance, "us-east-1b", mount).has_value());
  instance.state = InstanceState::stopped;
  EXPECT_FALSE(check_target(instance, "us-east-1a", mount).has_value());
  EXPECT_TRUE(check_target(instance, "us-east-1a", std::nullopt).has_value());
  instance.state = InstanceState::terminated;
  EXPECT_FALSE(check_target(instance, "us-east-1a", std::nullopt).has_value());
}

}  // namespace
}  // namespace runctl::volume
