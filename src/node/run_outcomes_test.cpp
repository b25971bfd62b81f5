// Programs that make it hard to say how they ended: what is recorded is right each time.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <sys/mount.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/file.hpp"
#include "node/run_fixture.hpp"

namespace runctl::node::testing {
namespace {

using ::testing::HasSubstr;

class outcomes : public RunFixture {
 protected:
  // The log as it comes piece by piece; its size only, and whether each byte is the one that was
  // printed.
  struct Read {
    std::uint64_t size = 0;
    std::uint64_t pieces = 0;
  };
};

TEST_F(outcomes, the_program_counts_and_not_what_it_forked) {
  ASSERT_EQ(
      code_of(start_run(bed_.machine(), shell_run("r", "sleep 300 & setsid sleep 300 & exit 4"))),
      "");
  const auto ended = when_ended(id("r"));
  EXPECT_EQ(ended.run.state, RunState::failed);
  EXPECT_EQ(ended.run.exit_status, 4);
}

TEST_F(outcomes, exit_137_is_told_as_a_signal_as_shells_do) {
  ASSERT_EQ(code_of(start_run(bed_.machine(), shell_run("r", "exit 137"))), "");
  const auto ended = when_ended(id("r"));
  EXPECT_EQ(ended.run.state, RunState::failed);
  EXPECT_EQ(ended.run.exit_status, 137);
  EXPECT_EQ(ended.run.signal, 9);
}

TEST_F(outcomes, a_program_that_kills_itself_is_told) {
  ASSERT_EQ(code_of(start_run(bed_.machine(), shell_run("r", "kill -SEGV $$"))), "");
  EXPECT_EQ(when_ended(id("r")).run.signal, 11);
}

TEST_F(outcomes, random_bytes_come_back_as_they_are) {
  const std::string file = bed_.root() / "random";
  bed_.said_by(fmt::format("head -c 300000 /dev/urandom >{}", file));
  ASSERT_EQ(code_of(start_run(bed_.machine(), shell_run("r", fmt::format("cat {}", file)))), "");
  (void)when_ended(id("r"));
  // As over SSM, whose answers are small; and nothing of this can be compressed.
  std::string log;
  std::uint64_t offset = 0;
  do {
    const auto piece = run_status(bed_.machine(), id("r"), offset, 100'000);
    ASSERT_EQ(code_of(piece), "");
    log += piece->log;
    offset = piece->next_offset;
  } while (offset < 300'000);
  EXPECT_EQ(log.size(), 300'000U);
  const std::string copy = bed_.root() / "copy";
  bed_.said_by(fmt::format("touch {0}; chmod 666 {0}", copy));
  ASSERT_EQ(bed_.said_by(fmt::format("cmp {}/runs/{}/log {} && echo same", bed_.root().string(),
                                     id("r").str(), file)),
            "same");
  EXPECT_EQ(read_file(file).value_or(""), log);
}

// A line of 200 MiB and more lines than are looked at: what is held in memory is a piece at a time.
TEST_F(outcomes, a_log_of_200_mib_is_read_whole_in_pieces) {
  ASSERT_EQ(
      code_of(start_run(
          bed_.machine(),
          shell_run("r", "head -c 104857600 /dev/zero; yes 0123456789abcde | head -c 104857600"))),
      "");
  const auto ended = when_ended(id("r"), 300);
  ASSERT_EQ(ended.run.state, RunState::succeeded);
  ASSERT_EQ(ended.log_size, 209'715'200U);
  Read read;
  for (std::uint64_t offset = 0; offset < ended.log_size; ++read.pieces) {
    const auto piece = run_status(bed_.machine(), id("r"), offset);
    ASSERT_EQ(code_of(piece), "");
    ASSERT_LE(piece->log.size(), log_piece_limit);
    ASSERT_EQ(piece->next_offset - offset, piece->log.size());
    const char expected = offset < 104'857'600U ? '\0' : "0123456789abcde\n"[offset % 16];
    ASSERT_EQ(piece->log.front(), expected) << offset;
    read.size += piece->log.size();
    offset = piece->next_offset;
  }
  EXPECT_EQ(read.size, ended.log_size);
  EXPECT_EQ(read.pieces, 200U);
}

// As SSM would bring them: no answer is longer than its 24,000 characters.
class SsmSized final : public RemoteShell {
 public:
  explicit SsmSized(RemoteShell& inner) : inner_{inner} {}
  Result<ShellOutcome> run(const InstanceId& instance, const std::string& script,
                           std::chrono::seconds timeout, const std::stop_token& stop) override {
    auto outcome = inner_.run(instance, script, timeout, stop);
    if (outcome) longest = std::max(longest, outcome->out.size());
    return outcome;
  }
  std::size_t longest = 0;

 private:
  RemoteShell& inner_;
};

TEST_F(outcomes, pieces_fit_what_ssm_brings_whether_they_compress_or_not) {
  ASSERT_EQ(
      code_of(start_run(
          bed_.machine(),
          shell_run("r",
                    "seq 60000; head -c 100000 /dev/urandom; seq 60000; yes | head -c 3000000"))),
      "");
  const auto ended = when_ended(id("r"));
  Machine machine = bed_.machine();
  SsmSized shell{machine.shell};
  const Machine small{.shell = shell, .instance = machine.instance};
  std::string log;
  int pieces = 0;
  for (std::uint64_t offset = 0; offset < ended.log_size; ++pieces) {
    const auto piece = run_status(small, id("r"), offset);
    ASSERT_EQ(code_of(piece), "");
    ASSERT_FALSE(piece->log.empty());
    log += piece->log;
    offset = piece->next_offset;
  }
  EXPECT_EQ(log.size(), ended.log_size);
  EXPECT_TRUE(log.starts_with("1\n2\n3\n"));
  EXPECT_TRUE(log.ends_with("y\ny\n"));
  EXPECT_LE(shell.longest, 24'000U);
  // 3.8 MB, of which 100 kB do not compress: uncompressed they were 240 pieces.
  EXPECT_LT(pieces, 60);
}

class SmallDisk {
 public:
  explicit SmallDisk(std::filesystem::path at) : at_{std::move(at)} {
    mounted_ = ::mount("tmpfs", at_.c_str(), "tmpfs", 0, "size=2m,mode=0777") == 0;
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  SmallDisk(SmallDisk&&) = delete;
  SmallDisk& operator=(SmallDisk&&) = delete;
  ~SmallDisk() {
    if (mounted_) ::umount2(at_.c_str(), MNT_DETACH);
  }
  [[nodiscard]] bool is_there() const { return mounted_; }

 private:
  std::filesystem::path at_;
  bool mounted_ = false;
};

TEST_F(outcomes, a_run_that_fills_the_disk_with_its_log_has_its_outcome) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root: a small file system";
  bed_.said_by(fmt::format("mkdir {}/runs", bed_.root().string()));
  const SmallDisk disk{bed_.root() / "runs"};
  if (!disk.is_there()) GTEST_SKIP() << "cannot mount a tmpfs";
  ASSERT_EQ(code_of(start_run(bed_.machine(), shell_run("r", "yes fill; echo x; exit 9"))), "");
  const auto ended = when_ended(id("r"));
  EXPECT_EQ(ended.run.state, RunState::failed);
  EXPECT_EQ(ended.run.exit_status, 9);
  EXPECT_GT(ended.log_size, 1'000'000U);
  EXPECT_EQ(run_details(bed_.machine(), id("r"))->free_bytes, 0U);
  TearDown();  // before the disk goes
}

TEST_F(outcomes, a_run_on_a_full_disk_can_be_stopped_and_says_so) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root: a small file system";
  bed_.said_by(fmt::format("mkdir {}/runs", bed_.root().string()));
  const SmallDisk disk{bed_.root() / "runs"};
  if (!disk.is_there()) GTEST_SKIP() << "cannot mount a tmpfs";
  started(shell_run("r", "echo up; yes fill; trap '' TERM; while :; do sleep 0.1; done"), "up");
  ASSERT_TRUE(eventually(fmt::format("test $(df -Pk {}/runs | awk 'NR == 2 {{ print $4 }}') = 0",
                                     bed_.root().string())));
  const auto killed =
      stop_run(bed_.machine(), id("r"),
               {.by = "me", .kill = KillAll::yes, .wait = std::chrono::seconds{20}});
  ASSERT_EQ(code_of(killed), "");
  EXPECT_EQ(killed->run.state, RunState::stopped);
  EXPECT_EQ(killed->run.exit_status, 137);
  EXPECT_EQ(killed->run.stop->by, "me");
  TearDown();
}

TEST_F(outcomes, the_details_have_the_environment_without_secrets) {
  auto spec = shell_run("r", "echo $HF_TOKEN");
  spec.environment = {{.name = "HF_TOKEN", .value = "s3cr3t"}, {.name = "EPOCHS", .value = "3"}};
  spec.git_commit = "deadbeef";
  ASSERT_EQ(code_of(start_run(bed_.machine(), spec)), "");
  EXPECT_EQ(when_ended(id("r")).log, "s3cr3t\n");  // the program has it
  const auto details = run_details(bed_.machine(), id("r"));
  ASSERT_EQ(code_of(details), "");
  EXPECT_EQ(details->log_size, 7U);
  EXPECT_EQ(details->run.git_commit, "deadbeef");
  const auto& environment = details->record.at("environment").as_object();
  EXPECT_EQ(environment.at("HF_TOKEN").as_string(), "(redacted)");
  EXPECT_EQ(environment.at("EPOCHS").as_string(), "3");
  EXPECT_EQ(bed_.said_by(fmt::format("grep -l s3cr3t {}/*.json", details->run.directory)), "");
}

}  // namespace
}  // namespace runctl::node::testing
