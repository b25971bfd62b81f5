// Freezing a filesystem on a real device, and that nothing stays frozen.
#include "node/freeze.hpp"

#include <chrono>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/block_machine_fixture.hpp"

namespace runctl::node {
namespace {

using testing::code_of;
using ::testing::HasSubstr;
using testing::volume;

class on_frozen_machine : public testing::OnBlockMachine {
 protected:
  Result<Frozen> freeze_it(std::chrono::seconds dead_man = std::chrono::seconds{20},
                           const std::string& token = "t-1") {
    return freeze(bed_->machine(), {.volume = volume, .token = token, .dead_man = dead_man});
  }
  Result<Thawed> thaw_it(const std::string& token = "t-1") {
    return thaw(bed_->machine(), volume, token);
  }
  // A writer that says "waiting" before and "written" after its write. The answer is looked for
  // outside of the filesystem.
  std::string writer() {
    return fmt::format(
        "echo waiting >{0}/said; echo x >{1}/file && sync {1}/file && echo written >{0}/said; "
        "exec sleep 60",
        bed_->folder().string(), bed_->mount_point());
  }
  bool has_written() {
    return testing::said_by(fmt::format("cat {}/said", bed_->folder().string())) == "written";
  }
  bool writes_within_five_seconds() {
    return testing::eventually(fmt::format("grep -q written {}/said", bed_->folder().string()));
  }
  std::string dead_man() {
    return testing::said_by(fmt::format("cut -d ' ' -f 1 {}/run/{}.freeze/dead_man",
                                        bed_->folder().string(), volume.str()));
  }
  // A freeze that has to wait a second, as for a long write that was begun before; "begun" is there
  // meanwhile.
  void make_freezing_slow() {
    program("fsfreeze", "case $1 in --freeze) : >" + bed_->folder().string() +
                            "/begun; sleep 1 ;; esac; exec fsfreeze_of_the_machine \"$@\"");
    testing::said_by("ln -s $(command -v fsfreeze) " + bed_->folder().string() +
                     "/bin/fsfreeze_of_the_machine");
  }
  Result<Frozen> freeze_slowly(std::chrono::seconds dead_man = std::chrono::seconds{20}) {
    return freeze(stand_in(), {.volume = volume, .token = "t-1", .dead_man = dead_man});
  }
  bool has_begun() {
    return testing::eventually(fmt::format("[ -e {}/begun ]", bed_->folder().string()));
  }
  // Whether it stood still until now.
  bool stands_still() {
    return testing::said_by("fsfreeze -u " + bed_->mount_point() + " 2>/dev/null && echo it was") ==
           "it was";
  }
  // Whether somebody holds the lock of the volume.
  std::string guards() {
    return testing::said_by(fmt::format("flock -n {}/run/{}.lock true || echo held",
                                        bed_->folder().string(), volume.str()));
  }
  // Whatever a test leaves frozen would hold its loop device for ever.
  void TearDown() override {
    if (bed_) (void)testing::said_by("fsfreeze -u " + bed_->mount_point() + " 2>/dev/null");
  }
};

TEST_F(on_frozen_machine, writers_wait_until_the_thaw) {
  make_mounted();
  const auto frozen = freeze_it();
  ASSERT_EQ(code_of(frozen), "");
  EXPECT_EQ(frozen->state, Stillness::frozen);
  EXPECT_EQ(frozen->mount_point, bed_->mount_point());
  EXPECT_EQ(guards(), "held");
  const testing::Background process{writer()};
  EXPECT_TRUE(testing::eventually(fmt::format("[ -e {}/said ]", bed_->folder().string())));
  testing::said_by("sleep 0.2");
  EXPECT_FALSE(has_written());
  const auto thawed = thaw_it();
  ASSERT_EQ(code_of(thawed), "");
  EXPECT_TRUE(thawed->held);
  EXPECT_GE(thawed->frozen.count(), 200);
  EXPECT_LT(thawed->frozen.count(), 20'000);
  EXPECT_TRUE(writes_within_five_seconds());
  // Nothing of it is left: neither the guard nor its lock.
  EXPECT_EQ(dead_man(), "");
  EXPECT_EQ(guards(), "");
}

TEST_F(on_frozen_machine, what_is_copied_meanwhile_is_clean) {
  make_mounted();
  const testing::Background process{fmt::format(
      "i=0; while :; do i=$((i + 1)); echo $i >{}/$((i % 50)); done", bed_->mount_point())};
  testing::said_by("sleep 0.3");
  ASSERT_EQ(code_of(freeze_it()), "");
  const auto copy = [&](const std::string& name) {
    testing::said_by(fmt::format("dd if={} of={}/{} bs=1M iflag=direct 2>/dev/null",
                                 bed_->node(1).string(), bed_->folder().string(), name));
    return testing::said_by(fmt::format("dumpe2fs -h {}/{} 2>/dev/null | grep -c needs_recovery",
                                        bed_->folder().string(), name));
  };
  EXPECT_EQ(copy("frozen"), "0");
  const auto thawed = thaw_it();
  ASSERT_EQ(code_of(thawed), "");
  EXPECT_TRUE(thawed->held);
  EXPECT_EQ(copy("unfrozen"), "1") << "the check cannot tell";
}

TEST_F(on_frozen_machine, a_machine_thaws_by_itself_when_nobody_comes_back) {
  make_mounted();
  ASSERT_EQ(code_of(freeze_it(std::chrono::seconds{1})), "");
  const testing::Background process{writer()};
  EXPECT_TRUE(writes_within_five_seconds());
  const auto thawed = thaw_it();
  ASSERT_EQ(code_of(thawed), "");
  EXPECT_FALSE(thawed->held) << "the freeze was over before";
  EXPECT_EQ(code_of(unmount_it()), "") << "something is held still";
}

TEST_F(on_frozen_machine, one_that_was_thawed_by_another_does_not_count_as_held) {
  make_mounted();
  ASSERT_EQ(code_of(freeze_it()), "");
  testing::said_by("fsfreeze -u " + bed_->mount_point());
  const auto thawed = thaw_it();
  ASSERT_EQ(code_of(thawed), "");
  EXPECT_FALSE(thawed->held);
}

TEST_F(on_frozen_machine, one_whose_guard_was_killed_is_thawed_all_the_same) {
  make_mounted();
  ASSERT_EQ(code_of(freeze_it()), "");
  testing::said_by(fmt::format("kill -9 -{}; sleep 0.1", dead_man()));
  const auto thawed = thaw_it();
  ASSERT_EQ(code_of(thawed), "");
  EXPECT_FALSE(thawed->held) << "nothing proves that it stood still";
  const testing::Background process{writer()};
  EXPECT_TRUE(writes_within_five_seconds());
}

TEST_F(on_frozen_machine, another_token_thaws_nothing) {
  make_mounted();
  ASSERT_EQ(code_of(freeze_it()), "");
  const auto other = thaw_it("t-2");
  ASSERT_EQ(code_of(other), "");
  EXPECT_FALSE(other->held);
  const testing::Background process{writer()};
  testing::said_by("sleep 0.3");
  EXPECT_FALSE(has_written());
  const auto thawed = thaw_it();
  ASSERT_EQ(code_of(thawed), "");
  EXPECT_TRUE(thawed->held);
}

TEST_F(on_frozen_machine, no_other_operation_begins_while_it_stands_still) {
  make_mounted();
  ASSERT_EQ(code_of(freeze_it()), "");
  EXPECT_EQ(code_of(unmount_it()), "locked");
  EXPECT_EQ(code_of(freeze_it(std::chrono::seconds{20}, "t-2")), "locked");
  const auto thawed = thaw_it();
  ASSERT_EQ(code_of(thawed), "");
  EXPECT_TRUE(thawed->held);
  EXPECT_EQ(code_of(unmount_it()), "");
}

TEST_F(on_frozen_machine, one_that_another_froze_is_left_to_them) {
  make_mounted();
  testing::said_by("fsfreeze -f " + bed_->mount_point());
  const auto frozen = freeze_it();
  EXPECT_EQ(code_of(frozen), "freeze_failed");
  EXPECT_EQ(guards(), "");
  EXPECT_TRUE(stands_still()) << "theirs was thawed";
}

TEST_F(on_frozen_machine, a_thaw_that_comes_before_the_freeze_leaves_nothing_frozen) {
  make_mounted();
  make_freezing_slow();
  Result<Frozen> frozen = Frozen{};
  {
    const std::jthread freezing{[&] { frozen = freeze_slowly(); }};
    ASSERT_TRUE(has_begun());
    const auto thawed = thaw_it();
    ASSERT_EQ(code_of(thawed), "");
    EXPECT_FALSE(thawed->held);
  }
  EXPECT_EQ(code_of(frozen), "freeze_failed") << "nobody guards it";
  EXPECT_FALSE(stands_still());
  EXPECT_EQ(guards(), "");
}

// What waits in the kernel cannot be killed, and freezes when its time comes.
TEST_F(on_frozen_machine, a_freeze_that_outlives_its_script_is_thawed) {
  make_mounted();
  make_freezing_slow();
  {
    const std::jthread freezing{[&] { (void)freeze_slowly(); }};
    ASSERT_TRUE(has_begun());
    testing::said_by(fmt::format("kill -9 $(cut -d ' ' -f 1 {}/run/{}.freeze/parent)",
                                 bed_->folder().string(), volume.str()));
  }
  const auto thawed = thaw_it();
  ASSERT_EQ(code_of(thawed), "");
  EXPECT_FALSE(thawed->held);
  EXPECT_EQ(guards(), "") << "it is thawed only once it is frozen";
  EXPECT_FALSE(stands_still());
  EXPECT_EQ(code_of(unmount_it()), "");
}

TEST_F(on_frozen_machine, what_takes_long_to_write_back_is_frozen_all_the_same) {
  make_mounted();
  program("sync", "[ \"$1\" = --help ] || sleep 4; exec /bin/sync \"$@\"");
  const auto frozen = freeze_slowly(std::chrono::seconds{3});
  ASSERT_EQ(code_of(frozen), "");
  EXPECT_EQ(frozen->state, Stillness::frozen);
  ASSERT_EQ(code_of(thaw_it()), "");
}

// util-linux has it since 2.32; Amazon Linux 2 has 2.30.
TEST_F(on_frozen_machine, a_setsid_that_cannot_fork_is_enough) {
  make_mounted();
  program("setsid", "case $1 in -*) exit 1 ;; esac; exec /usr/bin/setsid \"$@\"");
  ASSERT_EQ(code_of(freeze_slowly()), "");
  const auto thawed = thaw_it();
  ASSERT_EQ(code_of(thawed), "");
  EXPECT_TRUE(thawed->held);
}

TEST_F(on_frozen_machine, what_is_held_by_other_ways_than_a_mount_is_told) {
  add_volume();
  ASSERT_EQ(code_of(format_as(FilesystemType::ext4)), "");
  const testing::Background process{
      fmt::format("exec python3 -c 'import os, time; os.open(\"{}\", os.O_RDWR | os.O_EXCL); "
                  "open(\"{}/begun\", \"w\"); time.sleep(30)'",
                  bed_->node(1).string(), bed_->folder().string())};
  ASSERT_TRUE(has_begun());
  const auto frozen = freeze_it();
  ASSERT_EQ(code_of(frozen), "");
  EXPECT_EQ(frozen->state, Stillness::in_use);
}

TEST_F(on_frozen_machine, what_is_not_mounted_or_not_to_write_needs_no_freeze) {
  make_mounted();
  ASSERT_EQ(code_of(unmount_it()), "");
  auto frozen = freeze_it();
  ASSERT_EQ(code_of(frozen), "");
  EXPECT_EQ(frozen->state, Stillness::not_mounted);
  EXPECT_EQ(frozen->journal, Journal::clean);
  ASSERT_EQ(code_of(mount_it(Access::read_only)), "");
  frozen = freeze_it();
  ASSERT_EQ(code_of(frozen), "");
  EXPECT_EQ(frozen->state, Stillness::read_only);
}

TEST_F(on_frozen_machine, a_volume_that_the_machine_runs_on_is_never_frozen) {
  make_mounted();
  testing::said_by(fmt::format("mkdir {0}/run; mount --bind {0}/run {1}/run", bed_->mount_point(),
                               bed_->folder().string()));
  const auto frozen = freeze_it();
  ASSERT_EQ(code_of(frozen), "not_possible");
  EXPECT_THAT(frozen.error().message, HasSubstr("/run of this machine"));
  testing::said_by(fmt::format("umount {}/run", bed_->folder().string()));
}

}  // namespace
}  // namespace runctl::node
