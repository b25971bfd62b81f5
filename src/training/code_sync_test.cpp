#include "training/code_sync.hpp"

#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.hpp"
#include "io/log.hpp"
#include "node/files_machine.hpp"
#include "training/test_project.hpp"

namespace runctl::training {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A bucket that is a folder, with URLs that curl can read.
class FolderBucket final : public CodeBucket {
 public:
  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] Result<std::string> put(const std::string& key, std::string_view bytes) override {
    fs::permissions(scratch_.path(), fs::perms::all);
    const auto path = scratch_.path() / std::to_string(++puts);
    std::ofstream{path, std::ios::binary} << bytes;
    keys.push_back(key);
    return "file://" + path.string();
  }
  [[nodiscard]] Result<void> remove(const std::string& key) override {
    removed.push_back(key);
    return {};
  }
  int puts = 0;
  std::vector<std::string> keys;
  std::vector<std::string> removed;

 private:
  ScratchDirectory scratch_;
  std::string name_ = "bucket";
};

// Counts the scripts, and lets a test come between.
class Watched final : public node::RemoteShell {
 public:
  explicit Watched(node::RemoteShell& shell) : shell_{shell} {}
  Result<node::ShellOutcome> run(const InstanceId& instance, const std::string& script,
                                 std::chrono::seconds timeout,
                                 const std::stop_token& stop) override {
    ++calls;
    auto outcome = shell_.run(instance, script, timeout, stop);
    if (after) after(calls);
    return outcome;
  }
  int calls = 0;
  std::function<void(int)> after = {};

 private:
  node::RemoteShell& shell_;
};

std::string noise(std::size_t size) {
  std::mt19937 engine{7};  // NOLINT: the same bytes every time
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(engine() & 0xFFU);
  return bytes;
}

class code_sync : public ::testing::Test {
 protected:
  code_sync() {
    project_.write("train.py", "print()");
    project_.write("pkg/a.py", "a");
    project_.write("pkg/b.py", "b");
  }
  // The project as it is now, for a run of this number.
  Result<CodeDelivery> sync(int run) {
    auto tree = project_.collect();
    if (!tree) return std::unexpected{tree.error()};
    shell_.calls = 0;
    const auto machine = bed_.machine();
    return sync_code({.shell = shell_, .instance = machine.instance}, *tree,
                     node::RunId::parse(fmt::format("run-{}", run)).value(), settings_);
  }
  std::string on_machine(const std::string& folder, const std::string& command) {
    return bed_.said_by(fmt::format("cd {} && {}", shell_quote(folder), command));
  }

  testing::Project project_;
  node::testing::FilesMachine bed_;
  node::Machine machine_ = bed_.machine();
  Watched shell_{machine_.shell};
  ScratchDirectory cache_;
  RealClock clock_;
  NoLog log_;
  std::vector<std::string> said_;
  SyncSettings settings_{
      .clock = clock_, .log = log_, .cache = cache_.path(), .say = [this](std::string_view line) {
        said_.emplace_back(line);
      }};
};

TEST_F(code_sync, sends_all_then_nothing_then_what_changed) {
  const auto first = sync(1);
  ASSERT_TRUE(first.has_value()) << first.error().message;
  EXPECT_EQ(first->sent_files, 3U);
  EXPECT_EQ(first->way, CodeWay::commands);
  EXPECT_EQ(on_machine(first->path, "cat train.py pkg/a.py pkg/b.py"), "print()ab");
  EXPECT_THAT(said_.back(), HasSubstr("Sending 3 of 3 files (9 B, "));

  const auto second = sync(2);
  ASSERT_TRUE(second.has_value()) << second.error().message;
  EXPECT_EQ(second->sent_files, 0U);
  EXPECT_EQ(second->way, CodeWay::none);
  EXPECT_EQ(shell_.calls, 1) << "an unchanged tree takes one command";
  EXPECT_NE(second->path, first->path);

  project_.write("pkg/a.py", "A");
  const auto third = sync(3);
  ASSERT_TRUE(third.has_value()) << third.error().message;
  EXPECT_EQ(third->sent_files, 1U);
  EXPECT_EQ(third->sent_bytes, 1U);
  EXPECT_EQ(on_machine(third->path, "cat pkg/a.py pkg/b.py"), "Ab");
  EXPECT_EQ(on_machine(first->path, "cat pkg/a.py"), "a") << "a later sync changed an earlier run";
}

TEST_F(code_sync, what_is_no_more_here_is_removed_there_and_nothing_else) {
  const auto first = sync(1);
  ASSERT_TRUE(first.has_value());
  on_machine(first->path, "echo result >pkg/result");
  fs::remove_all(project_.root() / "pkg");
  project_.run("ln -s train.py pkg && chmod 755 train.py");
  const auto second = sync(2);
  ASSERT_TRUE(second.has_value()) << second.error().message;
  EXPECT_EQ(on_machine(second->path, "ls -A && readlink pkg && stat -c %a train.py"),
            "pkg\ntrain.py\ntrain.py\n755");
  EXPECT_EQ(on_machine(first->path, "cat pkg/result pkg/a.py"), "result\na");
}

TEST_F(code_sync, hostile_names_arrive) {
  const std::string hostile = "a\nb\t\\ \"c\" 'd' \xff";
  project_.write(hostile + "/-f", "x");
  project_.write("-rf", "y");
  const auto first = sync(1);
  ASSERT_TRUE(first.has_value()) << first.error().message;
  EXPECT_EQ(on_machine(first->path, "cat " + shell_quote("./" + hostile + "/-f") + " ./-rf"), "xy");
  fs::remove_all(project_.root() / hostile);
  fs::remove(project_.root() / "-rf");
  const auto second = sync(2);
  ASSERT_TRUE(second.has_value()) << second.error().message;
  EXPECT_EQ(on_machine(second->path, "ls -A"), "pkg\ntrain.py");
}

TEST_F(code_sync, a_cache_that_is_lost_makes_a_whole_sync_and_the_same_code) {
  ASSERT_TRUE(sync(1));
  fs::remove_all(cache_.path() / "code");
  project_.write("new.py", "n");
  fs::remove(project_.root() / "pkg/b.py");
  const auto second = sync(2);
  ASSERT_TRUE(second.has_value()) << second.error().message;
  EXPECT_EQ(second->sent_files, 3U);
  EXPECT_EQ(on_machine(second->path, "find . -type f | LC_ALL=C sort | xargs"),
            "./new.py ./pkg/a.py ./train.py");
}

TEST_F(code_sync, a_sync_of_another_that_comes_between_is_noticed) {
  ASSERT_TRUE(sync(1));
  project_.write("pkg/a.py", "mine");
  // Another user's sync of the same project changes what the machine has behind our first look.
  shell_.after = [&](int call) {
    if (call != 1) return;
    bed_.said_by(
        fmt::format("cd {}/root/var/lib/runctl/projects/* && printf 'x\\tf\\t00\\n' >manifest && "
                    "rm -rf tree && "
                    "mkdir tree && echo theirs >tree/x",
                    bed_.root().string()));
  };
  const auto second = sync(2);
  ASSERT_TRUE(second.has_value()) << second.error().message;
  EXPECT_EQ(on_machine(second->path, "cat pkg/a.py && ls -A"), "minepkg\ntrain.py");
}

TEST_F(code_sync, more_than_fits_into_commands_goes_through_a_bucket) {
  project_.write("weights.bin", noise(2'500'000));
  const auto refused = sync(1);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::invalid_argument);
  EXPECT_THAT(refused.error().details, Contains("weights.bin: 2.4 MiB"));
  EXPECT_THAT(refused.error().ways_out, Contains(HasSubstr("--code-bucket")));

  FolderBucket bucket;
  settings_.bucket = &bucket;
  const auto sent = sync(2);
  ASSERT_TRUE(sent.has_value()) << sent.error().message;
  EXPECT_EQ(sent->way, CodeWay::s3);
  EXPECT_EQ(on_machine(sent->path, "stat -c %s weights.bin"), "2500000");
  EXPECT_EQ(bucket.keys, bucket.removed) << "what is paid for is left behind";

  project_.write("pkg/a.py", "small");
  const auto small = sync(3);
  ASSERT_TRUE(small.has_value()) << small.error().message;
  EXPECT_EQ(small->way, CodeWay::commands);
}

TEST_F(code_sync, above_the_limit_the_largest_files_are_named_and_nothing_is_read_or_sent) {
  project_.write("data/huge.csv", std::string(3'000'000, 'x'));
  settings_.limit = 1 << 20;
  const auto refused = sync(1);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::invalid_argument);
  EXPECT_THAT(refused.error().details.front(), "data/huge.csv: 2.9 MiB");
  settings_.limit = 4 << 20;
  EXPECT_TRUE(sync(1).has_value());
}

TEST_F(code_sync, a_plan_changes_nothing_and_says_what_would_be_sent) {
  auto tree = project_.collect();
  ASSERT_TRUE(tree.has_value());
  const node::Machine machine{.shell = shell_, .instance = machine_.instance};
  auto plan = plan_code(&machine, *tree, settings_, {});
  ASSERT_TRUE(plan.has_value()) << plan.error().message;
  EXPECT_THAT(plan->files, ElementsAre("pkg/a.py", "pkg/b.py", "train.py"));
  EXPECT_EQ(bed_.said_by("ls " + bed_.root().string()), "");
  ASSERT_TRUE(sync(1));
  project_.write("pkg/a.py", "changed");
  fs::remove(project_.root() / "pkg/b.py");
  tree = project_.collect();
  plan = plan_code(&machine, *tree, settings_, {});
  ASSERT_TRUE(plan.has_value());
  EXPECT_TRUE(plan->machine_known);
  EXPECT_THAT(plan->files, ElementsAre("pkg/a.py"));
  EXPECT_EQ(plan->removed, 1U);
}

}  // namespace
}  // namespace runctl::training
