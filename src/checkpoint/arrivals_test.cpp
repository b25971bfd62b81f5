#include "checkpoint/arrivals.hpp"

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include <gmock/gmock.h>

#include "checkpoint/fixtures.hpp"
#include "checkpoint/local_place.hpp"
#include "io/scratch_directory.hpp"

namespace runctl::checkpoint {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CheckpointArrivals : public ::testing::Test {
 protected:
  void put(const std::string& name, const std::string& bytes, int at = 1'000) {
    const auto path = scratch_.path() / name;
    std::ofstream{path, std::ios::binary} << bytes;
    ASSERT_TRUE(set_modified(path, FileTimestamp{seconds{at}}));
  }
  // What is told at that second.
  std::vector<std::string> at(int second) {
    std::vector<std::string> told;
    const auto news = arrivals_.look(Arrivals::Time{seconds{second}});
    EXPECT_TRUE(news);
    if (!news) return told;
    for (const Checkpoint& one : *news)
      told.push_back(one.name + " " + std::string{name_of(one.finding.verdict)});
    return told;
  }
  void begin() { ASSERT_TRUE(arrivals_.begin(5, Arrivals::Time{})); }

  ScratchDirectory scratch_;
  std::unique_ptr<Place> place_ = open_local_place(scratch_.path()).value();
  Arrivals arrivals_{*place_};
  const std::string whole_ = zip_of({{.name = "a", .content = "content"}});
};

TEST_F(CheckpointArrivals, the_last_written_come_last) {
  put("epoch_1.zip", whole_, 30);
  put("epoch_2.zip", whole_, 20);
  put("epoch_3.zip", whole_.substr(0, 20), 40);
  const auto last = arrivals_.begin(2, Arrivals::Time{});
  ASSERT_TRUE(last);
  ASSERT_EQ(last->size(), 2U);
  EXPECT_EQ((*last)[0].name, "epoch_1.zip");
  EXPECT_EQ((*last)[0].finding.verdict, Verdict::sound);
  EXPECT_EQ((*last)[1].finding.verdict, Verdict::damaged);
}

TEST_F(CheckpointArrivals, one_is_told_once_it_is_whole_and_still) {
  put("epoch_1.zip", whole_);
  begin();
  EXPECT_THAT(at(1), IsEmpty());
  put("epoch_2.zip", whole_.substr(0, 30));
  EXPECT_THAT(at(2), IsEmpty());
  EXPECT_THAT(at(3), IsEmpty());  // torn, but it may be one that is being written
  put("epoch_2.zip", whole_, 1'001);
  EXPECT_THAT(at(4), IsEmpty());
  EXPECT_THAT(at(5), ElementsAre("epoch_2.zip sound"));
  EXPECT_THAT(at(6), IsEmpty());
}

TEST_F(CheckpointArrivals, a_torn_one_is_told_when_nobody_goes_on_with_it) {
  put("epoch_1.zip", whole_.substr(0, 30));
  begin();
  EXPECT_THAT(at(1), IsEmpty());
  EXPECT_THAT(at(14), IsEmpty());
  EXPECT_THAT(at(15), ElementsAre("epoch_1.zip damaged"));
  EXPECT_THAT(at(100), IsEmpty());
}

TEST_F(CheckpointArrivals, one_that_is_written_anew_is_told_again) {
  put("last.zip", whole_);
  begin();
  put("last.zip", zip_of({{.name = "a", .content = "another"}}), 1'001);
  EXPECT_THAT(at(1), IsEmpty());
  EXPECT_THAT(at(2), ElementsAre("last.zip sound"));
}

TEST_F(CheckpointArrivals, unfinished_names_are_not_told) {
  begin();
  put("epoch_1.zip.tmp", whole_);
  EXPECT_THAT(at(1), IsEmpty());
  EXPECT_THAT(at(2), IsEmpty());
  EXPECT_THAT(at(60), IsEmpty());
  std::filesystem::rename(scratch_.path() / "epoch_1.zip.tmp", scratch_.path() / "epoch_1.zip");
  EXPECT_THAT(at(61), IsEmpty());
  EXPECT_THAT(at(62), ElementsAre("epoch_1.zip sound"));
}

}  // namespace
}  // namespace runctl::checkpoint
