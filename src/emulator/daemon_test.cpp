#include "emulator/daemon.hpp"

#include <filesystem>
#include <sstream>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "emulator/fake_hardware.hpp"
#include "io/detached_process.hpp"
#include "io/file.hpp"
#include "io/real_clock.hpp"

namespace runctl::emulator {
namespace {

namespace fs = std::filesystem;

class DaemonTest : public testing::Test {
 protected:
  DaemonTest() { fs::remove_all(folder); }
  ~DaemonTest() override { fs::remove_all(folder); }

  Result<void> run(std::ostream& out, const std::stop_token& stop) {
    return run_emulator({.state = folder, .port = 0},
                        {.clock = clock,
                         .random = random,
                         .out = out,
                         .make_hardware = [this]() -> Result<HardwareChoice> {
                           return HardwareChoice{.hardware = fake_hardware(bench),
                                                 .note = "a note"};
                         },
                         .version = "1"},
                        stop);
  }

  std::optional<EmulatorInfo> wait_for_info() {
    for (int i = 0; i < 1'000; ++i) {
      if (auto info = emulator_status(folder); info && *info) return **info;
      (void)clock.sleep_until(clock.ticks() + std::chrono::milliseconds{5}, {});
    }
    return std::nullopt;
  }

  fs::path folder = fs::temp_directory_path() / fmt::format("runctl-daemon-{}", ::getpid());
  RealClock clock;
  SystemRandom random;
  std::shared_ptr<FakeBench> bench = std::make_shared<FakeBench>();
};

TEST_F(DaemonTest, OneServesADirectoryAndLeavesNothingButItsState) {
  std::ostringstream out;
  std::optional<Result<void>> ended;
  std::jthread daemon{[&](const std::stop_token& stop) { ended = run(out, stop); }};
  const auto info = wait_for_info();
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->pid, ::getpid());
  EXPECT_EQ(info->hardware_note, "a note");
  std::ostringstream unused;
  const auto second = run(unused, {});
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Errc::conflict);
  EXPECT_NE(second.error().message.find(info->endpoint), std::string::npos);
  daemon.request_stop();
  daemon.join();
  ASSERT_TRUE(ended.has_value() && ended->has_value());
  EXPECT_EQ(out.str(), "listening on " + info->endpoint + "\n");
  EXPECT_FALSE(fs::exists(folder / "emulator.json"));
  EXPECT_FALSE(*emulator_status(folder));
}

TEST_F(DaemonTest, AnInfoFileOfAProcessThatHasGoneNamesNobody) {
  fs::create_directories(folder);
  const auto write = [&](std::uint64_t start) {
    const auto text =
        fmt::format(R"({{"pid":{},"start":{},"endpoint":"http://x"}})", ::getpid(), start);
    return write_file_atomically(folder / "emulator.json", text).has_value();
  };
  const auto start = process_start(::getpid());
  ASSERT_TRUE(start.has_value());
  ASSERT_TRUE(write(*start));
  EXPECT_TRUE(emulator_status(folder)->has_value());
  ASSERT_TRUE(write(*start - 1));  // the number was given again
  EXPECT_FALSE(emulator_status(folder)->has_value());
  EXPECT_FALSE(*stop_emulator(folder));
}

TEST_F(DaemonTest, AStateFileOfAnotherKindIsRefusedAndKept) {
  fs::create_directories(folder);
  const std::string text(5'000, 'x');
  ASSERT_TRUE(write_file_atomically(folder / "state.sqlite", text).has_value());
  std::ostringstream out;
  const auto refused = run(out, {});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::corrupt);
  EXPECT_EQ(*read_file(folder / "state.sqlite"), text);
}

TEST_F(DaemonTest, AProgramThatEndsInsteadShowsItsLastWords) {
  fs::create_directories(folder);
  const fs::path program = folder / "program";
  ASSERT_TRUE(write_file_atomically(
                  program, "#!/bin/sh\necho first\necho \"last words of $2\" >&2\nexit 1\n")
                  .has_value());
  fs::permissions(program, fs::perms::owner_all);
  const auto started = start_emulator({.state = folder}, clock, {}, {}, program);
  ASSERT_FALSE(started.has_value());
  EXPECT_EQ(started.error().message, "the emulator did not start: last words of run");
}

TEST_F(DaemonTest, EndsAProcessThatItHasStarted) {
  fs::create_directories(folder);
  const auto pid =
      spawn_detached({.program = "/bin/sleep", .argv = {"sleep", "60"}, .output = folder / "log"});
  ASSERT_TRUE(pid.has_value());
  const auto start = process_start(*pid);
  ASSERT_TRUE(start.has_value());
  EXPECT_FALSE(*end_process(*pid, *start + 1, std::chrono::seconds{5}));
  EXPECT_TRUE(process_start(*pid).has_value());
  EXPECT_TRUE(*end_process(*pid, *start, std::chrono::seconds{5}));
  EXPECT_FALSE(process_start(*pid).has_value());
}

}  // namespace
}  // namespace runctl::emulator
