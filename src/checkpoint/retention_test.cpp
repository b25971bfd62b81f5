#include "checkpoint/retention.hpp"

#include <gmock/gmock.h>

namespace runctl::checkpoint {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A good one of the series epoch_*, written in the order of its number.
Checkpoint one(std::uint64_t epoch, Verdict verdict = Verdict::sound) {
  Checkpoint checkpoint;
  checkpoint.name = "epoch_" + std::to_string(epoch) + ".pt";
  checkpoint.series = "epoch_*.pt";
  checkpoint.numbers = {epoch};
  checkpoint.written = FileTimestamp{std::chrono::seconds{1'000 + epoch}};
  checkpoint.finding.verdict = verdict;
  checkpoint.finding.facts.epoch = static_cast<double>(epoch);
  return checkpoint;
}

std::vector<std::string> going(const std::vector<Checkpoint>& all, const Policy& policy) {
  std::vector<std::string> names;
  for (const Decision& decision : plan_retention(all, policy)) {
    if (decision.goes) names.push_back(all[decision.index].name);
  }
  return names;
}

TEST(Retention, keeps_the_last_of_each_series) {
  std::vector<Checkpoint> all{one(1), one(2), one(3), one(4)};
  EXPECT_THAT(going(all, {.keep_last = 2}), ElementsAre("epoch_1.pt", "epoch_2.pt"));
  for (std::uint64_t i = 1; i <= 4; ++i) {
    all.push_back(one(i));
    all.back().series = "generator_epoch_*.pt";
    all.back().name = "generator_" + all.back().name;
  }
  EXPECT_EQ(going(all, {.keep_last = 3}).size(), 2);
}

TEST(Retention, never_counts_a_damaged_one_as_kept) {
  const std::vector<Checkpoint> all{one(1), one(2), one(3, Verdict::damaged),
                                    one(4, Verdict::damaged)};
  EXPECT_THAT(going(all, {.keep_last = 1}), ElementsAre("epoch_1.pt"));
  EXPECT_THAT(going(all, {.keep_last = 2}), IsEmpty());
}

TEST(Retention, removes_a_damaged_one_that_good_ones_have_followed) {
  const std::vector<Checkpoint> all{one(1, Verdict::damaged), one(2), one(3)};
  EXPECT_THAT(going(all, {.keep_last = 2}), ElementsAre("epoch_1.pt"));
}

TEST(Retention, keeps_the_last_good_one_whatever_else_there_is) {
  EXPECT_THAT(going({one(1)}, {.keep_last = 1}), IsEmpty());
  EXPECT_THAT(going({one(1), one(2, Verdict::damaged)}, {.keep_last = 1}), IsEmpty());
  // A training begun anew in the same folder: what was written last has the lower number.
  std::vector<Checkpoint> all{one(8), one(9), one(1)};
  all[2].written = FileTimestamp{std::chrono::seconds{5'000}};
  EXPECT_THAT(going(all, {.keep_last = 1}), ElementsAre("epoch_8.pt"));
  EXPECT_THAT(going(all, {.keep_last = 2}), IsEmpty());
}

TEST(Retention, touches_nothing_that_it_does_not_know) {
  const std::vector<Checkpoint> newer{one(8), one(9)};
  const auto with = [&](auto change) {
    std::vector<Checkpoint> all = newer;
    all.push_back(one(1));
    change(all.back());
    return going(all, {.keep_last = 1});
  };
  EXPECT_THAT(with([](Checkpoint&) {}), ElementsAre("epoch_8.pt", "epoch_1.pt"));
  EXPECT_THAT(with([](Checkpoint& it) { it.finding.verdict = Verdict::unknown; }),
              ElementsAre("epoch_8.pt"));
  EXPECT_THAT(with([](Checkpoint& it) { it.is_unfinished = true; }), ElementsAre("epoch_8.pt"));
  EXPECT_THAT(with([](Checkpoint& it) { it.is_linked = true; }), ElementsAre("epoch_8.pt"));
  EXPECT_THAT(with([](Checkpoint& it) { it.name = "best_epoch_1.pt"; }), ElementsAre("epoch_8.pt"));
  EXPECT_THAT(with([](Checkpoint& it) { it.series.clear(); }), ElementsAre("epoch_8.pt"));
}

TEST(Retention, keeps_the_best_that_is_good) {
  std::vector<Checkpoint> all{one(1), one(2), one(3), one(4)};
  const std::array losses{0.2, 0.3, 0.1, 0.4};
  for (std::size_t i = 0; i < all.size(); ++i) all[i].finding.facts.metrics["loss"] = losses[i];
  EXPECT_THAT(going(all, {.keep_last = 1, .best = {{.metric = "loss", .best = Best::min}}}),
              ElementsAre("epoch_1.pt", "epoch_2.pt"));
  EXPECT_THAT(going(all, {.keep_last = 1, .best = {{.metric = "loss", .best = Best::max}}}),
              ElementsAre("epoch_1.pt", "epoch_2.pt", "epoch_3.pt"));
  all[2].finding.verdict = Verdict::damaged;
  EXPECT_THAT(going(all, {.keep_last = 1, .best = {{.metric = "loss", .best = Best::min}}}),
              ElementsAre("epoch_2.pt", "epoch_3.pt"));
}

TEST(Retention, keeps_every_nth) {
  std::vector<Checkpoint> all;
  for (std::uint64_t i = 1; i <= 7; ++i) all.push_back(one(i));
  EXPECT_THAT(going(all, {.keep_last = 1, .every = 3}),
              ElementsAre("epoch_1.pt", "epoch_2.pt", "epoch_4.pt", "epoch_5.pt"));
}

TEST(Retention, leans_on_what_must_be_read) {
  const std::vector<Checkpoint> all{one(1), one(2), one(3), one(4, Verdict::damaged)};
  const auto plan = plan_retention(all, {.keep_last = 1});
  EXPECT_TRUE(plan[2].is_leaned_on);
  EXPECT_FALSE(plan[3].is_leaned_on);
  EXPECT_FALSE(plan[0].is_leaned_on);
}

TEST(Retention, goes_on_with_a_removal_that_was_cut_off) {
  Checkpoint half = one(1);
  half.name = ".runctl-removing-checkpoint-1";
  half.is_folder = true;
  half.is_unfinished = true;
  EXPECT_THAT(going({half, one(2)}, {.keep_last = 1}), ElementsAre(half.name));
}

TEST(ParseBest, knows_which_side_is_better) {
  EXPECT_EQ(parse_best("val_loss")->best, Best::min);
  EXPECT_EQ(parse_best("eval/accuracy")->best, Best::max);
  EXPECT_EQ(parse_best("val_loss:max")->best, Best::max);
  EXPECT_EQ(parse_best("gloss:min")->metric, "gloss");
  EXPECT_FALSE(parse_best("gloss"));
  EXPECT_FALSE(parse_best("accuracy_loss"));
  EXPECT_FALSE(parse_best("loss:low"));
  EXPECT_FALSE(parse_best(""));
}

}  // namespace
}  // namespace runctl::checkpoint
