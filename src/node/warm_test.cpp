// Reading a whole device, on real ones, by our own program and without it.
#include "node/warm.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <sys/mount.h>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.hpp"
#include "node/block_machine_fixture.hpp"
#include "node/block_reader_fixture.hpp"
#include "node/files_machine.hpp"
#include "node/gzip.hpp"

namespace runctl::node {
namespace {

using testing::code_of;
using ::testing::HasSubstr;
using testing::own_reader;
using testing::volume;
namespace fs = std::filesystem;

class warming : public testing::OnBlockMachine {
 protected:
  Result<Warmed> warm_it() { return warm(bed_->machine(), volume, watch()); }
  Result<Warmed> warm_by(const std::string& program) {
    return warm_with(base64(gzip(program).value()), bed_->machine(), volume, watch());
  }
  JobWatch watch() {
    return {.clock = clock_, .deadline = clock_.ticks() + std::chrono::seconds{30}};
  }
  // Sectors read from the device, by the kernel's own count.
  std::uint64_t sectors_read(const testing::LoopDevice& loop) {
    return std::stoull(testing::said_by(
        fmt::format("awk '{{ print $3 }}' /sys/dev/block/{}/stat", loop.number())));
  }
  RealClock clock_;
};

TEST_F(warming, reads_every_block_once) {
  auto& loop = add_volume(700);  // not a multiple of a stretch
  std::vector<std::string> readers{""};
  if (own_reader()) readers.push_back(packed_readers().value());
  for (const auto& sent : readers) {
    const auto before = sectors_read(loop);
    const auto warmed = warm_with(sent, bed_->machine(), volume, watch());
    ASSERT_EQ(code_of(warmed), "");
    EXPECT_EQ(warmed->reader, sent.empty() ? "dd" : "aio");
    EXPECT_EQ(warmed->why, sent.empty() ? "none is made for this machine's processor" : "");
    EXPECT_EQ(warmed->bytes, 700U << 20U);
    const auto read = (sectors_read(loop) - before) * 512;
    EXPECT_GE(read, 700U << 20U);
    EXPECT_LE(read, (700U << 20U) + (2U << 20U)) << "some of it was read twice";
  }
}

TEST_F(warming, goes_on_beside_a_mount_and_writes_nothing) {
  add_volume();
  // One that the kernel does not write to by itself: no multi-mount protection, nothing left to
  // initialise.
  testing::said_by("mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 " +
                   bed_->node(1).string());
  ASSERT_EQ(code_of(mount_it()), "");
  testing::said_by("sync -f " + bed_->mount_point());
  const auto written = [&] {
    return testing::said_by(
        fmt::format("awk '{{ print $7 }}' /sys/dev/block/$(stat -c '%Hr:%Lr' {})/stat",
                    bed_->node(1).string()));
  };
  const auto before = written();
  EXPECT_EQ(code_of(warm_it()), "");
  EXPECT_EQ(written(), before);
  EXPECT_EQ(code_of(unmount_it()), "");
}

TEST_F(warming, names_the_byte_that_cannot_be_read) {
  auto& loop = add_volume(256);
  // The image loses its end under the device: reads there fail.
  constexpr std::uint64_t end = (100U << 20U) + (3U * 4096);
  fs::resize_file(bed_->folder() / "image1", end);
  const auto without = warm_with("", bed_->machine(), volume, watch());
  ASSERT_EQ(code_of(without), "io_error");
  EXPECT_THAT(without.error().message, HasSubstr(fmt::format("cannot be read at byte {}", end)));
  EXPECT_THAT(without.error().message, HasSubstr("the reading ended there"));
  if (!own_reader()) return;
  const auto before = sectors_read(loop);
  const auto warmed = warm_it();
  ASSERT_EQ(code_of(warmed), "io_error");
  EXPECT_THAT(warmed.error().message,
              HasSubstr(fmt::format("cannot be read at byte {}, {} bytes of it in all; all the "
                                    "rest has been read",
                                    end, (256U << 20U) - end)));
  EXPECT_GE((sectors_read(loop) - before) * 512, 100U << 20U);
}

TEST_F(warming, a_program_for_another_processor_is_not_run) {
  if (!own_reader()) GTEST_SKIP() << "this build makes no reader for this machine";
  add_volume(64);
  std::string other = *own_reader();
  other.at(18) = '\x16';  // e_machine: an IBM S/390
  const auto warmed = warm_by(other);
  ASSERT_EQ(code_of(warmed), "");
  EXPECT_EQ(warmed->reader, "dd");
  EXPECT_EQ(warmed->why, "none is made for this machine's processor");
}

TEST_F(warming, what_is_no_program_is_not_run) {
  add_volume(64);
  std::string half = packed_readers().value();
  half = half.substr(0, half.find(' '));
  half.resize(half.size() / 2);
  const std::string script = base64(gzip("#!/bin/sh\ntouch " + at_image() + ".ran\n").value());
  for (const auto& sent : {std::string{"$(reboot)"}, half, script}) {
    const auto warmed = warm_with(sent, bed_->machine(), volume, watch());
    ASSERT_EQ(code_of(warmed), "") << sent;
    EXPECT_EQ(warmed->reader, "dd") << sent;
  }
  EXPECT_FALSE(fs::exists(at_image() + ".ran"));
}

TEST_F(warming, one_that_cannot_work_here_is_replaced) {
  if (!own_reader()) GTEST_SKIP() << "this build makes no reader for this machine";
  add_volume(64);
  for (const auto& [code, status] :
       {std::pair{testing::leaves_with_3, 3}, std::pair{testing::illegal_instruction, 132}}) {
    const auto warmed = warm_by(testing::reader_that(code));
    ASSERT_EQ(code_of(warmed), "");
    EXPECT_EQ(warmed->reader, "dd");
    EXPECT_EQ(warmed->why, fmt::format("it cannot work here (status {})", status));
  }
}

// A folder from which no program can be run, for as long as this lives.
class Noexec {
 public:
  explicit Noexec(std::string path) : path_{std::move(path)} {
    fs::create_directories(path_);
    EXPECT_EQ(::mount("none", path_.c_str(), "tmpfs", MS_NOEXEC, nullptr), 0);
  }
  Noexec(const Noexec&) = delete;
  Noexec& operator=(const Noexec&) = delete;
  Noexec(Noexec&&) = delete;
  Noexec& operator=(Noexec&&) = delete;
  ~Noexec() { ::umount2(path_.c_str(), MNT_DETACH); }

 private:
  std::string path_;
};

TEST_F(warming, a_folder_for_programs_is_looked_for) {
  if (!own_reader()) GTEST_SKIP() << "this build makes no reader for this machine";
  add_volume(64);
  const auto files = [] { return testing::said_by("ls -A /dev/shm /var/tmp"); };
  const auto before = files();
  const Noexec first{bed_->folder() / "run"};
  auto warmed = warm_it();
  ASSERT_EQ(code_of(warmed), "");
  EXPECT_EQ(warmed->reader, "aio");
  const Noexec second{"/dev/shm"};
  warmed = warm_it();
  ASSERT_EQ(code_of(warmed), "");
  EXPECT_EQ(warmed->reader, "aio");
  {
    const Noexec third{"/var/tmp"};
    warmed = warm_it();
    ASSERT_EQ(code_of(warmed), "");
    EXPECT_EQ(warmed->reader, "dd");
    EXPECT_EQ(warmed->why, "programs cannot be run from /var/tmp");
    EXPECT_EQ(testing::said_by("ls -A /dev/shm /var/tmp | grep tmp[.]"), "");
  }
  ::umount2("/dev/shm", MNT_DETACH);
  EXPECT_EQ(files(), before) << "something was left behind";
}

// A command that names the processes that were told to read so many bytes, and not itself.
std::string readers_of(std::uint64_t bytes) {
  return fmt::format("grep -l -z -x '[0]*{}' /proc/[0-9]*/cmdline 2>/dev/null", bytes);
}

TEST_F(warming, one_that_is_killed_is_not_taken_for_done) {
  if (!own_reader()) GTEST_SKIP() << "this build makes no reader for this machine";
  add_volume(61);  // a size by which no other test's reader is found
  Result<Warmed> warmed = fail(Errc::internal, "never ran");
  {
    const std::jthread other{[&] { warmed = warm_by(testing::reader_that(testing::never_ends)); }};
    const std::string find = fmt::format("{} | cut -d / -f 3", readers_of(61U << 20U));
    EXPECT_TRUE(testing::eventually(fmt::format("[ -n \"$({})\" ]", find)));
    testing::said_by(fmt::format("kill -9 $({})", find));
  }
  ASSERT_EQ(code_of(warmed), "io_error");
  EXPECT_THAT(warmed.error().message, HasSubstr("ended in the middle (status 137)"));
}

TEST_F(warming, one_that_is_late_is_ended_and_has_told_how_far_it_came) {
  if (!own_reader()) GTEST_SKIP() << "this build makes no reader for this machine";
  add_volume(std::uint64_t{8} << 20U);  // 8 TiB of nothing
  std::vector<JobProgress> told;
  const auto warmed = warm(bed_->machine(), volume,
                           {.clock = clock_,
                            .deadline = clock_.ticks() + std::chrono::seconds{3},
                            .progress = [&](const auto& progress) { told.push_back(progress); }});
  ASSERT_FALSE(warmed);
  EXPECT_EQ(warmed.error().code, Errc::deadline_exceeded);
  EXPECT_EQ(warmed.error().effect, Effect::not_applied);
  EXPECT_EQ(testing::said_by(readers_of(std::uint64_t{8} << 40U)), "") << "it goes on";
  ASSERT_GE(told.size(), 2U);
  EXPECT_EQ(told.back().total_bytes, std::uint64_t{8} << 40U);
  EXPECT_GT(told.back().done_bytes, std::uint64_t{64} << 20U);
  EXPECT_LT(told.back().done_bytes, told.back().total_bytes);
}

TEST_F(warming, another_volumes_device_is_not_read) {
  auto& loop = bed_->add(1, "vol0aaaaaaaaaaaaaaaa");
  const auto before = sectors_read(loop);
  (void)warm(bed_->machine(), volume,
             {.clock = clock_, .deadline = clock_.ticks() + std::chrono::seconds{2}});
  EXPECT_EQ(sectors_read(loop), before);
}

TEST(warming_directories, is_not_possible) {
  testing::FilesMachine bed;
  bed.add(volume);
  RealClock clock;
  EXPECT_EQ(code_of(warm(bed.machine(), volume,
                         {.clock = clock, .deadline = clock.ticks() + std::chrono::seconds{10}})),
            "not_possible");
}

}  // namespace
}  // namespace runctl::node
