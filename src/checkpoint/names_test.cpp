#include "checkpoint/names.hpp"

#include <gtest/gtest.h>

#include "base/json.hpp"

namespace runctl::checkpoint {
namespace {

using Metrics = std::map<std::string, double, std::less<>>;

struct Row {
  std::string_view name;
  Facts facts;
};

TEST(FactsOfName, reads_what_people_write) {
  const std::vector<Row> rows{
      {"epoch_12.pt", {.epoch = 12}},
      {"epoch-0007.npz", {.epoch = 7}},
      {"checkpoint-500", {.step = 500}},
      {"checkpoint_epoch_3.pth", {.epoch = 3}},
      {"ckpt-1200.ckpt", {.step = 1200}},
      {"global_step800", {.step = 800}},
      {"iter_0001000.pth", {.step = 1000}},
      {"step=1000-val_loss=0.23.ckpt", {.step = 1000, .metrics = {{"val_loss", 0.23}}}},
      {"epoch=3-step=1200.ckpt", {.epoch = 3, .step = 1200}},
      {"epoch=07-val_loss=0.23.ckpt", {.epoch = 7, .metrics = {{"val_loss", 0.23}}}},
      {"epoch=3_val_loss=1.5e-03.ckpt", {.epoch = 3, .metrics = {{"val_loss", 0.0015}}}},
      {"epoch=3-reward=-2.5.pt", {.epoch = 3, .metrics = {{"reward", -2.5}}}},
      {"model_epoch5_loss0.25.h5", {.epoch = 5, .metrics = {{"model_loss", 0.25}}}},
      {"weights.05-0.32.hdf5", {}},
      {"model.pt", {}},
      {"resnet50.pt", {}},
      {"llama-7b-v1.5.bin", {}},
      {"", {}},
  };
  for (const Row& row : rows) {
    Facts expected = row.facts;
    if (row.name == "model_epoch5_loss0.25.h5") expected.metrics = Metrics{{"loss", 0.25}};
    const Facts facts = facts_of_name(row.name);
    EXPECT_EQ(facts.epoch, expected.epoch) << row.name;
    EXPECT_EQ(facts.step, expected.step) << row.name;
    EXPECT_EQ(facts.metrics, expected.metrics) << row.name;
  }
}

TEST(FactsOfName, is_not_fooled_by_long_numbers) {
  EXPECT_EQ(facts_of_name("epoch_99999999999999999999999999.pt").epoch, std::nullopt);
  EXPECT_EQ(facts_of_name("step_" + std::string(400, '9')).step, std::nullopt);
}

TEST(Names, of_what_is_unfinished) {
  for (const std::string_view name :
       {".writing-ab12", "tmp-checkpoint-500", "epoch_5.pt.tmp", "x.part", ".x.tmp.123",
        ".runctl-removing-checkpoint-5", "a~"}) {
    EXPECT_TRUE(is_unfinished_name(name)) << name;
  }
  for (const std::string_view name : {"epoch_5.pt", "template.pt", "checkpoint-500", "tmpfs.npz"}) {
    EXPECT_FALSE(is_unfinished_name(name)) << name;
  }
}

TEST(Names, of_what_stands_for_its_place) {
  for (const std::string_view name :
       {"best.pt", "model_best.pth", "last.ckpt", "latest", "model-final.h5"}) {
    EXPECT_TRUE(is_named_for_its_place(name)) << name;
  }
  EXPECT_FALSE(is_named_for_its_place("lastly_5.pt"));
}

TEST(FactsOfDocument, takes_the_last_of_a_history) {
  const auto document =
      parse_json(R"({"epoch": 2.5, "global_step": 500, "best_metric": null, "log_history": [
      {"loss": 0.9, "step": 100}, {"eval_loss": 0.7, "step": 100}, {"loss": 0.4, "step": 500}]})");
  ASSERT_TRUE(document);
  const Facts facts = facts_of(*document);
  EXPECT_EQ(facts.epoch, 2.5);
  EXPECT_EQ(facts.step, 500);
  EXPECT_EQ(facts.metrics, (Metrics{{"loss", 0.4}, {"eval_loss", 0.7}}));
}

TEST(Note, passes_over_what_is_no_number_of_a_training) {
  Facts facts;
  note(facts, "epoch", -1);
  note(facts, "step", 1.5);
  note(facts, "loss", std::numeric_limits<double>::quiet_NaN());
  note(facts, "a\nb", 1);
  EXPECT_EQ(facts, Facts{});
  for (std::size_t i = 0; i < 1000; ++i) note(facts, "m" + std::to_string(i), 1);
  EXPECT_EQ(facts.metrics.size(), most_metrics);
}

}  // namespace
}  // namespace runctl::checkpoint
