#include "transfer/cleanup_plan.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace runctl::transfer {
namespace {

using Numbers = std::vector<std::uint64_t>;

TEST(ReadCheckpointName, ReadsWhatTrainersWrite) {
  struct Case {
    std::string path, name, series;
    Numbers numbers;
  };
  for (const Case& c : std::vector<Case>{
           {"epoch_5.pt", "epoch_5", "epoch*", {5}},
           {"model_epoch_05.pt", "model_epoch_05", "model_epoch*", {5}},
           {"checkpoint-500/optimizer.pt", "checkpoint-500/", "checkpoint*", {500}},
           {"run/checkpoint-500/a/b", "run/checkpoint-500/", "run/checkpoint*", {500}},
           {"epoch=3-step=1200.ckpt", "epoch=3-step=1200", "epoch*step*", {3, 1200}},
           {"epoch=3-val_loss=0.25.ckpt", "epoch=3", "epoch*", {3}},
           {"model.ckpt-1000.index", "model.ckpt-1000", "model.ckpt*", {1000}},
           {"global_step800/zero_pp_rank_0.pt", "global_step800/", "global_step*", {800}},
           {"Epoch12/x", "Epoch12/", "epoch*", {12}},
           {"ITER_7.npz", "ITER_7", "iter*", {7}},
           {"checkpoint-500/latest", "checkpoint-500/", "checkpoint*", {500}},
           {"digits/iteration-7.npz", "digits/iteration-7", "digits/iteration*", {7}}}) {
    const auto found = read_checkpoint_name(c.path);
    ASSERT_TRUE(found.has_value()) << c.path;
    EXPECT_EQ(found->name, c.name) << c.path;
    EXPECT_EQ(found->series, c.series) << c.path;
    EXPECT_EQ(found->numbers, c.numbers) << c.path;
  }
}

TEST(ReadCheckpointName, WhatIsNobodysToNumberIsNoCheckpoint) {
  for (const char* path : {"best.pt",
                           "best_epoch_5.pt",
                           "epoch_5_best.pt",
                           "checkpoint-last/x",
                           "final-step-9",
                           "model.pt",
                           "config.json",
                           "timestep.txt",
                           "steps/a",
                           "epoch",
                           "epoch_/x",
                           "restep5",
                           "v5/data",
                           "5.pt",
                           "",
                           "step_1700000000123456789.pt",
                           "events.out.1700000000",
                           "best/epoch_3.pt",
                           "run/best_model/checkpoint-3/x.pt",
                           "checkpoint-500/best.pt",
                           "checkpoint-500/model-final/x",
                           "checkpoint-500/latest/x.pt",
                           "checkpoint-500/Last.ckpt",
                           "latest"}) {
    EXPECT_FALSE(read_checkpoint_name(path).has_value()) << path;
  }
}

CheckpointObject object(std::string name, std::int64_t second, std::uint64_t size = 100) {
  return {
      .name = std::move(name), .size = size, .modified = Timestamp{std::chrono::seconds{second}}};
}

std::vector<std::string> names(const std::vector<Checkpoint>& checkpoints) {
  std::vector<std::string> out;
  for (const Checkpoint& one : checkpoints) out.push_back(one.name.name);
  return out;
}

using Names = std::vector<std::string>;

TEST(PlanCleanup, KeepsTheLastOfEachSeriesByNumberNotByName) {
  const auto plan =
      plan_cleanup({object("epoch_9.pt", 9), object("epoch_10.pt", 10), object("epoch_8.pt", 8),
                    object("other/step_1", 1), object("other/step_2", 2), object("config.json", 1)},
                   1);
  EXPECT_EQ(names(plan.keep), (Names{"epoch_10", "other/step_2"}));
  EXPECT_EQ(names(plan.remove), (Names{"epoch_9", "epoch_8", "other/step_1"}));
  EXPECT_EQ(plan.other_objects, 1U);
}

TEST(PlanCleanup, ACheckpointIsAllItsObjects) {
  const auto plan = plan_cleanup({object("checkpoint-1/a", 1), object("checkpoint-1/b", 1),
                                  object("checkpoint-2/a", 2), object("checkpoint-2/b", 2)},
                                 1);
  ASSERT_EQ(plan.remove.size(), 1U);
  EXPECT_EQ(plan.remove[0].objects.size(), 2U);
  EXPECT_EQ(plan.remove[0].bytes, 200U);
}

TEST(PlanCleanup, ATrainingThatWasBegunAnewKeepsWhatIsNewByNumberAndByTime) {
  const auto plan =
      plan_cleanup({object("epoch_50.pt", 50), object("epoch_49.pt", 49), object("epoch_48.pt", 48),
                    object("epoch_1.pt", 101), object("epoch_2.pt", 102)},
                   1);
  EXPECT_EQ(names(plan.keep), (Names{"epoch_50", "epoch_2"}));
}

TEST(PlanCleanup, WhatIsTornDoesNotCountAndTheNewestGoodOneStays) {
  const auto plan =
      plan_cleanup({object("epoch_1.pt", 1), object("epoch_2.pt", 2), object("epoch_3.pt", 3),
                    object("epoch_4.pt", 4, 10), object("epoch_5.pt", 5, 0)},
                   1);
  EXPECT_EQ(names(plan.keep), (Names{"epoch_5", "epoch_4", "epoch_3"}));
  EXPECT_EQ(plan.keep[0].doubt, "it is empty");
  EXPECT_EQ(plan.keep[1].doubt, "it is less than half as large as the others");
  EXPECT_EQ(names(plan.remove), (Names{"epoch_2", "epoch_1"}));
}

TEST(PlanCleanup, ACheckpointThatLacksFilesDoesNotCount) {
  const auto plan =
      plan_cleanup({object("step_1/a", 1), object("step_1/b", 1), object("step_2/a", 2),
                    object("step_2/b", 2), object("step_3/a", 3)},
                   1);
  EXPECT_EQ(names(plan.keep), (Names{"step_3/", "step_2/"}));
  EXPECT_EQ(plan.keep[0].doubt, "it has fewer files than the others");
}

TEST(PlanCleanup, WhatCameUpInOneSecondGoesByNumber) {
  const auto plan =
      plan_cleanup({object("step_1", 5), object("step_2", 5), object("step_3", 5)}, 2);
  EXPECT_EQ(names(plan.keep), (Names{"step_3", "step_2"}));
}

RC_GTEST_PROP(PlanCleanup, NeverTakesTheNewestGoodOneByAnyMeasure, ()) {
  struct Drawn {
    std::uint64_t number, size;
    std::int64_t second;
  };
  const auto count = *rc::gen::inRange<std::size_t>(1, 12);
  const auto keep = *rc::gen::inRange<std::uint64_t>(1, 5);
  std::vector<CheckpointObject> objects;
  for (std::size_t i = 0; i < count; ++i) {
    objects.push_back(object("epoch_" + std::to_string(*rc::gen::inRange(0, 30)),
                             *rc::gen::inRange<std::int64_t>(0, 8),
                             *rc::gen::element(0U, 10U, 100U, 100U)));
  }
  const auto plan = plan_cleanup(objects, keep);
  std::size_t good_kept = 0;
  for (const Checkpoint& kept : plan.keep) good_kept += kept.doubt.empty() ? 1U : 0U;
  for (const Checkpoint& gone : plan.remove) {
    RC_ASSERT(good_kept >= keep);
    std::size_t higher = 0;
    std::size_t not_older = 0;
    for (const Checkpoint& kept : plan.keep) {
      if (!kept.doubt.empty()) continue;
      higher += kept.name.numbers > gone.name.numbers ? 1U : 0U;
      not_older += kept.newest >= gone.newest ? 1U : 0U;
    }
    RC_ASSERT(higher >= keep);
    RC_ASSERT(not_older >= keep);
  }
}

}  // namespace
}  // namespace runctl::transfer
