#include "node/put_file.hpp"

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/digest.hpp"
#include "base/text.hpp"
#include "node/files_machine.hpp"

namespace runctl::node {
namespace {

std::string noise(std::size_t size) {
  std::mt19937 engine{7};  // NOLINT: the same bytes every time
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(engine() & 0xFFU);
  return bytes;
}

class put_file_on_machine : public ::testing::Test {
 protected:
  std::string path(std::string_view name) { return fmt::format("/code/{}", name); }
  std::string sum_of(const std::string& file) {
    return bed_.said_by(fmt::format("sha256sum <{} | cut -c 1-64", shell_quote(file)));
  }
  testing::FilesMachine bed_;
};

TEST_F(put_file_on_machine, any_bytes_arrive_in_one_piece) {
  const std::string content = noise(1000);
  const auto put =
      put_file(bed_.machine(), path("it's $(a) \"file\".bin"), FileMode::owner_only, content);
  ASSERT_TRUE(put.has_value()) << put.error().message;
  EXPECT_EQ(put->pieces, 1U);
  EXPECT_EQ(sum_of(put->path), hex(sha256(content)));
  EXPECT_EQ(bed_.said_by("stat -c %a " + shell_quote(put->path)), "600");
}

TEST_F(put_file_on_machine, an_empty_file_arrives) {
  const auto put = put_file(bed_.machine(), path("__init__.py"), FileMode::readable, "");
  ASSERT_TRUE(put.has_value()) << put.error().message;
  EXPECT_EQ(bed_.said_by("stat -c '%s %a' " + put->path), "0 644");
}

TEST_F(put_file_on_machine, a_large_file_arrives_in_pieces_that_each_fit_a_command) {
  const std::string content = noise(300'000);
  const auto put = put_file(bed_.machine(), path("large"), FileMode::executable, content);
  ASSERT_TRUE(put.has_value()) << put.error().message;
  EXPECT_GT(put->pieces, 5U);
  EXPECT_EQ(sum_of(put->path), hex(sha256(content)));
  EXPECT_EQ(bed_.said_by("ls -A " + (bed_.root() / "root/code").string()), "large")
      << "parts are left behind";
}

TEST_F(put_file_on_machine, what_is_compressed_already_travels_as_it_is) {
  const std::string content(300'000, 'x');
  const auto put = put_file(bed_.machine(), path("f"), FileMode::readable, content, Packing::none);
  ASSERT_TRUE(put.has_value()) << put.error().message;
  EXPECT_EQ(put->sent_bytes, content.size());
  EXPECT_EQ(sum_of(put->path), hex(sha256(content)));
  EXPECT_EQ(bed_.said_by("ls -A " + (bed_.root() / "root/code").string()), "f");
}

// Two syncs of one project at once: their archives have the same content, and names of their own.
TEST_F(put_file_on_machine, the_same_content_may_arrive_several_times_at_once) {
  const std::string content = noise(3'000);
  constexpr int senders = 6;
  constexpr int rounds = 15;
  for (const Packing packing : {Packing::none, Packing::gzip}) {
    std::vector<std::string> faults(senders);
    {
      std::vector<std::jthread> threads;
      for (int sender = 0; sender < senders; ++sender) {
        threads.emplace_back([&, sender] {
          for (int round = 0; round < rounds; ++round) {
            const auto put = put_file(bed_.machine(), path(fmt::format("{}-{}", sender, round)),
                                      FileMode::readable, content, packing);
            if (!put) faults[static_cast<std::size_t>(sender)] = put.error().message;
          }
        });
      }
    }
    EXPECT_THAT(faults, ::testing::Each(""));
    const std::string directory = (bed_.root() / "root/code").string();
    EXPECT_EQ(bed_.said_by(fmt::format("cd {} && ls -A | wc -l; cat * | wc -c", directory)),
              fmt::format("{}\n{}", senders * rounds, senders * rounds * content.size()));
    bed_.said_by(fmt::format("rm -rf {}", directory));
  }
}

TEST_F(put_file_on_machine, a_file_that_is_there_is_not_sent_again) {
  const std::string content = noise(200'000);
  ASSERT_TRUE(put_file(bed_.machine(), path("f"), FileMode::readable, content));
  const auto again = put_file(bed_.machine(), path("f"), FileMode::readable, content);
  ASSERT_TRUE(again.has_value());
  EXPECT_TRUE(again->already);
  EXPECT_EQ(again->pieces, 1U);
}

// A shell that loses answers after the effect, as networks do, and whose caller starts over.
class LosesEveryThird final : public RemoteShell {
 public:
  explicit LosesEveryThird(RemoteShell& shell) : shell_{shell} {}
  Result<ShellOutcome> run(const InstanceId& instance, const std::string& script,
                           std::chrono::seconds timeout, const std::stop_token& stop) override {
    auto outcome = shell_.run(instance, script, timeout, stop);
    if (++calls_ == 3) return fail(Errc::unavailable, "the answer was lost");
    return outcome;
  }

 private:
  RemoteShell& shell_;
  int calls_ = 0;
};

TEST_F(put_file_on_machine, starting_over_after_a_lost_answer_gives_the_same_file) {
  const std::string content = noise(300'000);
  auto machine = bed_.machine();
  LosesEveryThird lossy{machine.shell};
  const Machine unreliable{.shell = lossy, .instance = machine.instance};
  EXPECT_FALSE(put_file(unreliable, path("f"), FileMode::readable, content).has_value());
  EXPECT_EQ(bed_.said_by(fmt::format("[ -e {}/root/code/f ] && echo there", bed_.root().string())),
            "");
  const auto put = put_file(unreliable, path("f"), FileMode::readable, content);
  ASSERT_TRUE(put.has_value()) << put.error().message;
  EXPECT_EQ(sum_of(put->path), hex(sha256(content)));
}

// A machine on which someone writes into the part that is being gathered.
class Meddler final : public RemoteShell {
 public:
  Meddler(RemoteShell& shell, std::string command) : shell_{shell}, command_{std::move(command)} {}
  Result<ShellOutcome> run(const InstanceId& instance, const std::string& script,
                           std::chrono::seconds timeout, const std::stop_token& stop) override {
    auto outcome = shell_.run(instance, script, timeout, stop);
    if (++calls_ == 1) (void)shell_.run(instance, command_, timeout, stop);
    return outcome;
  }

 private:
  RemoteShell& shell_;
  std::string command_;
  int calls_ = 0;
};

TEST_F(put_file_on_machine, content_that_arrived_otherwise_is_never_put_in_place) {
  const std::string content = noise(100'000);
  auto machine = bed_.machine();
  Meddler meddler{
      machine.shell,
      fmt::format(
          "printf XXXX | dd of=$(ls {}/root/code/.runctl-*.part) seek=1000 bs=1 conv=notrunc",
          bed_.root().string())};
  const auto put = put_file({.shell = meddler, .instance = machine.instance}, path("f"),
                            FileMode::readable, content);
  ASSERT_FALSE(put.has_value());
  EXPECT_EQ(put.error().code, Errc::corrupt);
  EXPECT_EQ(bed_.said_by(fmt::format("ls -A {}/root/code", bed_.root().string())), "");
}

// Its parts fit together as gzip sees it, and still it is not what was meant.
class AsksForAnother final : public RemoteShell {
 public:
  AsksForAnother(RemoteShell& shell, std::string sum) : shell_{shell}, sum_{std::move(sum)} {}
  Result<ShellOutcome> run(const InstanceId& instance, const std::string& script,
                           std::chrono::seconds timeout, const std::stop_token& stop) override {
    std::string changed = script;
    changed.replace(changed.find(sum_), sum_.size(), std::string(64, 'a'));
    return shell_.run(instance, changed, timeout, stop);
  }

 private:
  RemoteShell& shell_;
  std::string sum_;
};

TEST_F(put_file_on_machine, content_with_another_hash_is_never_put_in_place) {
  auto machine = bed_.machine();
  AsksForAnother shell{machine.shell, hex(sha256("content"))};
  const auto put = put_file({.shell = shell, .instance = machine.instance}, path("f"),
                            FileMode::readable, "content");
  ASSERT_FALSE(put.has_value());
  EXPECT_EQ(put.error().code, Errc::corrupt);
  EXPECT_EQ(bed_.said_by(fmt::format("ls -A {}/root/code", bed_.root().string())), "");
}

TEST_F(put_file_on_machine, what_is_too_large_is_refused_with_its_size) {
  const auto put =
      put_file(bed_.machine(), path("f"), FileMode::readable, noise(std::size_t{3} << 20U));
  ASSERT_FALSE(put.has_value());
  EXPECT_EQ(put.error().code, Errc::invalid_argument);
  EXPECT_THAT(put.error().message, ::testing::HasSubstr("3.0 MiB"));
  EXPECT_FALSE(put_file(bed_.machine(), "relative", FileMode::readable, "").has_value());
}

}  // namespace
}  // namespace runctl::node
