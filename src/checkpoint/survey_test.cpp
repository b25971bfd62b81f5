#include "checkpoint/survey.hpp"

#include <filesystem>
#include <fstream>
#include <sys/stat.h>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "checkpoint/fixtures.hpp"
#include "checkpoint/local_place.hpp"
#include "checkpoint/newest.hpp"
#include "io/scratch_directory.hpp"

namespace runctl::checkpoint {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Survey : public testing::Test {
 protected:
  void put(const std::string& name, const std::string& bytes, int seconds = 1'000) {
    const auto path = scratch_.path() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream{path, std::ios::binary} << bytes;
    ASSERT_TRUE(set_modified(path, FileTimestamp{std::chrono::seconds{seconds}}));
  }

  std::unique_ptr<Place> place(const std::string& below = "") {
    auto opened = open_local_place(scratch_.path() / below);
    EXPECT_TRUE(opened);
    return *std::move(opened);
  }

  std::vector<Checkpoint> all(const std::string& below = "", Depth depth = Depth::contents) {
    auto found = survey(*place(below), depth);
    EXPECT_TRUE(found);
    return found->checkpoints;
  }

  std::string newest(Trust trust = Trust::known_formats) {
    const auto found = find_newest(*place(), trust);
    EXPECT_TRUE(found);
    skipped_ = found->skipped;
    by_ = found->by;
    written_later_ = found->written_later;
    return found->checkpoint ? found->checkpoint->name : "none";
  }

  ScratchDirectory scratch_;
  std::vector<Skipped> skipped_;
  OrderBy by_ = OrderBy::time;
  std::string written_later_;
};

std::vector<std::string> names_of(const std::vector<Checkpoint>& all) {
  std::vector<std::string> names;
  for (const Checkpoint& one : all) names.push_back(one.name);
  return names;
}

const std::string good = zip_of({{"a", "content"}});
std::string damaged_zip() {
  std::string bytes = good;
  bytes[bytes.find("content")] = 'C';
  return bytes;
}

TEST_F(Survey, tells_checkpoints_from_other_files) {
  put("epoch_1.pt", good);
  put("epoch_1.json", R"({"val_loss": 0.5})");
  put("model_without_extension_step_7", good);
  put("checkpoint-500/model.safetensors", safetensors_of("{}", ""));
  put("checkpoint-500/deep/er/optimizer.pt", good);
  put("logs/epoch_1.txt", "x");
  put("train_step_5.log", "x");
  put("notes.md", "x");
  put("events/data.csv", "x");
  put(".writing-abc", "half");
  const auto found = survey(*place(), Depth::contents);
  ASSERT_TRUE(found);
  EXPECT_THAT(names_of(found->checkpoints),
              ElementsAre(".writing-abc", "checkpoint-500", "epoch_1.pt",
                          "model_without_extension_step_7"));
  EXPECT_EQ(found->other_files, 4);
  EXPECT_TRUE(found->checkpoints[0].is_unfinished);
  EXPECT_EQ(found->checkpoints[1].files.size(), 2);
  EXPECT_EQ(found->checkpoints[2].finding.facts.metrics.at("val_loss"), 0.5);
  EXPECT_EQ(found->checkpoints[2].finding.facts.epoch, 1);
}

TEST_F(Survey, takes_a_named_folder_or_file_for_one_checkpoint) {
  put("checkpoint-500/model.pt", good);
  put("checkpoint-500/trainer_state.json",
      R"({"epoch": 2.5, "global_step": 500, "log_history": [{"loss": NaN}]})");
  const auto folder = all("checkpoint-500");
  ASSERT_EQ(folder.size(), 1);
  EXPECT_EQ(folder[0].finding.facts.epoch, 2.5);
  EXPECT_EQ(folder[0].finding.facts.step, 500);
  EXPECT_EQ(folder[0].finding.verdict, Verdict::sound) << folder[0].finding.why;
  put("whatever", good);
  put("whatever.json", R"({"epoch": 3})");
  const auto file = all("whatever");
  ASSERT_EQ(file.size(), 1);
  EXPECT_EQ(file[0].finding.facts.epoch, 3);
  EXPECT_EQ(file[0].finding.verdict, Verdict::sound);
}

TEST_F(Survey, finds_what_is_torn_in_a_folder) {
  put("checkpoint-1/model.pt", good);
  put("checkpoint-1/optimizer.pt", good.substr(0, good.size() / 2));
  put("checkpoint-2/model.safetensors.index.json",
      R"({"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}})");
  put("checkpoint-2/model-00001-of-00002.safetensors", safetensors_of("{}", ""));
  put("checkpoint-3/model-00001-of-00002.safetensors", safetensors_of("{}", ""));
  put("checkpoint-4/model.pt", good);
  put("checkpoint-4/trainer_state.json", R"({"epoch": 2.5, "glob)");
  put("checkpoint-5/model.pt", good);
  put("checkpoint-5/config.json", "");
  put("checkpoint-6/tokenizer.json", "{}");
  put("checkpoint-7/model.pt", good);
  put("checkpoint-7/model.gguf", "what nobody knows");
  put("checkpoint-8/.model.pt.tmp", "half");
  const auto found = all();
  ASSERT_EQ(found.size(), 8);
  EXPECT_THAT(found[0].finding.why, HasSubstr("optimizer.pt"));
  EXPECT_THAT(found[1].finding.why,
              HasSubstr("model-00002-of-00002.safetensors: its index names it"));
  EXPECT_THAT(found[2].finding.why, HasSubstr("of the 2 files"));
  EXPECT_THAT(found[3].finding.why, HasSubstr("trainer_state.json"));
  EXPECT_THAT(found[4].finding.why, HasSubstr("config.json: it is empty"));
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(found[i].finding.verdict, Verdict::damaged) << i;
  EXPECT_EQ(found[5].finding.verdict, Verdict::unknown);
  EXPECT_EQ(found[6].finding.verdict, Verdict::complete);
  EXPECT_EQ(found[7].finding.verdict, Verdict::damaged);
}

// Hugging Face's Trainer writes in place, and this last: killed before, the folder has only sound
// files.
TEST_F(Survey, a_folder_of_trainer_is_whole_with_its_last_file) {
  for (const char* folder : {"checkpoint-500", "checkpoint-1000", "checkpoint-1500"}) {
    put(fmt::format("{}/model.safetensors", folder), safetensors_of("{}", ""));
    put(fmt::format("{}/training_args.bin", folder), good);
  }
  put("checkpoint-1000/trainer_state.json", "{}");
  EXPECT_EQ(newest(), "checkpoint-1000");
  put("my-epoch-1/model.safetensors", safetensors_of("{}", ""));
  put("my-epoch-1/training_args.bin", good);  // as save_model() leaves it, which writes no state
  const auto found = all();
  ASSERT_THAT(names_of(found),
              ElementsAre("checkpoint-1000", "checkpoint-1500", "checkpoint-500", "my-epoch-1"));
  EXPECT_EQ(found[0].finding.verdict, Verdict::complete) << found[0].finding.why;
  for (const std::size_t half : {1U, 2U}) {
    EXPECT_EQ(found[half].finding.verdict, Verdict::damaged);
    EXPECT_EQ(found[half].finding.why,
              "trainer_state.json is missing, which its writer writes last");
  }
  EXPECT_EQ(found[3].finding.verdict, Verdict::complete) << found[3].finding.why;
  // By its own name as well.
  EXPECT_EQ(all("checkpoint-500")[0].finding.verdict, Verdict::damaged);
}

TEST_F(Survey, a_folder_is_whole_with_what_all_older_ones_have) {
  for (const char* folder : {"step_10", "step_9", "step_11"}) {
    put(fmt::format("{}/model.pt", folder), good);
    put(fmt::format("{0}/global_{0}/rank_0.pt", folder), good);
  }
  put("step_9/optimizer.pt", good);
  put("step_10/optimizer.pt", good);
  put("step_10/only_here.pt", good);
  put("step_8/model.pt", "");  // no example
  EXPECT_EQ(newest(), "step_10");
  ASSERT_EQ(skipped_.size(), 1);
  EXPECT_EQ(skipped_[0].name, "step_11");
  EXPECT_EQ(skipped_[0].why, "optimizer.pt is missing, which all older ones of its series have");
  // Read to its end it is no better.
  EXPECT_EQ(all("", Depth::contents)[1].finding.verdict, Verdict::damaged);
  // A training that leaves it out from there on has other ways by the next one.
  put("step_12/model.pt", good);
  put("step_12/global_step_12/rank_0.pt", good);
  EXPECT_EQ(newest(), "step_12");
}

TEST_F(Survey, puts_tensorflow_s_files_together) {
  put("model.ckpt-5.index", "x");
  put("model.ckpt-5.data-00000-of-00001", "x");
  put("model.ckpt-6.index", "x");
  put("model.ckpt-6.data-00000-of-00002", "x");
  const auto found = all();
  ASSERT_THAT(names_of(found), ElementsAre("model.ckpt-5", "model.ckpt-6"));
  EXPECT_EQ(found[0].finding.verdict, Verdict::unknown);
  EXPECT_EQ(found[1].finding.verdict, Verdict::damaged);
}

TEST_F(Survey, sees_that_two_names_lead_to_one_file) {
  put("epoch_1.pt", good);
  put("epoch_2.pt", good);
  std::filesystem::create_symlink("epoch_2.pt", scratch_.path() / "last.pt");
  const auto found = all();
  ASSERT_THAT(names_of(found), ElementsAre("epoch_1.pt", "epoch_2.pt", "last.pt"));
  EXPECT_FALSE(found[0].is_linked);
  EXPECT_TRUE(found[1].is_linked);
  EXPECT_TRUE(found[2].is_linked);
}

TEST_F(Survey, removes_a_folder_and_not_what_its_links_name) {
  put("checkpoint-1/model.pt", good);
  put("elsewhere/weights.bin", good);
  std::filesystem::create_symlink("../elsewhere/weights.bin",
                                  scratch_.path() / "checkpoint-1/linked.bin");
  ASSERT_TRUE(place()->remove("checkpoint-1", {}));
  EXPECT_FALSE(std::filesystem::exists(scratch_.path() / "checkpoint-1"));
  EXPECT_TRUE(std::filesystem::exists(scratch_.path() / "elsewhere/weights.bin"));
}

TEST_F(Survey, goes_on_from_the_highest_step) {
  put("checkpoint-500.pt", good, 30);
  put("checkpoint-1500.pt", good, 20);
  put("checkpoint-1000.pt", good, 10);
  EXPECT_EQ(newest(), "checkpoint-1500.pt");
  EXPECT_EQ(by_, OrderBy::step);
  EXPECT_EQ(written_later_, "checkpoint-500.pt");
}

TEST_F(Survey, goes_on_from_the_last_written_where_one_says_no_number) {
  put("epoch_9.pt", good, 10);
  put("last.pt", good, 20);
  put("epoch_8.pt", good, 15);
  EXPECT_EQ(newest(), "last.pt");
  EXPECT_EQ(by_, OrderBy::time);
  put("last.pt", good, 12);
  EXPECT_EQ(newest(), "epoch_8.pt");
}

TEST_F(Survey, is_not_led_astray_by_names_that_say_nothing_of_when) {
  // What examples/digits writes at its end; a copy of the best.
  put("epoch_9.pt", good, 10);
  put("model.pt", good, 20);
  put("best.pt", good, 30);
  EXPECT_EQ(newest(), "epoch_9.pt");
  EXPECT_EQ(by_, OrderBy::epoch);
  EXPECT_EQ(written_later_, "best.pt");
}

TEST_F(Survey, goes_by_time_where_none_says_a_number) {
  put("a.pt", good, 20);
  put("b.pt", good, 10);
  EXPECT_EQ(newest(), "a.pt");
  EXPECT_EQ(by_, OrderBy::time);
}

TEST_F(Survey, passes_over_what_is_torn) {
  put("epoch_1.pt", good);
  put("epoch_2.pt", good);
  put("epoch_3.pt", damaged_zip());
  put("epoch_4.pt", good.substr(0, 40));
  put("epoch_5.pt", "");
  put("epoch_0.pt", "");
  put(".writing-6", good, 2'000);
  EXPECT_EQ(newest(), "epoch_2.pt");
  EXPECT_EQ(by_, OrderBy::epoch);
  ASSERT_EQ(skipped_.size(), 4);
  EXPECT_THAT(skipped_[0].name + skipped_[1].name + skipped_[2].name + skipped_[3].name,
              testing::AllOf(HasSubstr("epoch_3"), HasSubstr("epoch_4"), HasSubstr("epoch_5"),
                             HasSubstr(".writing-6")));
}

TEST_F(Survey, a_torn_one_without_a_number_does_not_decide_the_order) {
  put("epoch_2.pt", good, 10);
  put("epoch_1.pt", good, 20);
  put("last.pt", "", 30);
  EXPECT_EQ(newest(), "epoch_2.pt");
}

TEST_F(Survey, goes_on_from_nothing_when_all_are_torn) {
  put("epoch_1.pt", "");
  put("epoch_2.pt", damaged_zip());
  EXPECT_EQ(newest(), "none");
  EXPECT_EQ(skipped_.size(), 2);
}

TEST_F(Survey, takes_what_cannot_be_checked_only_when_asked) {
  put("epoch_1.pt", good);
  put("epoch_2.bin", "weights of mine");
  EXPECT_EQ(newest(), "epoch_1.pt");
  ASSERT_EQ(skipped_.size(), 1);
  EXPECT_EQ(skipped_[0].name, "epoch_2.bin");
  EXPECT_EQ(newest(Trust::any_format), "epoch_2.bin");
}

TEST_F(Survey, does_not_wait_for_what_is_no_file) {
  ASSERT_EQ(::mkfifo((scratch_.path() / "epoch_3.pt").c_str(), 0600), 0);
  put("epoch_2.pt", good);
  EXPECT_EQ(newest(), "epoch_2.pt");
}

}  // namespace
}  // namespace runctl::checkpoint
