#include "transfer/ignore_rules.hpp"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/text.hpp"
#include "io/process.hpp"
#include "io/scratch_directory.hpp"
#include "transfer/glob.hpp"

namespace runctl::transfer {
namespace {

IgnoreRules rules(const std::vector<std::string>& lines) {
  IgnoreRules out;
  for (const std::string& line : lines) out.add(line);
  return out;
}

TEST(Glob, TakesNoLongTimeForAnything) {
  std::string pattern;
  for (int i = 0; i < 60; ++i) pattern += "*a";
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(Glob{pattern + "b"}.matches(std::string(1'000, 'a')));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{2});
}

TEST(IgnoreRules, WhatLiesInADirectoryThatIsLeftOutCannotBeTakenBackIn) {
  const IgnoreRules some = rules({"*.log", "cache/", "!cache/keep.txt", "!important.log"});
  EXPECT_TRUE(some.excludes("a/b.log", PathKind::file));
  EXPECT_FALSE(some.excludes("a/important.log", PathKind::file));
  EXPECT_TRUE(some.excludes("cache/keep.txt", PathKind::file));
  EXPECT_TRUE(some.excludes("x/cache/y", PathKind::file));
  EXPECT_FALSE(some.excludes("cache", PathKind::file));
}

TEST(NameFilter, IncludesAreAllThatIsTakenAndExcludesComeOutOfThem) {
  const NameFilter filter{.include = rules({"*.pt", "/logs/"}), .exclude = rules({"old/"})};
  EXPECT_TRUE(filter.takes_file("a/model.pt"));
  EXPECT_TRUE(filter.takes_file("logs/deep/x.txt"));
  EXPECT_FALSE(filter.takes_file("a/logs/x.txt"));
  EXPECT_FALSE(filter.takes_file("a/model.txt"));
  EXPECT_FALSE(filter.takes_file("old/model.pt"));
  EXPECT_FALSE(filter.enters("a/old"));
  EXPECT_TRUE(filter.enters("a"));
  EXPECT_TRUE(NameFilter{}.takes_file("anything"));
}

// What `git check-ignore` says of paths in a tree with a given .gitignore in its root.
class Git {
 public:
  Git() { available_ = run({"git", "init", "-q", directory_.path().string()}, "").has_value(); }
  [[nodiscard]] bool available() const { return available_; }
  [[nodiscard]] const std::filesystem::path& root() const { return directory_.path(); }

  // `git check-ignore` needs a path in the tree to see whether it is a directory.
  void make(const std::string& path, PathKind kind) {
    if (kind == PathKind::directory) {
      std::filesystem::create_directories(root() / path);
    } else {
      std::filesystem::create_directories((root() / path).parent_path());
      std::ofstream{root() / path} << "x";
    }
  }

  std::set<std::string> ignored(const std::string& gitignore,
                                const std::vector<std::string>& paths) {
    std::ofstream{root() / ".gitignore", std::ios::binary} << gitignore;
    std::string input;
    for (const std::string& path : paths) input += path + '\0';
    const auto out =
        run({"git", "-C", root().string(), "check-ignore", "--no-index", "--stdin", "-z"}, input);
    std::set<std::string> found;
    const std::string text = out.value_or("");
    for (const std::string_view path : split(text, '\0')) {
      if (!path.empty()) found.emplace(path);
    }
    return found;
  }

 private:
  std::optional<std::string> run(std::vector<std::string> argv, std::string input) {
    RealProcess process;
    const auto done = process.run(
        {.argv = std::move(argv),
         .environment = {"PATH=/usr/bin:/bin", "HOME=/nonexistent", "GIT_CONFIG_NOSYSTEM=1"},
         .input = std::move(input)},
        std::chrono::steady_clock::now() + std::chrono::seconds{30}, {});
    // check-ignore exits with 1 when nothing is ignored.
    if (!done || !done->exit_status || *done->exit_status > 1) return std::nullopt;
    return done->out;
  }

  ScratchDirectory directory_;
  bool available_ = false;
};

class AgainstGit : public testing::Test {
 protected:
  void SetUp() override {
    if (!git_.available()) GTEST_SKIP() << "needs git, whose check-ignore is asked";
    for (const char* file : {"a",
                             "b.txt",
                             "abc",
                             "a.b.c",
                             "A",
                             "foo/a",
                             "foo/bar/a",
                             "foo/bar/b.txt",
                             "foo/b/c/d",
                             "bar/foo/a",
                             "x/y/z/a.pt",
                             "x/y/a.pt",
                             "x/a.pt",
                             "q r",
                             "trail ",
                             "#hash",
                             "!bang",
                             "br[ack]et",
                             "back\\slash",
                             "st*r",
                             "x-y",
                             "f1",
                             "f]",
                             "f-",
                             "f^",
                             "ä",
                             "x/.hidden",
                             ".env",
                             "deep/a/b/c/d/e/f",
                             "foo.d/a",
                             "z\tz"}) {
      git_.make(file, PathKind::file);
    }
    git_.make("empty", PathKind::directory);
    for (auto at = std::filesystem::recursive_directory_iterator{git_.root()};
         at != std::filesystem::recursive_directory_iterator{}; ++at) {
      if (at->path().filename() == ".git") {
        at.disable_recursion_pending();
        continue;
      }
      std::string path = at->path().lexically_relative(git_.root()).string();
      if (path == ".gitignore") continue;
      if (at->is_directory()) directories_.insert(path);
      paths_.push_back(std::move(path));
    }
  }

  // Says what differs; nothing when nothing does.
  std::string difference(const std::string& gitignore) {
    const auto by_git = git_.ignored(gitignore, paths_);
    IgnoreRules ours;
    ours.add_lines(gitignore);
    std::string out;
    for (const std::string& path : paths_) {
      const auto kind = directories_.contains(path) ? PathKind::directory : PathKind::file;
      if (ours.excludes(path, kind) == by_git.contains(path)) continue;
      out += "with '" + gitignore + "' git " + (by_git.contains(path) ? "ignores" : "takes") +
             " '" + path + "'\n";
    }
    return out;
  }

  Git git_;
  std::vector<std::string> paths_;
  std::set<std::string> directories_;
};

TEST_F(AgainstGit, EveryFormOfAPatternMeansTheSame) {
  for (const char* gitignore : {"a",
                                "/a",
                                "a/",
                                "foo/",
                                "foo/a",
                                "/foo/bar",
                                "*.txt",
                                "*",
                                "/*",
                                "**",
                                "**/a",
                                "foo/**",
                                "**/foo/**",
                                "foo/**/a",
                                "x/**/a.pt",
                                "a/**/b",
                                "x/*/a.pt",
                                "**/*.pt",
                                "***",
                                "f**",
                                "**f",
                                "foo**/a",
                                "foo/***",
                                "foo/**bar/a",
                                "?",
                                "??",
                                "f?",
                                "foo?a",
                                "f[0-9]",
                                "f[]]",
                                "f[^a]",
                                "f[!a]",
                                "f[]-]",
                                "f[a-]",
                                "f[--0]",
                                "f[[:digit:]]",
                                "f[[:nope:]]",
                                "f[[:digit:]",
                                "f[",
                                "f[a",
                                "f\\",
                                "\\",
                                "f[\\]]",
                                "f[\\--\\^]",
                                "br\\[ack]et",
                                "br[[]ack]et",
                                "back\\\\slash",
                                "st\\*r",
                                "q r",
                                "trail ",
                                "trail\\ ",
                                "trail\\  ",
                                "  ",
                                "#hash",
                                "\\#hash",
                                "!bang",
                                "\\!bang",
                                "!",
                                "!!bang",
                                "/",
                                "//",
                                "//a",
                                "a//",
                                "foo//a",
                                "./a",
                                "../a",
                                "foo/./a",
                                "a\r\nb.txt\r\n",
                                "\xef\xbb\xbf"
                                "a",
                                "*\n!*.pt",
                                "*\n!*/\n!*.pt",
                                "foo\n!foo/a",
                                "foo/*\n!foo/bar",
                                "*.pt\n!/x/a.pt",
                                "x/\n!x/",
                                "!a\na",
                                "a\n!a\na",
                                "ä",
                                "?\?",
                                "[ä]",
                                "*/a",
                                "*/",
                                "/*/",
                                "/**/",
                                "**/",
                                "**/b/**",
                                "/**/a",
                                "deep/**/f",
                                "deep/*/f",
                                "[[:space:]]",
                                "z[[:space:]]z",
                                "z[[:blank:]]z",
                                ".*",
                                "*.*",
                                "a.*.c",
                                "[a-c]bc",
                                "[c-a]bc",
                                "[A-Z]",
                                "x[+--]y",
                                "f[[.a.]]",
                                "f[[:]",
                                "f[[:]]",
                                "f[[::]]",
                                "foo\\/a",
                                "foo/\\a",
                                "*\\/a",
                                "**\\/a",
                                "\\a",
                                "foo/a/",
                                "x/y/",
                                "emp?y/",
                                "foo.d"}) {
    EXPECT_EQ(difference(gitignore), "");
  }
}

TEST_F(AgainstGit, PatternsMadeAtRandomMeanTheSame) {
  const std::vector<std::string> pieces{"a", "b", "foo", "x",    "y",   "*",    "**",
                                        "/", "/", "?",   "\\",   "[a]", "[!a]", "[",
                                        "]", "-", ".",   ".txt", "pt",  "!"};
  const char* const chosen = std::getenv("RUNCTL_SEED");
  std::mt19937 random{chosen != nullptr ? static_cast<unsigned>(std::stoul(chosen)) : 1U};
  for (int round = 0; round < 150; ++round) {
    std::string gitignore;
    for (unsigned line = 0; line < 1 + random() % 4; ++line) {
      for (unsigned piece = 0; piece < 1 + random() % 6; ++piece) {
        gitignore += pieces[random() % pieces.size()];
      }
      gitignore += '\n';
    }
    ASSERT_EQ(difference(gitignore), "") << "in round " << round;
  }
}

}  // namespace
}  // namespace runctl::transfer
