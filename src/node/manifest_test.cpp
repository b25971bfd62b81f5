// Sealing and verifying real filesystems.
#include "node/manifest.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.hpp"
#include "node/block_machine_fixture.hpp"
#include "node/files_machine.hpp"

namespace runctl::node {
namespace {

using std::chrono::seconds;
using testing::code_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::volume;
namespace fs = std::filesystem;

class manifests : public testing::OnBlockMachine,
                  public ::testing::WithParamInterface<FilesystemType> {
 protected:
  JobWatch watch(seconds limit = seconds{50}) {
    return {.clock = clock_, .deadline = clock_.ticks() + limit};
  }
  Result<ManifestSummary> seal_it() { return make_manifest(bed_->machine(), volume, watch()); }
  Result<Verification> verify_it(const std::string& digest = "") {
    return verify_manifest(bed_->machine(), volume, digest, watch());
  }
  // Runs commands in the mounted volume, and unmounts it.
  void fill(const std::string& commands) {
    ASSERT_EQ(code_of(mount_it()), "");
    testing::said_by(fmt::format("cd {} && {{ {}\n}}", bed_->mount_point(), commands));
    ASSERT_EQ(code_of(unmount_it()), "");
  }
  void make_filled(FilesystemType type, const std::string& commands) {
    add_volume();
    ASSERT_EQ(code_of(format_as(type)), "");
    fill(commands);
  }
  // The device as unmount() leaves it: to write again.
  void unseal() { testing::said_by("blockdev --setrw " + bed_->node(1).string()); }
  std::string read_only() { return testing::said_by("blockdev --getro " + bed_->node(1).string()); }
  std::string nothing_is_left() {
    return testing::said_by(
        fmt::format("ls -A {0}/state/work; ls -d {0}/run/private.* {0}/run/*.read_only "
                    "2>/dev/null; grep -c private. /proc/self/mountinfo",
                    bed_->folder().string()));
  }
  RealClock clock_;
};

// A line end, a tab, quotes, something to run, bytes that are no UTF-8, the longest name, ones that
// look like options.
constexpr auto odd_names = R"sh(
  mkdir 'a dir' 'a dir/with
line'
  i=0
  for name in 'plain' ' lead' 'trail ' "it's" '"q"' '$(kill $PPID)' '`kill $PPID`' '-rf' '--' ';' '*' '\' '\012' 'ü'; do
    i=$((i + 1)); echo "$i" >"./$name"; done
  echo nl >"$(printf 'new\nline\nx')"; echo endnl >"$(printf 'end\n_')"; mv "$(printf 'end\n_')" 'end
'
  echo tab >"$(printf 'tab\tx')"; echo bytes >"$(printf 'no\377utf\200')"; echo ctl >"$(printf 'c\001\033[31m')"
  echo long >"$(head -c 255 /dev/zero | tr '\0' L)"
  echo deep >'a dir/with
line/file'
  ln -s 'leads to
$(nowhere)' link; ln plain hard; mkfifo pipe; : >empty; truncate -s 30M sparse; mkdir hollow)sh";

TEST_P(manifests, any_content_is_sealed_and_found_intact) {
  make_filled(GetParam(),
              std::string{odd_names} +
                  "\nhead -c 150000000 /dev/urandom >big; seq 3000 | split -l 5 - part.");
  const auto sealed = seal_it();
  ASSERT_EQ(code_of(sealed), "");
  EXPECT_EQ(read_only(), "1");
  const auto before = image_digest();
  EXPECT_EQ(sealed->files, 14U + 6 + 4 + 2 + 600 - 1) << "hard links count each";
  EXPECT_EQ(nothing_is_left(), "0");
  // Unmounted, and mounted as a sealed volume is.
  auto verified = verify_it(sealed->digest);
  ASSERT_EQ(code_of(verified), "");
  EXPECT_TRUE(verified->intact) << ::testing::PrintToString(verified->differences);
  EXPECT_EQ(verified->digest, sealed->digest);
  EXPECT_EQ(verified->files, sealed->files);
  EXPECT_EQ(verified->bytes, sealed->bytes);
  ASSERT_EQ(code_of(mount_it(Access::read_only)), "");
  verified = verify_it(sealed->digest);
  ASSERT_EQ(code_of(verified), "");
  EXPECT_TRUE(verified->intact) << ::testing::PrintToString(verified->differences);
  // What stands in it is what sha256sum says, by another way.
  const auto manifest = bed_->mount_point() + "/.runctl/manifest";
  EXPECT_EQ(testing::said_by(fmt::format("sha256sum <{} | cut -c 1-64", manifest)), sealed->digest);
  EXPECT_EQ(testing::said_by(fmt::format(
                "awk -F '\\t' '$1 == \"part.ab\" {{ print $2, $3, $4 }}' {}", manifest)),
            "f " + testing::said_by(fmt::format(
                       "cd {} && echo $(stat -c %s part.ab) $(sha256sum <part.ab | cut -c 1-64)",
                       bed_->mount_point())));
  EXPECT_EQ(
      testing::said_by(fmt::format("awk -F '\\t' '$1 == \"big\" {{ print $2, $4 }}' {}", manifest)),
      "p " + testing::said_by(fmt::format(
                 "cd {} && for i in 0 1 2; do dd if=big bs=64M skip=$i count=1 2>/dev/null | "
                 "sha256sum | cut -c 1-64; done | sha256sum | cut -c 1-64",
                 bed_->mount_point())));
  EXPECT_EQ(testing::said_by(fmt::format("tr -d '\\n\\t -~' <{} | wc -c", manifest)), "0")
      << "not all ASCII";
  ASSERT_EQ(code_of(unmount_it()), "");
  EXPECT_EQ(image_digest(), before) << "something was written to a sealed volume";
}

TEST_P(manifests, what_changed_is_named) {
  make_filled(
      GetParam(),
      "echo one >changed; echo two >missing; echo three >same; head -c 70000000 /dev/zero >big; "
      "ln -s here link; mkdir gone");
  const auto sealed = seal_it();
  ASSERT_EQ(code_of(sealed), "");
  unseal();
  fill(
      "echo One >changed; rm missing; echo new >\"$(printf 'un\\nexpected ü\\377')\"; ln -sfn "
      "there link; rmdir gone; "
      "printf x | dd of=big bs=1 seek=69000000 conv=notrunc status=none");
  const auto verified = verify_it(sealed->digest);
  ASSERT_EQ(code_of(verified), "");
  EXPECT_FALSE(verified->intact);
  EXPECT_EQ(verified->difference_count, 6U);
  EXPECT_THAT(verified->differences,
              ElementsAre("changed big", "changed changed", "missing gone", "changed link",
                          "missing missing", "unexpected un\\012expected ü?"));
  EXPECT_EQ(read_only(), "0") << "the device is not as it was";
  EXPECT_EQ(nothing_is_left(), "0");
}

TEST_P(manifests, sealing_again_writes_nothing) {
  make_filled(GetParam(), "seq 100 >file");
  const auto first = seal_it();
  ASSERT_EQ(code_of(first), "");
  const auto before = image_digest();
  auto again = seal_it();
  ASSERT_EQ(code_of(again), "");
  EXPECT_EQ(again->digest, first->digest);
  EXPECT_EQ(image_digest(), before);
  unseal();
  again = seal_it();
  ASSERT_EQ(code_of(again), "");
  EXPECT_EQ(image_digest(), before);
  EXPECT_EQ(read_only(), "1");
}

TEST_P(manifests, a_volume_in_use_is_not_sealed) {
  add_volume();
  ASSERT_EQ(code_of(format_as(GetParam())), "");
  ASSERT_EQ(code_of(mount_it()), "");
  EXPECT_EQ(code_of(seal_it()), "mounted_elsewhere");
  testing::said_by("echo x >" + bed_->mount_point() + "/still_writable");
  ASSERT_EQ(code_of(unmount_it()), "");
  // In another mount namespace only, as a container's.
  const testing::Background container{
      fmt::format("exec unshare -m sh -c 'mkdir -p {0}; mount {1} {0}; : >{2}/up; exec sleep 60'",
                  bed_->mount_point() + "2", bed_->node(1).string(), bed_->folder().string())};
  ASSERT_TRUE(testing::eventually(fmt::format("[ -e {}/up ]", bed_->folder().string())));
  EXPECT_EQ(code_of(seal_it()), "mounted_elsewhere");
  EXPECT_EQ(read_only(), "0");
}

TEST_P(manifests, a_filesystem_that_was_not_cleanly_unmounted_is_not_sealed_or_replayed) {
  make_mounted(GetParam());
  testing::said_by(fmt::format("for i in $(seq 50); do echo $i >{0}/$i; done; sync -f {0}",
                               bed_->mount_point()));
  // As after a power loss: what is on the disk now, on another device.
  testing::said_by(fmt::format("cp --sparse=always {0}/image1 {0}/dirty", bed_->folder().string()));
  ASSERT_EQ(code_of(unmount_it()), "");
  testing::said_by(fmt::format("cat {0}/dirty >{1}; blockdev --flushbufs {1}",
                               bed_->folder().string(), bed_->node(1).string()));
  const auto before = image_digest();
  const auto sealed = seal_it();
  EXPECT_EQ(code_of(sealed), "needs_recovery");
  EXPECT_EQ(code_of(verify_it()), "needs_recovery");
  EXPECT_EQ(image_digest(), before);
  EXPECT_EQ(read_only(), "0");
}

TEST_P(manifests, a_full_volume_is_refused_before_anything_is_written) {
  make_filled(GetParam(), "head -c 9000 /dev/zero >file; cat /dev/zero >rest 2>/dev/null");
  const auto before = image_digest();
  const auto sealed = seal_it();
  EXPECT_EQ(code_of(sealed), "no_space") << (sealed ? "" : sealed.error().message);
  // An XFS must be mounted to write before it tells what it keeps for itself.
  if (GetParam() == FilesystemType::ext4) {
    EXPECT_EQ(image_digest(), before);
  }
  EXPECT_EQ(read_only(), "0");
  EXPECT_EQ(nothing_is_left(), "0");
  EXPECT_EQ(code_of(mount_it()), "");
  EXPECT_FALSE(fs::exists(bed_->mount_point() + "/.runctl"));
}

INSTANTIATE_TEST_SUITE_P(of, manifests,
                         ::testing::Values(FilesystemType::ext4, FilesystemType::xfs),
                         [](const auto& of) { return std::string{name_of(of.param)}; });

class manifest : public manifests {};
INSTANTIATE_TEST_SUITE_P(of, manifest, ::testing::Values(FilesystemType::ext4));

TEST_P(manifest, a_volume_without_one_or_with_another_one_is_told) {
  make_filled(FilesystemType::ext4, "echo x >file");
  EXPECT_EQ(code_of(verify_it()), "no_manifest");
  const auto sealed = seal_it();
  ASSERT_EQ(code_of(sealed), "");
  const auto verified = verify_it(std::string(64, '0'));
  ASSERT_EQ(code_of(verified), "wrong_manifest");
  EXPECT_EQ(verified.error().code, Errc::corrupt);
  EXPECT_THAT(verified.error().message, HasSubstr(sealed->digest));
  unseal();
  fill("sed -i 's/piece=/piece=9/' .runctl/manifest");
  EXPECT_EQ(code_of(verify_it()), "wrong_manifest");
}

TEST_P(manifest, a_blank_volume_is_not_sealed) {
  add_volume();
  EXPECT_EQ(code_of(seal_it()), "no_filesystem");
  EXPECT_EQ(code_of(verify_it()), "no_filesystem");
}

TEST_P(manifest, nothing_is_written_through_a_link_on_the_volume) {
  make_filled(FilesystemType::ext4,
              fmt::format("echo x >file; ln -s {}/target .runctl", bed_->folder().string()));
  fs::create_directories(bed_->folder() / "target");
  EXPECT_EQ(code_of(seal_it()), "io_error");
  unseal();
  fill(
      fmt::format("rm .runctl; mkdir .runctl; ln -s {}/target/x .runctl/manifest.new; ln -s "
                  "{}/target/y .runctl/manifest",
                  bed_->folder().string(), bed_->folder().string()));
  EXPECT_EQ(code_of(verify_it()), "no_manifest");
  EXPECT_EQ(code_of(seal_it()), "");
  EXPECT_TRUE(fs::is_empty(bed_->folder() / "target"));
}

TEST_P(manifest, nobody_else_sees_the_mount_and_a_stop_takes_it_back) {
  make_filled(FilesystemType::ext4, "echo x >file");
  // Hashing that takes long.
  for (const char* name : {"openssl", "nproc"}) {
    program(name, fmt::format("echo $$ >>{}/pids\nexec sleep 60", bed_->folder().string()));
  }
  const Machine slow = stand_in();
  std::string seen = "never looked";
  std::string locked = "never tried";
  std::jthread looker{[&] {
    (void)testing::eventually(fmt::format("[ -s {}/pids ]", bed_->folder().string()));
    seen = testing::said_by("grep -c private. /proc/self/mountinfo") + " " + read_only();
    locked = code_of(mount_it());
  }};
  const auto sealed = make_manifest(slow, volume, watch(seconds{3}));
  looker.join();
  ASSERT_FALSE(sealed);
  EXPECT_EQ(sealed.error().code, Errc::deadline_exceeded);
  EXPECT_EQ(sealed.error().effect, Effect::not_applied) << (sealed ? "" : sealed.error().message);
  EXPECT_EQ(seen, "0 1");
  EXPECT_EQ(locked, "locked");
  EXPECT_EQ(read_only(), "0");
  EXPECT_EQ(nothing_is_left(), "0");
  EXPECT_EQ(code_of(mount_it()), "");
}

// SIGKILL of all of it leaves the device read-only; the next of us knows by whom.
TEST_P(manifest, a_killed_one_stands_in_nobodys_way) {
  make_filled(FilesystemType::ext4, "echo x >file");
  testing::said_by(fmt::format("blockdev --setro {}; : >{}/run/{}.read_only",
                               bed_->node(1).string(), bed_->folder().string(), volume.str()));
  EXPECT_EQ(code_of(mount_it()), "");
  EXPECT_EQ(read_only(), "0");
}

TEST_P(manifest, a_hundred_thousand_files_are_no_trouble) {
  add_volume(1024);
  testing::said_by("mkfs.ext4 -q -N 130000 " + bed_->node(1).string());
  fill("for d in $(seq 100); do mkdir $d; (cd $d && seq 1000 | split -l 1 -a 3 - f); done");
  const auto began = clock_.ticks();
  const auto sealed = seal_it();
  ASSERT_EQ(code_of(sealed), "");
  EXPECT_EQ(sealed->files, 100'000U);
  RecordProperty("seconds", static_cast<int>((clock_.ticks() - began) / seconds{1}));
  const auto verified = verify_it(sealed->digest);
  ASSERT_EQ(code_of(verified), "");
  EXPECT_TRUE(verified->intact);
}

TEST(manifests_of_directories, are_made_and_verified_and_name_what_cannot_be_read) {
  testing::FilesMachine bed;
  const auto directory = bed.add(volume).string();
  RealClock clock;
  const JobWatch watch{.clock = clock, .deadline = clock.ticks() + seconds{50}};
  bed.said_by(
      fmt::format("cd {}; echo x >file; echo y >secret; mkdir sub; echo z >sub/file", directory));
  const auto sealed = make_manifest(bed.machine(), volume, watch);
  ASSERT_EQ(code_of(sealed), "");
  EXPECT_EQ(sealed->files, 3U);
  EXPECT_EQ(sealed->kind, StorageKind::directory);
  EXPECT_TRUE(verify_manifest(bed.machine(), volume, sealed->digest, watch)->intact);
  bed.said_by(fmt::format("cd {}; chmod 0 secret", directory));
  auto verified = verify_manifest(bed.machine(), volume, sealed->digest, watch);
  ASSERT_EQ(code_of(verified), "");
  EXPECT_THAT(verified->differences, ElementsAre("unreadable secret"));
  EXPECT_FALSE(verified->intact);
  const auto again = make_manifest(bed.machine(), volume, watch);
  EXPECT_EQ(code_of(again), "io_error");
  EXPECT_THAT(again.error().message, HasSubstr("secret"));
  bed.said_by(fmt::format("cd {}; chmod 600 secret; chmod 0 sub", directory));
  verified = verify_manifest(bed.machine(), volume, sealed->digest, watch);
  ASSERT_EQ(code_of(verified), "");
  EXPECT_FALSE(verified->intact);
  EXPECT_THAT(verified->differences, ::testing::Contains(HasSubstr("unreadable ")));
  bed.said_by(fmt::format("chmod 700 {}/sub", directory));
}

TEST(readable_path, shows_text_and_keeps_control_characters_away) {
  EXPECT_EQ(readable_path("plain"), "plain");
  EXPECT_EQ(readable_path(R"(\303\274)"), "ü");
  EXPECT_EQ(readable_path(R"(a\012b\134c\033)"), R"(a\012b\134c\033)");
  EXPECT_EQ(readable_path(R"(\377)"), "?");
  EXPECT_EQ(readable_path(R"(\30)"), R"(\30)");
  EXPECT_EQ(readable_path(R"(\777)"), R"(\777)");
}

}  // namespace
}  // namespace runctl::node
