#include "training/git_commit.hpp"

#include <cstdlib>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "io/scratch_directory.hpp"

namespace runctl::training {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view first = "0123456789abcdef0123456789abcdef01234567";
constexpr std::string_view second = "89abcdef0123456789abcdef0123456789abcdef";

class git_commit : public ::testing::Test {
 protected:
  void write(const fs::path& path, std::string_view text) {
    fs::create_directories((root() / path).parent_path());
    std::ofstream{root() / path} << text;
  }
  [[nodiscard]] fs::path root() const { return folder_.path(); }

 private:
  ScratchDirectory folder_;
};

TEST_F(git_commit, of_a_branch_from_a_folder_below_the_root) {
  write("repository/.git/HEAD", "ref: refs/heads/main\n");
  write("repository/.git/refs/heads/main", fmt::format("{}\n", first));
  write("repository/src/train.py", "");
  EXPECT_EQ(git_commit_of(root() / "repository" / "src"), first);
}

TEST_F(git_commit, of_a_packed_branch_and_of_none) {
  write("repository/.git/HEAD", "ref: refs/heads/main\n");
  write("repository/.git/packed-refs",
        fmt::format("# pack-refs with: peeled\n{} refs/heads/other\n{} refs/heads/main\n", first,
                    second));
  EXPECT_EQ(git_commit_of(root() / "repository"), second);
  write("repository/.git/HEAD", fmt::format("{}\n", first));
  EXPECT_EQ(git_commit_of(root() / "repository"), first);
}

TEST_F(git_commit, of_a_worktree) {
  write("repository/.git/worktrees/w/HEAD", "ref: refs/heads/side\n");
  write("repository/.git/worktrees/w/commondir", "../..\n");
  write("repository/.git/refs/heads/side", fmt::format("{}\n", second));
  write("w/.git", "gitdir: ../repository/.git/worktrees/w\n");
  EXPECT_EQ(git_commit_of(root() / "w"), second);
}

TEST_F(git_commit, of_nothing_and_of_nonsense_is_empty) {
  write("a/.git/HEAD", "ref: ../../../etc/passwd\n");
  EXPECT_EQ(git_commit_of(root() / "a"), "");
  write("b/.git/HEAD", "ref: refs/heads/unborn\n");
  EXPECT_EQ(git_commit_of(root() / "b"), "");
  write("c/.git/HEAD", "hello\n");
  EXPECT_EQ(git_commit_of(root() / "c"), "");
  write("d/.git", "nonsense\n");
  EXPECT_EQ(git_commit_of(root() / "d"), "");
  EXPECT_EQ(git_commit_of(root() / "missing"), git_commit_of(root()));
}

TEST_F(git_commit, is_what_git_says) {
  const std::string repository = (root() / "real").string();
  const std::string made = fmt::format(
      "git init -q '{0}' && cd '{0}' && git -c user.name=t -c user.email=t@example.com commit -q "
      "--allow-empty -m one && git rev-parse HEAD >'{1}/said'",
      repository, root().string());
  if (std::system(made.c_str()) != 0) GTEST_SKIP() << "no git here";
  std::string said;
  std::ifstream{root() / "said"} >> said;
  EXPECT_EQ(git_commit_of(repository), said);
}

}  // namespace
}  // namespace runctl::training
