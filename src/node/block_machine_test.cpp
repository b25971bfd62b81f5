// The scripts for volumes, with the real programs on real loop devices.
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/block_machine_fixture.hpp"
#include "node/machine_facts.hpp"
#include "node/volume_on_machine.hpp"

namespace runctl::node {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
namespace fs = std::filesystem;

using testing::code_of;
using testing::serial;
using testing::uuid;
using testing::volume;
using on_block_machine = testing::OnBlockMachine;

// --- identity
// -------------------------------------------------------------------------------------------------------

TEST_F(on_block_machine, a_device_with_another_serial_is_never_touched) {
  bed_->add(1, "vol0aaaaaaaaaaaaaaaa");
  EXPECT_EQ(code_of(format_as(FilesystemType::ext4)), "no_device");
  EXPECT_EQ(code_of(mount_it()), "no_device");
  EXPECT_EQ(code_of(unmount_it()), "no_device");
  EXPECT_EQ(testing::said_by(fmt::format("blkid -p {}", bed_->node(1).string())), "");
}

TEST_F(on_block_machine, the_volume_is_found_by_serial_whatever_its_number) {
  bed_->add(1, "vol0aaaaaaaaaaaaaaaa");
  bed_->add(2, std::string{serial} + "   ");  // padded, as NVMe does
  const auto made = format_as(FilesystemType::ext4);
  ASSERT_EQ(code_of(made), "");
  EXPECT_EQ(made->device, bed_->node(2));
  EXPECT_EQ(testing::said_by(fmt::format("blkid -p {}", bed_->node(1).string())), "");
}

TEST_F(on_block_machine, a_link_by_id_is_not_believed) {
  bed_->add(1, "vol0aaaaaaaaaaaaaaaa");
  fs::create_directories(bed_->folder() / "dev/disk/by-id");
  fs::create_symlink(bed_->node(1), bed_->folder() / "dev/disk/by-id" /
                                        fmt::format("nvme-Amazon_Elastic_Block_Store_{}", serial));
  EXPECT_EQ(code_of(mount_it()), "no_device");
}

TEST_F(on_block_machine, two_devices_with_one_serial_prove_nothing) {
  bed_->add(1, serial);
  bed_->add(2, serial);
  EXPECT_EQ(code_of(format_as(FilesystemType::ext4)), "wrong_device");
}

TEST_F(on_block_machine, a_device_of_another_size_is_not_the_volume) {
  add_volume();
  const auto made = format(bed_->machine(), {.volume = volume,
                                             .uuid = uuid,
                                             .created_empty = CreatedEmpty::yes,
                                             .size = GiB{1},
                                             .device_wait = std::chrono::seconds{0}});
  EXPECT_EQ(code_of(made), "wrong_device");
}

TEST_F(on_block_machine, devices_without_a_serial_are_refused_by_name) {
  add_volume();
  fs::rename(bed_->node(1), bed_->folder() / "dev/xvdf");
  const auto mounted = mount_it();
  ASSERT_EQ(code_of(mounted), "no_serial");
  EXPECT_THAT(mounted.error().message, HasSubstr("/xvdf"));
  EXPECT_THAT(mounted.error().message, HasSubstr("Xen"));
  // An unmount that took it for gone would have it detached while it is mounted.
  EXPECT_EQ(code_of(unmount_it()), "no_serial");
}

TEST_F(on_block_machine, a_device_that_appears_late_is_waited_for) {
  add_volume();
  ASSERT_EQ(code_of(format_as(FilesystemType::ext4)), "");
  const auto hidden = bed_->folder() / "late";
  fs::rename(bed_->node(1), hidden);
  const testing::Background udev{
      fmt::format("sleep 0.7; mv {} {}", hidden.string(), bed_->node(1).string())};
  const auto mounted = mount(bed_->machine(), {.volume = volume,
                                               .mount_point = bed_->mount_point(),
                                               .device_wait = std::chrono::seconds{10}});
  EXPECT_EQ(code_of(mounted), "");
}

TEST_F(on_block_machine, a_name_that_comes_to_mean_another_device_during_the_mount_is_noticed) {
  add_volume();
  ASSERT_EQ(code_of(format_as(FilesystemType::ext4)), "");
  auto& other = bed_->add(2, "vol0aaaaaaaaaaaaaaaa");
  testing::said_by("mkfs.ext4 -q " + other.path());
  // A mount(8) that swaps the nodes at the worst moment.
  program("mount", fmt::format("mv {1} {0}\nexec /bin/mount \"$@\"", bed_->node(1).string(),
                               bed_->node(2).string()));
  const auto mounted = mount(stand_in(), {.volume = volume,
                                          .mount_point = bed_->mount_point(),
                                          .device_wait = std::chrono::seconds{0}});
  EXPECT_EQ(code_of(mounted), "wrong_device");
  EXPECT_EQ(testing::said_by(fmt::format("grep -c {} /proc/self/mountinfo", bed_->mount_point())),
            "0");
}

// --- format
// ---------------------------------------------------------------------------------------------------------

class formatting : public on_block_machine, public ::testing::WithParamInterface<FilesystemType> {};

TEST_P(formatting, makes_the_filesystem_that_was_asked_for_and_knows_it_again) {
  add_volume();
  const auto first = format_as(GetParam());
  ASSERT_EQ(code_of(first), "");
  EXPECT_FALSE(first->already);
  EXPECT_EQ(first->type, name_of(GetParam()));
  EXPECT_EQ(first->uuid, uuid);
  const auto again = format_as(GetParam(), CreatedEmpty::no);
  ASSERT_EQ(code_of(again), "");
  EXPECT_TRUE(again->already);
}

INSTANTIATE_TEST_SUITE_P(of, formatting,
                         ::testing::Values(FilesystemType::ext4, FilesystemType::xfs),
                         [](const auto& of) { return std::string{name_of(of.param)}; });

TEST_F(on_block_machine, ext4_gets_multi_mount_protection) {
  auto& loop = add_volume(8192);
  ASSERT_EQ(code_of(format_as(FilesystemType::ext4)), "");
  EXPECT_THAT(testing::said_by("dumpe2fs -h " + loop.path() + " 2>/dev/null"), HasSubstr(" mmp "));
}

TEST_F(on_block_machine, a_volume_that_was_not_created_empty_is_never_formatted) {
  add_volume();
  EXPECT_EQ(code_of(format_as(FilesystemType::ext4, CreatedEmpty::no)), "not_created_empty");
}

TEST_F(on_block_machine, a_volume_with_a_filesystem_is_never_formatted) {
  auto& loop = add_volume();
  testing::said_by("mkfs.xfs -q " + loop.path());
  EXPECT_EQ(code_of(format_as(FilesystemType::ext4)), "not_blank");
  EXPECT_EQ(testing::said_by("blkid -p -o value -s TYPE " + loop.path()), "xfs");
}

TEST_F(on_block_machine, a_volume_with_a_partition_table_is_never_formatted) {
  auto& loop = add_volume();
  using namespace std::string_literals;
  // One Linux partition from sector 2048 of 4096 sectors, and the mark at the sector's end.
  scribble(loop.path(), 446, "\0\0\0\0\x83\0\0\0\0\x08\0\0\0\x10\0\0"s);
  scribble(loop.path(), 510, "\x55\xAA");
  ASSERT_EQ(testing::said_by("blkid -p -o value -s PTTYPE " + loop.path()), "dos");
  EXPECT_EQ(code_of(format_as(FilesystemType::ext4)), "not_blank");
}

// No signature, so only the positive read of zeros stands between these and mkfs.
TEST_F(on_block_machine, data_without_a_signature_at_the_start_is_never_formatted_over) {
  auto& loop = add_volume();
  scribble(loop.path(), 3U << 20U, "precious");
  EXPECT_EQ(code_of(format_as(FilesystemType::ext4)), "not_blank");
}

TEST_F(on_block_machine, data_without_a_signature_at_the_end_is_never_formatted_over) {
  auto& loop = add_volume();
  scribble(loop.path(), (512U << 20U) - 8, "precious");
  EXPECT_EQ(code_of(format_as(FilesystemType::ext4)), "not_blank");
}

TEST_F(on_block_machine, data_without_a_signature_in_between_is_never_formatted_over) {
  auto& loop = add_volume();
  scribble(loop.path(), 256U << 20U, "precious");
  EXPECT_EQ(code_of(format_as(FilesystemType::ext4)), "not_blank");
}

TEST_F(on_block_machine, a_volume_that_cannot_be_read_does_not_pass_for_blank) {
  auto& loop = add_volume();
  // The image loses its end under the device: reads there fail.
  fs::resize_file(bed_->folder() / "image1", 2U << 20U);
  testing::said_by("blockdev --flushbufs " + loop.path());
  const auto made = format_as(FilesystemType::ext4);
  EXPECT_EQ(code_of(made), "io_error");
  EXPECT_EQ(made.error().effect, Effect::unknown);
}

TEST_F(on_block_machine, a_mounted_volume_is_never_formatted) {
  make_mounted();
  EXPECT_EQ(code_of(format_as(FilesystemType::xfs)), "mounted_elsewhere");
}

TEST_F(on_block_machine, a_uuid_that_is_none_is_refused_before_anything_is_sent) {
  const auto made = format(bed_->machine(), {.volume = volume, .uuid = "'; reboot; '"});
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code, Errc::invalid_argument);
}

TEST_F(on_block_machine, two_operations_on_one_volume_exclude_each_other) {
  add_volume();
  fs::create_directories(bed_->folder() / "run");
  const auto lock = (bed_->folder() / "run" / (volume.str() + ".lock")).string();
  const testing::Background other{
      fmt::format("exec 9>>{0}; flock 9; : >{0}.held; exec sleep 30", lock)};
  ASSERT_TRUE(testing::eventually(fmt::format("[ -e {}.held ]", lock)));
  EXPECT_EQ(code_of(format_as(FilesystemType::ext4)), "locked");
  EXPECT_EQ(code_of(mount_it()), "locked");
  EXPECT_EQ(code_of(unmount_it()), "locked");
}

// --- mount
// ----------------------------------------------------------------------------------------------------------

class mounting : public on_block_machine, public ::testing::WithParamInterface<FilesystemType> {};

TEST_P(mounting, keeps_what_was_written_over_unmount_and_mount) {
  add_volume();
  ASSERT_EQ(code_of(format_as(GetParam())), "");
  const auto mounted = mount_it();
  ASSERT_EQ(code_of(mounted), "");
  EXPECT_EQ(mounted->path, bed_->mount_point());
  EXPECT_EQ(mounted->type, name_of(GetParam()));
  EXPECT_EQ(mounted->uuid, uuid);
  EXPECT_THAT(mounted->options, HasSubstr("nosuid,nodev"));
  EXPECT_GT(mounted->free_bytes, 100U << 20U);
  std::ofstream{fs::path{mounted->path} / "checkpoint"} << "step 7";
  const auto unmounted = unmount_it();
  ASSERT_EQ(code_of(unmounted), "");
  EXPECT_FALSE(unmounted->already);
  EXPECT_EQ(unmounted->journal, Journal::clean);
  EXPECT_FALSE(fs::exists(bed_->mount_point())) << "the directory that mount made is left behind";
  ASSERT_EQ(code_of(mount_it()), "");
  EXPECT_EQ(testing::said_by("cat " + bed_->mount_point() + "/checkpoint"), "step 7");
}

TEST_P(mounting, read_only_changes_no_byte_of_the_device) {
  auto& loop = add_volume(320);
  ASSERT_EQ(code_of(format_as(GetParam())), "");
  const auto sum = [&] {
    return testing::said_by(fmt::format("blockdev --flushbufs {}; b2sum <{}/image1", loop.path(),
                                        bed_->folder().string()));
  };
  const std::string before = sum();
  ASSERT_EQ(code_of(mount_it(Access::read_only)), "");
  EXPECT_EQ(testing::said_by("blockdev --getro " + loop.path()), "1");
  EXPECT_EQ(testing::said_by("touch " + bed_->mount_point() + "/x 2>/dev/null && echo wrote"), "");
  // The kernel's word for a journal that is not replayed, for both filesystems.
  EXPECT_THAT(
      testing::said_by(fmt::format("grep -F ' {} ' /proc/self/mountinfo", bed_->mount_point())),
      HasSubstr("norecovery"));
  const auto again = mount_it(Access::read_only);
  ASSERT_EQ(code_of(again), "");
  EXPECT_TRUE(again->already);
  EXPECT_EQ(code_of(mount_it(Access::read_write)), "mounted_elsewhere");
  ASSERT_EQ(code_of(unmount_it()), "");
  EXPECT_EQ(testing::said_by("blockdev --getro " + loop.path()), "0")
      << "the flag outlived the mount";
  EXPECT_EQ(sum(), before);
}

INSTANTIATE_TEST_SUITE_P(of, mounting, ::testing::Values(FilesystemType::ext4, FilesystemType::xfs),
                         [](const auto& of) { return std::string{name_of(of.param)}; });

// --- after a machine was cut off

class after_a_cut : public mounting {
 protected:
  // The volume as a machine leaves it that lost it in the middle of its work.
  // Without multi-mount protection, for which e2fsck would wait a minute.
  void make_mounted_without_mmp() {
    add_volume();
    testing::said_by(fmt::format("mkfs.{} -q {}", name_of(GetParam()), bed_->node(1).string()));
    ASSERT_EQ(code_of(mount_it()), "");
  }
  void cut_off() {
    make_mounted_without_mmp();
    testing::said_by(
        fmt::format("for i in $(seq 200); do echo $i >{0}/$i; done; sync -f {0}; "
                    "cp --sparse=always {1}/image1 {1}/cut",
                    bed_->mount_point(), bed_->folder().string()));
    ASSERT_EQ(code_of(unmount_it()), "");
    testing::said_by(fmt::format("cat {0}/cut >{1}; blockdev --flushbufs {1}",
                                 bed_->folder().string(), bed_->node(1).string()));
  }
  Result<MountedVolume> mount_checked() {
    Machine machine = bed_->machine();
    return mount(machine, {.volume = volume,
                           .mount_point = bed_->mount_point(),
                           .check_first = CheckFirst::yes,
                           .device_wait = std::chrono::seconds{0}});
  }
};

TEST_P(after_a_cut, a_check_replays_the_journal_and_mounts_what_is_sound) {
  cut_off();
  const auto mounted = mount_checked();
  ASSERT_EQ(code_of(mounted), "") << (mounted ? "" : mounted.error().message);
  EXPECT_EQ(testing::said_by(fmt::format("cat {}/200", bed_->mount_point())), "200");
  EXPECT_EQ(testing::said_by("ls -A " + (bed_->folder() / "run").string() + " | grep -c private"),
            "0");
}

TEST_P(after_a_cut, a_damaged_filesystem_is_not_mounted_and_the_checks_words_are_told) {
  make_mounted_without_mmp();
  testing::said_by(
      fmt::format("for i in $(seq 2000); do echo $i >{0}/$i; done", bed_->mount_point()));
  ASSERT_EQ(code_of(unmount_it()), "");
  testing::said_by(
      GetParam() == FilesystemType::ext4
          ? fmt::format("debugfs -w -R 'clri <2>' {}", bed_->node(1).string())
          : fmt::format("xfs_db -x -c 'sb 0' -c 'addr rootino' -c 'write core.mode 0' {}",
                        bed_->node(1).string()));
  testing::said_by("blockdev --flushbufs " + bed_->node(1).string());
  const auto mounted = mount_checked();
  ASSERT_EQ(code_of(mounted), "needs_repair");
  EXPECT_EQ(mounted.error().code, Errc::conflict);
  EXPECT_THAT(mounted.error().message, HasSubstr("is damaged"));
  EXPECT_THAT(mounted.error().hint, HasSubstr("snapshot"));
  EXPECT_EQ(mounts_here(), "0");
  EXPECT_FALSE(fs::exists(bed_->mount_point()));
}

INSTANTIATE_TEST_SUITE_P(of, after_a_cut,
                         ::testing::Values(FilesystemType::ext4, FilesystemType::xfs),
                         [](const auto& of) { return std::string{name_of(of.param)}; });

// --- the proof that a sealed volume cannot be written

class sealed_mounting : public mounting {
 protected:
  Result<MountedVolume> mount_read_only() {
    return mount(stand_in(), {.volume = volume,
                              .mount_point = bed_->mount_point(),
                              .access = Access::read_only,
                              .device_wait = std::chrono::seconds{0}});
  }
  // One that claims that the device is read-only, and leaves it as it is.
  const std::string lying_blockdev_ =
      "case $1 in --setro) : >$0.said ;; --getro) [ -e $0.said ] && echo 1 || echo 0 ;; *) exec "
      "/sbin/blockdev \"$@\" ;; esac";
};

TEST_P(sealed_mounting, a_device_that_can_be_written_after_all_is_noticed_and_not_changed) {
  add_volume();
  ASSERT_EQ(code_of(format_as(GetParam())), "");
  const auto before = image_digest();
  program("blockdev", lying_blockdev_);
  const auto mounted = mount_read_only();
  ASSERT_EQ(code_of(mounted), "not_read_only");
  EXPECT_THAT(mounted.error().message, HasSubstr("set read-only"));
  EXPECT_EQ(mounts_here(), "0");
  EXPECT_EQ(image_digest(), before) << "the proof itself changed something";
}

TEST_P(sealed_mounting, a_mount_that_can_be_written_after_all_is_noticed) {
  add_volume();
  ASSERT_EQ(code_of(format_as(GetParam())), "");
  program("blockdev", lying_blockdev_);
  program("mount",
          fmt::format("exec /bin/mount {} {}", bed_->node(1).string(), bed_->mount_point()));
  const auto mounted = mount_read_only();
  ASSERT_EQ(code_of(mounted), "not_read_only");
  EXPECT_THAT(mounted.error().message, HasSubstr("a file could be written"));
  EXPECT_EQ(mounts_here(), "0");
}

INSTANTIATE_TEST_SUITE_P(of, sealed_mounting,
                         ::testing::Values(FilesystemType::ext4, FilesystemType::xfs),
                         [](const auto& of) { return std::string{name_of(of.param)}; });

// --- mounting again

TEST_F(on_block_machine, an_operation_that_is_ending_is_waited_for) {
  add_volume();
  ASSERT_EQ(code_of(format_as(FilesystemType::ext4)), "");
  const auto lock = (bed_->folder() / "run" / (volume.str() + ".lock")).string();
  const testing::Background other{
      fmt::format("exec 9>>{0}; flock 9; : >{0}.held; sleep 0.6; exec 9>&-; exec sleep 30", lock)};
  ASSERT_TRUE(testing::eventually(fmt::format("[ -e {}.held ]", lock)));
  EXPECT_EQ(code_of(mount_it()), "");
}

TEST_F(on_block_machine, mounting_again_at_the_same_place_is_a_success) {
  make_mounted();
  const auto again = mount_it();
  ASSERT_EQ(code_of(again), "");
  EXPECT_TRUE(again->already);
  EXPECT_EQ(again->path, bed_->mount_point());
}

TEST_F(on_block_machine, mounting_at_a_second_place_is_refused_with_the_first) {
  make_mounted();
  const auto second = mount_it(Access::read_write, bed_->mount_point() + "2");
  ASSERT_EQ(code_of(second), "mounted_elsewhere");
  EXPECT_EQ(second.error().code, Errc::conflict);
  EXPECT_THAT(second.error().details, ElementsAre(HasSubstr(bed_->mount_point())));
}

TEST_F(on_block_machine, a_mount_point_in_use_is_refused) {
  add_volume();
  ASSERT_EQ(code_of(format_as(FilesystemType::ext4)), "");
  fs::create_directories(bed_->mount_point());
  testing::said_by("mount -t tmpfs none " + bed_->mount_point());
  EXPECT_EQ(code_of(mount_it()), "mount_point_in_use");
  testing::said_by("umount " + bed_->mount_point());
  std::ofstream{fs::path{bed_->mount_point()} / "file"} << "hidden by a mount";
  EXPECT_EQ(code_of(mount_it()), "mount_point_not_empty");
  EXPECT_TRUE(fs::exists(fs::path{bed_->mount_point()} / "file"));
}

TEST_F(on_block_machine, a_blank_or_foreign_volume_is_not_mounted) {
  auto& loop = add_volume();
  EXPECT_EQ(code_of(mount_it()), "no_filesystem");
  testing::said_by("mkswap " + loop.path());
  const auto swap = mount_it();
  EXPECT_EQ(code_of(swap), "no_filesystem");
  EXPECT_THAT(swap.error().message, HasSubstr("swap"));
  EXPECT_FALSE(fs::exists(bed_->mount_point()));
}

TEST_F(on_block_machine, a_device_that_the_kernel_holds_is_not_mounted) {
  auto& loop = add_volume();
  ASSERT_EQ(code_of(format_as(FilesystemType::ext4)), "");
  testing::LoopDevice unrelated{bed_->folder() / "unrelated", 1};
  // Mounted in a namespace that this machine's processes are not in is what O_EXCL is for; a mount
  // by another node of the same device does as well.
  fs::create_directories(bed_->folder() / "elsewhere");
  testing::said_by(
      fmt::format("mount {} {}", loop.path(), (bed_->folder() / "elsewhere").string()));
  EXPECT_EQ(code_of(mount_it()), "mounted_elsewhere");
}

TEST_F(on_block_machine, a_dirty_journal_is_not_mounted_read_only) {
  auto& loop = add_volume();
  ASSERT_EQ(code_of(format_as(FilesystemType::ext4)), "");
  ASSERT_EQ(code_of(mount_it()), "");
  // A copy of the device while it is mounted is what a crash leaves.
  std::ofstream{fs::path{bed_->mount_point()} / "file"} << "x";
  testing::said_by(fmt::format("sync; dd if={} of={}/copy bs=1M conv=sparse 2>/dev/null",
                               loop.path(), bed_->folder().string()));
  ASSERT_EQ(code_of(unmount_it()), "");
  testing::said_by(fmt::format("dd if={}/copy of={} bs=1M oflag=direct 2>/dev/null",
                               bed_->folder().string(), loop.path()));
  EXPECT_EQ(code_of(mount_it(Access::read_only)), "needs_recovery");
  EXPECT_EQ(testing::said_by("blockdev --getro " + loop.path()), "0");
}

TEST_F(on_block_machine, a_copy_of_an_xfs_is_mounted_beside_it_only_when_known_to_be_restored) {
  make_mounted(FilesystemType::xfs);
  ASSERT_EQ(code_of(unmount_it()), "");
  auto& copy = bed_->add(2, "vol0bbbbbbbbbbbbbbbb");
  testing::said_by(
      fmt::format("dd if={} of={} bs=1M conv=sparse 2>/dev/null; blockdev --flushbufs {}",
                  bed_->node(1).string(), copy.path(), copy.path()));
  ASSERT_EQ(code_of(mount_it()), "");
  MountRequest beside{.volume = VolumeId::parse("vol-0bbbbbbbbbbbbbbbb").value(),
                      .mount_point = bed_->mount_point() + "-copy",
                      .device_wait = std::chrono::seconds{0}};
  EXPECT_EQ(code_of(mount(bed_->machine(), beside)), "mount_failed");
  EXPECT_FALSE(fs::exists(beside.mount_point)) << "a failed mount left its directory behind";
  beside.restored = Restored::yes;
  EXPECT_EQ(code_of(mount(bed_->machine(), beside)), "");
}

TEST_F(on_block_machine, a_copy_of_a_mounted_ext4_is_not_taken_to_be_in_use) {
  make_mounted(FilesystemType::ext4);
  std::ofstream{fs::path{bed_->mount_point()} / "file"} << "kept";
  auto& copy = bed_->add(2, "vol0bbbbbbbbbbbbbbbb");
  testing::said_by(
      fmt::format("sync; dd if={} of={} bs=1M conv=sparse 2>/dev/null; blockdev --flushbufs {}",
                  bed_->node(1).string(), copy.path(), copy.path()));
  ASSERT_THAT(testing::said_by("debugfs -R dump_mmp " + copy.path() + " 2>/dev/null"),
              ::testing::Not(HasSubstr("mmp_sequence: 0xff4d4d50")))
      << "the copy is of a filesystem that was not mounted, and shows nothing";
  Machine machine = bed_->machine();
  machine.timeout =
      std::chrono::seconds{30};  // the kernel would wait 45 s to see whether it is in use
  const auto mounted = mount(machine, {.volume = VolumeId::parse("vol-0bbbbbbbbbbbbbbbb").value(),
                                       .mount_point = bed_->mount_point() + "-copy",
                                       .restored = Restored::yes,
                                       .device_wait = std::chrono::seconds{0}});
  ASSERT_EQ(code_of(mounted), "");
  EXPECT_EQ(testing::said_by("cat " + mounted->path + "/file"), "kept");
}

TEST_F(on_block_machine, a_mount_point_may_have_any_printable_name) {
  add_volume();
  ASSERT_EQ(code_of(format_as(FilesystemType::ext4)), "");
  const std::string name = bed_->folder() / R"(it's $(touch pwned) `x` "quoted" back\slash ü)";
  const auto mounted = mount_it(Access::read_write, name);
  ASSERT_EQ(code_of(mounted), "");
  EXPECT_EQ(mounted->path, name);
  EXPECT_TRUE(mount_it(Access::read_write, name)->already);
  const auto facts = inspect(bed_->machine());
  ASSERT_EQ(code_of(facts), "");
  EXPECT_EQ(find_volume(*facts, volume)->mounts.front().mount_point, name);
  EXPECT_EQ(code_of(unmount_it()), "");
  EXPECT_FALSE(fs::exists("pwned"));
}

TEST_F(on_block_machine, a_mount_point_that_is_no_clean_path_is_refused) {
  for (const char* bad : {"data", "/", "", "/a/../etc", "/a//b", "/a\nb"}) {
    const auto mounted = mount(bed_->machine(), {.volume = volume, .mount_point = bad});
    ASSERT_FALSE(mounted.has_value()) << bad;
    EXPECT_EQ(mounted.error().code, Errc::invalid_argument) << bad;
  }
}

// --- unmount
// --------------------------------------------------------------------------------------------------------

TEST_F(on_block_machine, unmounting_what_is_not_mounted_is_a_success) {
  add_volume();
  const auto unmounted = unmount_it();
  ASSERT_EQ(code_of(unmounted), "");
  EXPECT_TRUE(unmounted->already);
}

struct Use {
  const char* name;
  const char* command;  // {} is the mount point
  const char* what;
  friend void PrintTo(const Use& use, std::ostream* out) { *out << use.name; }
};

class in_use : public on_block_machine, public ::testing::WithParamInterface<Use> {};

// sync and umount would themselves refuse most of these; the point is that nothing was begun, and
// who is named.
TEST_P(in_use, is_refused_with_the_user_and_left_mounted) {
  make_mounted();
  testing::said_by(
      fmt::format("cp /bin/sleep {0}/sleep; echo data >{0}/file", bed_->mount_point()));
  const testing::Background user{
      fmt::format(fmt::runtime(GetParam().command), bed_->mount_point())};
  ASSERT_TRUE(testing::eventually(fmt::format("[ -e {}/ready ]", bed_->mount_point())));
  ASSERT_TRUE(testing::eventually(fmt::format("grep -q sleep /proc/{}/comm", user.pid())));
  const auto unmounted = unmount_it();
  ASSERT_EQ(code_of(unmounted), "busy");
  EXPECT_EQ(unmounted.error().code, Errc::conflict);
  EXPECT_THAT(unmounted.error().details,
              Contains(HasSubstr(fmt::format("process {} '", user.pid()))));
  EXPECT_THAT(unmounted.error().details, Contains(HasSubstr(GetParam().what)));
  EXPECT_EQ(testing::said_by(fmt::format("mountpoint -q {} && echo mounted", bed_->mount_point())),
            "mounted");
}

INSTANTIATE_TEST_SUITE_P(
    by, in_use,
    ::testing::Values(Use{"working_directory", "cd {0}; : >ready; exec sleep 30", "cwd"},
                      Use{"open_file", "exec 5<{0}/file; : >{0}/ready; exec sleep 30", "fd"},
                      Use{"program", ": >{0}/ready; exec {0}/sleep 30", "exe"}),
    [](const auto& of) { return std::string{of.param.name}; });

TEST_F(on_block_machine, a_reader_of_the_device_itself_is_named) {
  make_mounted();
  const testing::Background reader{fmt::format("exec 5<{}; : >{}/ready; exec sleep 30",
                                               bed_->node(1).string(), bed_->folder().string())};
  ASSERT_TRUE(testing::eventually(fmt::format("[ -e {}/ready ]", bed_->folder().string())));
  const auto unmounted = unmount_it();
  ASSERT_EQ(code_of(unmounted), "busy");
  EXPECT_THAT(unmounted.error().details, Contains(HasSubstr("device")));
}

TEST_F(on_block_machine, mounts_below_and_bind_mounts_are_in_the_way) {
  make_mounted();
  testing::said_by(fmt::format("mkdir {0}/sub {0}/bound {0}2; mount -t tmpfs none {0}/sub",
                               bed_->mount_point()));
  auto unmounted = unmount_it();
  EXPECT_EQ(code_of(unmounted), "busy");
  EXPECT_THAT(unmounted.error().details, ElementsAre(HasSubstr("nested_mount")));
  testing::said_by(fmt::format("umount {0}/sub; mount --bind {0}/bound {0}2", bed_->mount_point()));
  unmounted = unmount_it();
  EXPECT_EQ(code_of(unmounted), "busy");
  EXPECT_THAT(unmounted.error().details, ElementsAre(HasSubstr("bind_mount")));
  testing::said_by(fmt::format("umount {}2", bed_->mount_point()));
  EXPECT_EQ(code_of(unmount_it()), "");
}

TEST_F(on_block_machine, loop_devices_and_swap_on_the_volume_are_in_the_way) {
  make_mounted();
  {
    const testing::LoopDevice on_it{fs::path{bed_->mount_point()} / "image", 4};
    const auto unmounted = unmount_it();
    EXPECT_EQ(code_of(unmounted), "busy");
    EXPECT_THAT(unmounted.error().details, Contains(HasSubstr(on_it.path() + ": loop")));
  }
  const std::string swap = bed_->mount_point() + "/swap";
  if (testing::said_by(
          fmt::format("dd if=/dev/zero of={0} bs=1M count=4 2>/dev/null; chmod 600 {0}; mkswap {0} "
                      ">/dev/null; swapon {0} 2>/dev/null && echo on",
                      swap)) == "on") {
    const auto unmounted = unmount_it();
    testing::said_by("swapoff " + swap);
    EXPECT_EQ(code_of(unmounted), "busy");
    EXPECT_THAT(unmounted.error().details, Contains(HasSubstr("swap")));
  }
  EXPECT_EQ(code_of(unmount_it()), "");
}

TEST_F(on_block_machine, copies_in_other_mount_namespaces_are_unmounted_too) {
  make_mounted();
  const testing::Background service{
      fmt::format("exec unshare -m --propagation private sh -c ': >{}/ready; exec sleep "
                  "30'",
                  bed_->folder().string())};
  ASSERT_TRUE(testing::eventually(fmt::format("[ -e {}/ready ]", bed_->folder().string())));
  const auto unmounted = unmount_it();
  ASSERT_EQ(code_of(unmounted), "");
  EXPECT_EQ(testing::said_by(
                fmt::format("grep -c {} /proc/{}/mountinfo", bed_->mount_point(), service.pid())),
            "0");
}

TEST_F(on_block_machine, a_container_that_sees_the_volume_elsewhere_is_in_the_way) {
  make_mounted();
  testing::said_by(fmt::format("mkdir {}/inside", bed_->folder().string()));
  const testing::Background container{
      fmt::format("exec unshare -m --propagation private sh -c 'mount --bind {0} {1}/inside; "
                  "umount {0}; : >{1}/ready; "
                  "exec sleep 30'",
                  bed_->mount_point(), bed_->folder().string())};
  ASSERT_TRUE(testing::eventually(fmt::format("[ -e {}/ready ]", bed_->folder().string())));
  const auto unmounted = unmount_it();
  ASSERT_EQ(code_of(unmounted), "busy");
  EXPECT_THAT(
      unmounted.error().details,
      ElementsAre(HasSubstr(fmt::format("mount namespace of process {}", container.pid()))));
  // Nor is it taken from the container when the machine itself does not see the volume any more.
  testing::said_by("umount " + bed_->mount_point());
  EXPECT_EQ(code_of(unmount_it()), "busy");
  EXPECT_EQ(testing::said_by(fmt::format("grep -c {}/inside /proc/{}/mountinfo",
                                         bed_->folder().string(), container.pid())),
            "1");
}

// Our own mount could be unmounted here, and the copy that the process works in could not.
TEST_F(on_block_machine, a_user_in_another_mount_namespace_keeps_every_mount) {
  make_mounted();
  const testing::Background service{
      fmt::format("exec unshare -m --propagation private sh -c 'cd {}; : >ready; exec sleep 30'",
                  bed_->mount_point())};
  ASSERT_TRUE(testing::eventually(fmt::format("[ -e {}/ready ]", bed_->mount_point())));
  const auto unmounted = unmount_it();
  ASSERT_EQ(code_of(unmounted), "busy");
  EXPECT_THAT(unmounted.error().details,
              Contains(HasSubstr(fmt::format("process {} '", service.pid()))));
  EXPECT_EQ(testing::said_by(fmt::format("mountpoint -q {} && echo mounted", bed_->mount_point())),
            "mounted");
}

// /proc shows mounts by processes; a namespace that only a descriptor keeps alive has none.
TEST_F(on_block_machine, a_hold_that_no_process_shows_is_noticed_after_the_unmount) {
  make_mounted();
  {
    const testing::Background holder{fmt::format(
        "unshare -m --propagation private sleep 30 & it=$!; "
        "while [ $(readlink /proc/$it/ns/mnt) = $(readlink /proc/$$/ns/mnt) ]; do sleep 0.01; "
        "done; "
        "sleep 0.1; exec 5</proc/$it/ns/mnt; kill $it; wait $it; : >{}/ready; exec sleep 30",
        bed_->folder().string())};
    ASSERT_TRUE(testing::eventually(fmt::format("[ -e {}/ready ]", bed_->folder().string())));
    const auto unmounted = unmount_it();
    ASSERT_EQ(code_of(unmounted), "busy");
    EXPECT_THAT(unmounted.error().message, HasSubstr("still held"));
  }
  EXPECT_EQ(code_of(unmount_it()), "");
}

// What detaches, moves and terminates rests on this: nothing may be lost without a word.
TEST_F(on_block_machine, one_whose_filesystem_had_failed_is_unmounted_and_told) {
  auto& device = add_volume();
  ASSERT_EQ(code_of(format_as(FilesystemType::ext4)), "");
  ASSERT_EQ(code_of(mount_it()), "");
  const auto trigger =
      "/sys/fs/ext4/" + fs::path{device.path()}.filename().string() + "/trigger_fs_error";
  if (testing::said_by("test -w " + trigger + " && echo yes") != "yes")
    GTEST_SKIP() << trigger << " cannot be written here";
  testing::said_by(fmt::format("echo data >{}/file; sync; echo more >{}/file; echo x >{}",
                               bed_->mount_point(), bed_->mount_point(), trigger));
  EXPECT_EQ(code_of(unmount_it()), "io_error");
  EXPECT_EQ(mounts_here(), "1");
  // A kernel that says so once, and to somebody else.
  program("sync", "exit 0");
  EXPECT_EQ(code_of(unmount(stand_in(), volume)), "not_clean");
  EXPECT_EQ(mounts_here(), "0");
  EXPECT_EQ(code_of(mount_it(Access::read_only)), "needs_recovery");
}

TEST_F(on_block_machine, one_that_is_not_mounted_and_is_written_all_the_same_is_in_use) {
  add_volume();
  ASSERT_EQ(code_of(format_as(FilesystemType::ext4)), "");
  {
    const testing::Background process{fmt::format("exec 5<>{}; : >{}/ready; exec sleep 30",
                                                  bed_->node(1).string(), bed_->folder().string())};
    ASSERT_TRUE(testing::eventually(fmt::format("[ -e {}/ready ]", bed_->folder().string())));
    const auto unmounted = unmount_it();
    ASSERT_EQ(code_of(unmounted), "busy");
    ASSERT_FALSE(unmounted.error().details.empty());
    EXPECT_THAT(unmounted.error().details.front(), HasSubstr(std::to_string(process.pid())));
  }
  EXPECT_EQ(code_of(unmount_it()), "");
}

TEST_F(on_block_machine, an_ext4_that_has_noted_errors_is_not_mounted_read_only) {
  // Without multi-mount protection, for which debugfs would wait.
  testing::said_by("mkfs.ext4 -q -F " + add_volume().path());
  const auto set_state = [&](const char* state) {
    testing::said_by(
        fmt::format("debugfs -w -R 'set_super_value state {}' {} 2>/dev/null; "
                    "blockdev --flushbufs {}",
                    state, bed_->node(1).string(), bed_->node(1).string()));
  };
  set_state("3");
  const auto mounted = mount_it(Access::read_only);
  ASSERT_EQ(code_of(mounted), "needs_repair");
  EXPECT_THAT(mounted.error().message, HasSubstr("e2fsck"));
  set_state("0");
  EXPECT_EQ(code_of(mount_it(Access::read_only)), "needs_recovery");
  set_state("1");
  EXPECT_EQ(code_of(mount_it(Access::read_only)), "");
}

TEST_F(on_block_machine, a_frozen_filesystem_is_thawed_before_it_is_unmounted) {
  make_mounted();
  testing::said_by("fsfreeze --freeze " + bed_->mount_point());
  EXPECT_EQ(code_of(unmount_it()), "");
  EXPECT_EQ(code_of(mount_it()), "") << "the frozen filesystem lived on in the kernel";
  // Were it so, only a mount would reach it again, and the loop device would be held for ever.
  testing::said_by(fmt::format(
      "exec 2>/dev/null; mkdir -p {1}; mountpoint -q {1} || mount {0} {1}; fsfreeze -u {1}",
      bed_->node(1).string(), bed_->mount_point()));
}

// --- inspect
// --------------------------------------------------------------------------------------------------------

TEST_F(on_block_machine, inspection_tells_what_is_on_each_device) {
  bed_->add(1, "vol0aaaaaaaaaaaaaaaa");
  auto& unknown = bed_->add(2, "vol0bbbbbbbbbbbbbbbb");
  scribble(unknown.path(), 4096, "something");
  bed_->add(3, "AWS7C2E5F0A0B0C0D");  // an instance store
  auto& ambivalent = bed_->add(4, "vol0cccccccccccccccc");
  testing::said_by(fmt::format(
      "mkfs.xfs -q {0}; mkfs.ext4 -q -F {1}; dd if={1} of={0} bs=1k skip=1 seek=1 count=3 "
      "2>/dev/null",
      ambivalent.path(), bed_->node(3).string()));
  const auto facts = inspect(bed_->machine());
  ASSERT_EQ(code_of(facts), "");
  ASSERT_THAT(facts->devices, SizeIs(4));
  EXPECT_EQ(facts->kind, StorageKind::block);
  EXPECT_EQ(facts->devices[0].probe, Probe::blank);
  EXPECT_EQ(facts->devices[0].size_bytes, 512U << 20U);
  EXPECT_EQ(facts->devices[0].volume, VolumeId::parse("vol-0aaaaaaaaaaaaaaaa").value());
  EXPECT_EQ(facts->devices[1].probe, Probe::unknown);
  EXPECT_EQ(facts->devices[2].volume, std::nullopt);
  EXPECT_EQ(facts->devices[2].type, "ext4");
  EXPECT_EQ(facts->devices[3].probe, Probe::ambivalent);
  EXPECT_THAT(facts->devices[3].users, IsEmpty());
  EXPECT_FALSE(facts->boot_id.empty());
  EXPECT_GT(facts->root_free_bytes, 0U);
}

TEST_F(on_block_machine, inspection_names_twenty_users_and_counts_all) {
  make_mounted();
  const testing::Background many{fmt::format(
      "cd {}; for i in $(seq 30); do sleep 30 & done; : >ready; wait", bed_->mount_point())};
  ASSERT_TRUE(testing::eventually(fmt::format("[ -e {}/ready ]", bed_->mount_point())));
  const auto facts = inspect(bed_->machine());
  ASSERT_EQ(code_of(facts), "");
  const auto* device = find_volume(*facts, volume);
  ASSERT_NE(device, nullptr);
  EXPECT_THAT(device->users, SizeIs(20));
  EXPECT_EQ(device->user_count, 31U);
  EXPECT_THAT(device->mounts, SizeIs(1));
  EXPECT_FALSE(device->mounts.front().read_only);
}

TEST_F(on_block_machine, inspection_tells_whether_a_journal_is_clean) {
  add_volume();
  ASSERT_EQ(code_of(format_as(FilesystemType::ext4)), "");
  const auto journal = [&] {
    return find_volume(inspect(bed_->machine()).value(), volume)->journal;
  };
  EXPECT_EQ(journal(), Journal::clean);
  ASSERT_EQ(code_of(mount_it()), "");
  EXPECT_EQ(journal(), Journal::unknown) << "of a mounted one it says nothing";
  testing::said_by(fmt::format("echo x >{0}/file; sync -f {0}; cp --sparse=always {1} {1}.cut",
                               bed_->mount_point(), at_image()));
  ASSERT_EQ(code_of(unmount_it()), "");
  testing::said_by(fmt::format("cat {1}.cut >{0}; blockdev --flushbufs {0}", bed_->node(1).string(),
                               at_image()));
  EXPECT_EQ(journal(), Journal::dirty);
}

TEST_F(on_block_machine, an_nfs_export_of_a_volume_is_named_and_in_the_way) {
  make_mounted();
  std::ofstream{bed_->folder() / "exports"} << "/elsewhere *(ro)\n"
                                            << bed_->mount_point()
                                            << "/shared\\040dir 10.0.0.0/8(rw)\n"
                                            << bed_->mount_point() << "-not-ours *(ro)\n";
  const auto unmounted = unmount_it();
  ASSERT_EQ(code_of(unmounted), "busy");
  EXPECT_THAT(unmounted.error().details,
              ElementsAre(HasSubstr("the NFS export " + bed_->mount_point() + "/shared")));
  const auto facts = inspect(bed_->machine());
  ASSERT_EQ(code_of(facts), "");
  ASSERT_THAT(find_volume(*facts, volume)->users, SizeIs(1));
  EXPECT_THAT(find_volume(*facts, volume)->users[0].what, ElementsAre("export"));
}

TEST_F(on_block_machine, a_process_of_a_container_is_named_with_it) {
  make_mounted();
  const testing::Background process{
      fmt::format("cd {}; : >ready; exec sleep 30", bed_->mount_point())};
  ASSERT_TRUE(testing::eventually(fmt::format("[ -e {}/ready ]", bed_->mount_point())));
  // What the kernel says of a container's process, in our own mount namespace.
  std::ofstream{bed_->folder() / "cgroup"} << "0::/system.slice/docker-0123456789ab"
                                           << std::string(52, 'c') << ".scope\n";
  if (testing::said_by(fmt::format("mount --bind {}/cgroup /proc/{}/cgroup && echo done",
                                   bed_->folder().string(), process.pid())) != "done") {
    GTEST_SKIP() << "what /proc says cannot be covered here";
  }
  const auto facts = inspect(bed_->machine());
  const auto unmounted = unmount_it();
  testing::said_by(fmt::format("umount /proc/{}/cgroup", process.pid()));
  EXPECT_EQ(code_of(unmounted), "busy");
  EXPECT_THAT(unmounted.error().details,
              ElementsAre(HasSubstr("in container docker 0123456789ab:")));
  EXPECT_EQ(find_volume(facts.value(), volume)->users.at(0).container, "docker 0123456789ab");
}

// What a busy machine says must come back whole: SSM cuts at 24,000 characters.
TEST_F(on_block_machine, inspection_of_twenty_eight_busy_volumes_fits_and_says_that_it_was_cut) {
  for (int n = 1; n <= 28; ++n) {
    auto& loop = bed_->add(n, fmt::format("vol0{:016x}", n), 8);
    const auto point =
        (bed_->folder() / fmt::format("{:0200}", n) / std::string(200, 'x')).string();
    testing::said_by(
        fmt::format("mkfs.ext4 -q -O ^has_journal {0}; mkdir -p {1} {1}-2; mount {0} {1}; mount "
                    "--bind {1} {1}-2",
                    loop.path(), point));
  }
  const testing::Background users{
      fmt::format("for d in {}/0*/x*x; do cd $d; sleep 30 & sleep 30 & done; : >{}/ready; wait",
                  bed_->folder().string(), bed_->folder().string())};
  const auto ready = fmt::format("[ -e {}/ready ]", bed_->folder().string());
  ASSERT_TRUE(testing::eventually(ready) || testing::eventually(ready));
  const auto machine = bed_->machine();
  const auto said = machine.shell.run(machine.instance, assemble({.name = "inspect"}),
                                      std::chrono::seconds{50}, {});
  ASSERT_TRUE(said);
  EXPECT_LT(said->out.size(), 24'000U);
  const auto facts = inspect(machine);
  ASSERT_EQ(code_of(facts), "");
  ASSERT_THAT(facts->devices, SizeIs(28));
  int cut = 0;
  for (const auto& device : facts->devices) {
    EXPECT_EQ(device.cut, device.mounts.size() < 2 || device.users.size() < device.user_count ||
                              device.mounts.front().mount_point.ends_with("..."))
        << device.device;
    cut += device.cut ? 1 : 0;
    EXPECT_FALSE(device.mounts.empty()) << device.device;
    EXPECT_EQ(device.mount_count, 2U);
    EXPECT_GE(device.user_count, 2U);
  }
  EXPECT_GE(cut, 20) << "the last ones may have room enough";
}

}  // namespace
}  // namespace runctl::node
