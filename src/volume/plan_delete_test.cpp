#include "volume/plan_delete.hpp"

#include <vector>

#include <gtest/gtest.h>

#include "volume/sample_facts.hpp"

namespace runctl::volume {
namespace {

SnapshotFacts snapshot(SnapshotState state) {
  return {.id = sample::snapshot_id(),
          .volume = sample::volume_id(),
          .volume_size = GiB{8},
          .state = state};
}

TEST(PlanDelete, KnowsAnOnlyCopy) {
  EXPECT_TRUE(plan_delete(sample::free_volume(), {}).is_only_copy);
  const std::vector pending{snapshot(SnapshotState::pending), snapshot(SnapshotState::error)};
  EXPECT_TRUE(plan_delete(sample::free_volume(), pending).is_only_copy);
  const std::vector complete{snapshot(SnapshotState::completed)};
  EXPECT_FALSE(plan_delete(sample::free_volume(), complete).is_only_copy);
}

TEST(PlanDelete, RefusesWhatIsAttachedProtectedSealedOrManaged) {
  const std::vector complete{snapshot(SnapshotState::completed)};
  EXPECT_FALSE(plan_delete(sample::free_volume(), complete).refusal.has_value());
  EXPECT_TRUE(
      plan_delete(sample::held_volume_by(sample::instance_id()), complete).refusal.has_value());
  for (const auto& [key, value] :
       {std::pair{tag::is_protected, "true"}, std::pair{tag::mode, "sealed"},
        std::pair{tag::mode, "a mode of the future"}}) {
    auto volume = sample::free_volume();
    volume.tags.emplace(key, value);
    EXPECT_TRUE(plan_delete(volume, complete).refusal.has_value()) << key << "=" << value;
  }
  auto managed = sample::free_volume();
  managed.managed = true;
  EXPECT_TRUE(plan_delete(managed, complete).refusal.has_value());
}

TEST(PlanDelete, CallsADeletedVolumeDone) {
  auto volume = sample::free_volume();
  volume.state = VolumeState::deleting;
  EXPECT_TRUE(plan_delete(volume, {}).already_gone);
}

}  // namespace
}  // namespace runctl::volume
