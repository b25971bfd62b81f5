#include "journal/journal.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "io/file.hpp"
#include "io/scratch_directory.hpp"

namespace runctl::journal {
namespace {

Timestamp at(int seconds) { return Timestamp{std::chrono::seconds{seconds}}; }

Operation sample(std::string id) {
  return {
      .id = std::move(id),
      .kind = "attach",
      .place = "us-east-1 at https://ec2.us-east-1.amazonaws.com",
      .subjects = {"vol-1", "i-1"},
      .plan = R"({"mount":"/data"})",
      .owner = this_process(),
      .begun = at(100),
      .steps = {{.action = "AttachVolume", .request = R"({"VolumeId":"vol-1"})", .sent = at(101)}}};
}

class JournalTest : public testing::Test {
 protected:
  [[nodiscard]] std::unique_ptr<Journal> open() { return Journal::open(path_).value(); }

  ScratchDirectory scratch_;
  std::filesystem::path path_ = scratch_.path() / "deep" / "operations.db";
};

TEST_F(JournalTest, KeepsWhatWasWrittenForTheNextProcess) {
  ASSERT_TRUE(open()->write(sample("op-1")).has_value());
  const Operation read = open()->find("op-1").value();
  EXPECT_EQ(read.kind, "attach");
  EXPECT_EQ(read.subjects, (std::vector<std::string>{"vol-1", "i-1"}));
  EXPECT_EQ(read.plan, R"({"mount":"/data"})");
  EXPECT_EQ(read.owner.pid, getpid());
  EXPECT_EQ(read.begun, at(100));
  EXPECT_EQ(read.state, State::open);
  EXPECT_FALSE(read.ended.has_value());
  ASSERT_EQ(read.steps.size(), 1U);
  EXPECT_EQ(read.steps[0].action, "AttachVolume");
  EXPECT_EQ(read.steps[0].request, R"({"VolumeId":"vol-1"})");
  EXPECT_EQ(read.steps[0].sent, at(101));
  EXPECT_EQ(read.steps[0].outcome, Outcome::pending);
}

TEST_F(JournalTest, ALaterStateReplacesTheEarlierOne) {
  const auto journal = open();
  Operation operation = sample("op-1");
  ASSERT_TRUE(journal->write(operation).has_value());
  operation.steps[0].outcome = Outcome::applied;
  operation.steps[0].answer = "attached";
  operation.steps.push_back({.action = "machine:mount", .request = "{}", .sent = at(102)});
  operation.state = State::done;
  operation.ended = at(103);
  ASSERT_TRUE(journal->write(operation).has_value());
  const Operation read = journal->find("op-1").value();
  EXPECT_EQ(read.state, State::done);
  EXPECT_EQ(read.ended, at(103));
  ASSERT_EQ(read.steps.size(), 2U);
  EXPECT_EQ(read.steps[0].outcome, Outcome::applied);
  EXPECT_EQ(read.steps[0].answer, "attached");
  EXPECT_EQ(journal->list({.place = operation.place}).value().size(), 1U);
}

TEST_F(JournalTest, IsAskedByPlaceSubjectAndState) {
  const auto journal = open();
  Operation done = sample("op-done");
  done.state = State::done;
  Operation elsewhere = sample("op-elsewhere");
  elsewhere.place = "eu-west-1 at https://ec2.eu-west-1.amazonaws.com";
  Operation other = sample("op-other");
  other.subjects = {"vol-12"};
  other.begun = at(200);
  for (const Operation& each : {sample("op-open"), done, elsewhere, other}) {
    ASSERT_TRUE(journal->write(each).has_value());
  }
  const std::string place = done.place;
  const auto ids = [&](Journal::Query query) {
    query.place = place;
    std::vector<std::string> found;
    const auto operations = journal->list(query).value();
    for (const Operation& operation : operations) found.push_back(operation.id);
    return found;
  };
  using Ids = std::vector<std::string>;
  EXPECT_EQ(ids({}), (Ids{"op-other", "op-done", "op-open"})) << "the newest first";
  EXPECT_EQ(ids({.only_open = true}), (Ids{"op-other", "op-open"}));
  EXPECT_EQ(ids({.subject = "vol-1"}), (Ids{"op-done", "op-open"})) << "vol-12 is another volume";
  EXPECT_EQ(ids({.subject = "vol-1", .only_open = true}), (Ids{"op-open"}));
  EXPECT_EQ(ids({.limit = 1}), (Ids{"op-other"}));
}

TEST_F(JournalTest, AnOperationIsFoundByABeginningThatNoOtherHas) {
  const auto journal = open();
  for (const char* const id : {"op-1a", "op-1b", "op-1"}) {
    ASSERT_TRUE(journal->write(sample(id)).has_value());
  }
  EXPECT_EQ(journal->find("op-1a").value().id, "op-1a");
  EXPECT_EQ(journal->find("op-1").value().id, "op-1") << "a whole id is no beginning";
  const auto several = journal->find("op-");
  ASSERT_FALSE(several.has_value());
  EXPECT_EQ(several.error().code, Errc::conflict);
  EXPECT_EQ(journal->find("op-2").error().code, Errc::not_found);
  EXPECT_EQ(journal->find("op-%").error().code, Errc::not_found) << "no pattern";
}

TEST_F(JournalTest, NobodyElseMayReadIt) {
  ASSERT_TRUE(open()->write(sample("op-1")).has_value());
  struct stat facts{};
  ASSERT_EQ(stat(path_.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
}

TEST_F(JournalTest, AFileThatIsNotOursIsLeftAlone) {
  std::filesystem::create_directories(path_.parent_path());
  const std::string theirs = "not a database at all, but somebody's notes, which are long enough";
  ASSERT_TRUE(write_file_atomically(path_, theirs).has_value());
  const auto opened = Journal::open(path_);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Errc::corrupt);
  EXPECT_EQ(read_file(path_).value(), theirs);
}

TEST_F(JournalTest, AskingMakesNoFile) {
  EXPECT_EQ(Journal::open_existing(path_).value(), nullptr);
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST(OwnerTest, AProcessIsToldFromALaterOneOfTheSameNumber) {
  Owner owner = this_process();
  EXPECT_EQ(life_of(owner), Life::running);
  owner.start += 1;
  EXPECT_EQ(life_of(owner), Life::gone);
  owner = this_process();
  owner.boot = "before the last reboot";
  EXPECT_EQ(life_of(owner), Life::gone);
  owner = this_process();
  owner.host = "another machine that shares this home";
  EXPECT_EQ(life_of(owner), Life::elsewhere);
}

}  // namespace
}  // namespace runctl::journal
