#include "io/git_repository.hpp"

#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/process.hpp"
#include "io/real_clock.hpp"
#include "io/scratch_directory.hpp"

namespace runctl {
namespace {

using ::testing::ElementsAre;

std::string shell(const std::filesystem::path& folder, const std::string& command) {
  RealProcess process;
  const RealClock clock;
  const auto outcome = process.run(
      {.argv = {"/bin/sh", "-c", "cd \"$0\" && " + command, folder.string()},
       .environment = {"PATH=/usr/bin:/bin", "HOME=" + folder.string(), "GIT_AUTHOR_NAME=a",
                       "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b",
                       "GIT_CONFIG_NOSYSTEM=1"}},
      clock.ticks() + std::chrono::seconds{30}, {});
  return outcome ? outcome->out : outcome.error().message;
}

class git_repository : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists("/usr/bin/git")) GTEST_SKIP() << "this machine has no git";
  }
  ScratchDirectory scratch_;
};

TEST_F(git_repository, tells_what_is_tracked_in_the_order_of_bytes) {
  shell(scratch_.path(), "git init -q . && mkdir b && touch b/z b.x 'ä' new && git add b b.x 'ä'");
  const auto facts = read_git(scratch_.path());
  ASSERT_TRUE(facts.has_value()) << facts.error().message;
  EXPECT_THAT(facts->tracked, ElementsAre("b.x", "b/z", "ä"));
  EXPECT_EQ(facts->head, "");
}

TEST_F(git_repository, tells_the_commit_and_submodules) {
  shell(scratch_.path(),
        "git init -q inner && cd inner && touch f && git add f && git commit -q -m x && cd .. && "
        "git init -q . && git -c protocol.file.allow=always submodule --quiet add ./inner inner && "
        "git commit -q -m y");
  const auto facts = read_git(scratch_.path());
  ASSERT_TRUE(facts.has_value()) << facts.error().message;
  EXPECT_THAT(facts->submodules, ElementsAre("inner"));
  EXPECT_EQ(facts->head + "\n", shell(scratch_.path(), "git rev-parse HEAD"));
}

TEST_F(git_repository, tells_where_more_rules_are) {
  shell(scratch_.path(), "git init -q . && git config core.excludesFile /elsewhere/ignored");
  const auto facts = read_git(scratch_.path());
  ASSERT_TRUE(facts.has_value()) << facts.error().message;
  EXPECT_THAT(facts->ignore_files,
              ElementsAre("/elsewhere/ignored", scratch_.path() / ".git/info/exclude"));
}

TEST_F(git_repository, a_worktree_shares_the_rules_of_its_repository) {
  shell(scratch_.path(),
        "git init -q main && cd main && touch f && git add f && git commit -q -m x && "
        "git worktree add -q ../other");
  const auto facts = read_git(scratch_.path() / "other");
  ASSERT_TRUE(facts.has_value()) << facts.error().message;
  EXPECT_THAT(facts->tracked, ElementsAre("f"));
  EXPECT_EQ(facts->ignore_files.back(), scratch_.path() / "main/.git/info/exclude");
}

TEST_F(git_repository, what_is_none_is_an_error) {
  const auto facts = read_git(scratch_.path());
  ASSERT_FALSE(facts.has_value());
  EXPECT_EQ(facts.error().code, Errc::corrupt);
}

}  // namespace
}  // namespace runctl
