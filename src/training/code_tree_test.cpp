#include "training/code_tree.hpp"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.hpp"
#include "training/secrets.hpp"
#include "training/test_project.hpp"

namespace runctl::training {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::paths_of;
using ::testing::UnorderedElementsAre;

std::vector<std::string> left_out_of(const Result<CodeTree>& tree) {
  std::vector<std::string> found;
  for (const LeftOut& left : tree->left_out)
    found.push_back(left.path + ": " + std::string{name_of(left.reason)});
  return found;
}

class code_tree : public ::testing::Test {
 protected:
  code_tree() { project_.write("train.py", "print()"); }
  testing::Project project_;
};

class code_tree_of_git : public code_tree {
 protected:
  void SetUp() override {
    if (!fs::exists("/usr/bin/git")) GTEST_SKIP() << "this machine has no git";
    project_.run("git init -q .");
  }
};

TEST_F(code_tree, without_git_the_rule_files_count_and_what_python_leaves_is_left_out) {
  for (const char* path : {"pkg/m.py", "pkg/__pycache__/m.pyc", ".venv/bin/python", "data/x.csv",
                           "data/keep/y.csv", "log/a.log", ".config/settings"}) {
    project_.write(path);
  }
  project_.write(".gitignore", "data/*\n!data/keep/\n");
  project_.write("log/.gitignore", "*.log\n");
  EXPECT_THAT(paths_of(project_.collect()),
              ElementsAre(".config/settings", ".gitignore", "data/keep/y.csv", "log/.gitignore",
                          "pkg/m.py", "train.py"));
}

TEST_F(code_tree, runctlignore_leaves_out_more_in_any_folder) {
  project_.write("a/x.bin");
  project_.write("a/y.txt");
  project_.write("b/x.bin");
  project_.write(".runctlignore", "b/\n");
  project_.write("a/.runctlignore", "*.bin\n.runctlignore\n");
  EXPECT_THAT(paths_of(project_.collect()), ElementsAre(".runctlignore", "a/y.txt", "train.py"));
}

TEST_F(code_tree, patterns_add_what_is_ignored) {
  project_.write(".gitignore", "data/\n*.json\nbig/\n");
  for (const char* path : {"c.json", "data/a/x.csv", "data/a/y.txt", "data/b/x.csv", "big/c.json"})
    project_.write(path);
  EXPECT_THAT(paths_of(project_.collect({"*.json"})),
              ElementsAre(".gitignore", "c.json", "train.py"))
      << "a pattern without a way leads into no ignored folder";
  EXPECT_THAT(paths_of(project_.collect({"data/*/x.csv"})),
              ElementsAre(".gitignore", "data/a/x.csv", "data/b/x.csv", "train.py"));
  EXPECT_THAT(paths_of(project_.collect({"./data/a"})),
              ElementsAre(".gitignore", "data/a/x.csv", "data/a/y.txt", "train.py"));
  EXPECT_THAT(paths_of(project_.collect({"big/**"})),
              ElementsAre(".gitignore", "big/c.json", "train.py"));
  EXPECT_FALSE(project_.collect({"!x"}).has_value());
}

TEST_F(code_tree, the_script_is_sent_whatever_rules_say) {
  project_.write(".gitignore", "*\n");
  project_.write("pyproject.toml");
  project_.write("jobs/ignored/run.py");
  project_.write("jobs/ignored/other.py");
  EXPECT_THAT(paths_of(project_.collect({}, "jobs/ignored/run.py")),
              ElementsAre("jobs/ignored/run.py"));
}

TEST_F(code_tree, secrets_are_named_and_sent_only_by_their_name) {
  for (const char* path : {".env", ".env.example", "keys/server.pem", ".aws/credentials",
                           ".aws/config", "id_rsa", "sub/.env"})
    project_.write(path);
  auto tree = project_.collect({"*.pem", ".env*"});
  EXPECT_THAT(paths_of(tree), ElementsAre(".env.example", "train.py"));
  EXPECT_THAT(left_out_of(tree),
              UnorderedElementsAre(".env: secret", "keys/server.pem: secret", ".aws/: secret",
                                   "id_rsa: secret", "sub/.env: secret"));
  tree = project_.collect({"keys/server.pem", ".aws/config"});
  EXPECT_THAT(paths_of(tree),
              ElementsAre(".aws/config", ".env.example", "keys/server.pem", "train.py"));
}

TEST_F(code_tree, links_stay_links_inside_and_are_left_out_when_they_lead_out) {
  project_.write("d/f");
  project_.run(
      "ln -s d/f in; ln -s ../d/f d/up; ln -s \"$PWD/d\" absolute; ln -s /etc/passwd out; "
      "ln -s ../.. d/above; ln -s nowhere dangling; ln -s ../../nowhere d/far; "
      "ln -s /etc escape; ln -s escape/passwd over; mkfifo pipe");
  const auto tree = project_.collect();
  EXPECT_THAT(paths_of(tree), ElementsAre("absolute", "d/f", "d/up", "dangling", "in", "train.py"));
  EXPECT_THAT(left_out_of(tree),
              UnorderedElementsAre("out: link_out", "d/above: link_out", "d/far: link_out",
                                   "escape: link_out", "over: link_out", "pipe: special"));
  EXPECT_EQ(tree->entries[0].target, "d") << "an absolute way is another one on the machine";
  EXPECT_EQ(tree->entries[2].target, "../d/f");
}

TEST_F(code_tree, names_may_have_anything_in_them) {
  const std::string hostile = "a\nb\t\\ \"c\" 'd' \xff *";
  project_.write(hostile);
  project_.write("übung/naïve.py");
  project_.run("chmod 755 train.py");
  const auto tree = project_.collect();
  EXPECT_THAT(paths_of(tree), ElementsAre(hostile, "train.py", "übung/naïve.py"));
  EXPECT_EQ(tree->entries[1].kind, EntryKind::executable);
}

TEST_F(code_tree, a_script_alone_is_sent_alone) {
  project_.write("other.py");
  const auto tree = collect_code(
      {.script = project_.root() / "train.py", .home = project_.home(), .script_alone = true});
  EXPECT_THAT(paths_of(tree), ElementsAre("train.py"));
}

TEST_F(code_tree_of_git, tracked_files_count_before_rules_but_not_before_runctlignore) {
  for (const char* path : {"kept.log", "lost.log", "new.py", "secret.key", "gone.py",
                           "dir/kept.txt", "dir/lost.txt", "big.bin"})
    project_.write(path);
  project_.run("git add -f kept.log secret.key gone.py dir/kept.txt big.bin && rm gone.py");
  project_.write(".gitignore", "*.log\ndir/\n");
  project_.write(".runctlignore", "big.bin\n");
  project_.write(".git/info/exclude", "private/\n");
  project_.write("private/x");
  const auto tree = project_.collect();
  EXPECT_THAT(paths_of(tree), ElementsAre(".gitignore", ".runctlignore", "dir/kept.txt", "kept.log",
                                          "new.py", "train.py"));
  EXPECT_THAT(left_out_of(tree), ElementsAre("secret.key: secret"));
}

TEST_F(code_tree_of_git, below_the_top_the_rules_above_count_too) {
  project_.write(".gitignore", "*.tmp\n/sub/only_there\n");
  project_.write("sub/.runctl.toml");
  for (const char* path : {"sub/train.py", "sub/a.tmp", "sub/only_there", "sub/b.tmp"})
    project_.write(path);
  project_.run("git add -f sub/b.tmp");
  EXPECT_THAT(paths_of(project_.collect({}, "sub/train.py")),
              ElementsAre(".runctl.toml", "b.tmp", "train.py"));
}

TEST_F(code_tree_of_git, a_project_that_a_repository_ignores_is_none_of_its) {
  project_.write(".gitignore", "*\n");
  project_.write("sub/.runctl.toml");
  project_.write("sub/train.py");
  EXPECT_THAT(paths_of(project_.collect({}, "sub/train.py")),
              ElementsAre(".runctl.toml", "train.py"));
}

TEST_F(code_tree_of_git, submodules_and_repositories_inside_have_their_own_rules) {
  project_.run(
      "git init -q inner && cd inner && touch f g.log && echo '*.log' >.gitignore && "
      "git add . && git commit -q -m x && touch h.log && cd .. && "
      "git -c protocol.file.allow=always submodule --quiet add ./inner inner");
  project_.write(".gitignore", "f\n");
  EXPECT_THAT(paths_of(project_.collect()),
              ElementsAre(".gitignore", ".gitmodules", "inner/.gitignore", "inner/f", "train.py"));
}

TEST_F(code_tree_of_git, a_repository_that_cannot_be_read_leaves_its_rule_files) {
  project_.write(".gitignore", "*.log\n");
  project_.write("a.log");
  project_.write(".git/index", "no index that libgit2 knows");
  const auto tree = project_.collect();
  EXPECT_THAT(paths_of(tree), ElementsAre(".gitignore", "train.py"));
  EXPECT_NE(tree->git_fault, "");
}

// The reference is git itself, over rules and files of many shapes.
TEST_F(code_tree_of_git, is_what_git_would_add) {
  project_.run(R"sh(
    for d in a a/b a/b/c build docs data/raw data/keep x.dir; do
      mkdir -p $d; for f in one.py two.log three.tmp four.txt; do echo $d >$d/$f; done; done
    printf '*.log\n!a/b/two.log\nbuild/\n/data/*\n!/data/keep\ndocs/**/*.tmp\n**/c/four.txt\nx.dir/\n' >.gitignore
    printf '!*.log\nthree.*\n' >a/b/.gitignore
    printf '*\n!*.py\n' >data/keep/.gitignore
    git add -f build/one.py x.dir/two.log data/raw/four.txt)sh");
  const std::string listed = project_.said("git ls-files -z --cached --others --exclude-standard");
  std::vector<std::string> wanted;
  for (const auto path : split(listed, '\0')) {
    if (!path.empty()) wanted.emplace_back(path);
  }
  std::ranges::sort(wanted);
  EXPECT_THAT(wanted, ::testing::Not(IsEmpty()));
  EXPECT_EQ(paths_of(project_.collect()), wanted);
}

TEST(secrets, are_known_by_their_names) {
  for (const char* name : {".env", ".env.local", "a/b/.ENV", "server.key", "x.PEM", "id_rsa",
                           "id_ed25519.bak", ".npmrc", "credentials", ".aws/anything",
                           "home/.ssh/known_hosts", "terraform.tfstate", "kaggle.json"})
    EXPECT_TRUE(is_secret(name)) << name;
  for (const char* name :
       {"env", ".env.example", "environment.py", "key.py", "keys/readme.txt", "id_rsa.pub",
        "credentials.py", "monkey", "aws/config", "service-account.py"})
    EXPECT_FALSE(is_secret(name)) << name;
}

}  // namespace
}  // namespace runctl::training
