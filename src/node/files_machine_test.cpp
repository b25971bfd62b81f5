// Volumes that are directories, on a machine without root.
#include "node/files_machine.hpp"

#include <filesystem>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/machine_facts.hpp"
#include "node/volume_on_machine.hpp"

namespace runctl::node {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::SizeIs;
namespace fs = std::filesystem;

constexpr auto uuid = "494039e7-db8d-45cf-b80a-c73c344cde06";
const VolumeId volume = VolumeId::parse("vol-0123456789abcdef0").value();

template <class T>
std::string code_of(const Result<T>& result) {
  if (result) return "";
  return result.error().remote ? result.error().remote->code : result.error().message;
}

class on_files_machine : public ::testing::Test {
 protected:
  Result<Formatted> format_it(CreatedEmpty created_empty = CreatedEmpty::yes) {
    return format(bed_.machine(), {.volume = volume,
                                   .uuid = uuid,
                                   .created_empty = created_empty,
                                   .device_wait = std::chrono::seconds{0}});
  }
  Result<MountedVolume> mount_it(const std::string& where = "/mnt/data",
                                 Access access = Access::read_write) {
    return mount(bed_.machine(), {.volume = volume,
                                  .mount_point = where,
                                  .access = access,
                                  .device_wait = std::chrono::seconds{0}});
  }
  testing::FilesMachine bed_;
};

TEST_F(on_files_machine, a_volume_is_formatted_mounted_found_and_unmounted) {
  const auto directory = bed_.add(volume);
  ASSERT_EQ(code_of(format_it()), "");
  EXPECT_TRUE(format_it()->already);
  const auto mounted = mount_it();
  ASSERT_EQ(code_of(mounted), "");
  EXPECT_EQ(mounted->kind, StorageKind::directory);
  EXPECT_EQ(mounted->path, directory);
  EXPECT_EQ(mounted->mount_point, "/mnt/data");
  EXPECT_GT(mounted->free_bytes, 0U);
  EXPECT_TRUE(mount_it()->already);
  EXPECT_EQ(fs::canonical(bed_.root() / "root/mnt/data"), directory);
  const auto facts = inspect(bed_.machine());
  ASSERT_EQ(code_of(facts), "");
  EXPECT_EQ(facts->kind, StorageKind::directory);
  const auto* found = find_volume(*facts, volume);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->probe, Probe::directory);
  ASSERT_THAT(found->mounts, SizeIs(1));
  EXPECT_EQ(found->mounts[0].mount_point, "/mnt/data");
  ASSERT_EQ(code_of(unmount(bed_.machine(), volume)), "");
  EXPECT_FALSE(fs::exists(fs::symlink_status(bed_.root() / "root/mnt/data")));
  EXPECT_TRUE(unmount(bed_.machine(), volume)->already);
}

TEST_F(on_files_machine, what_a_directory_cannot_do_is_refused_not_faked) {
  bed_.add(volume);
  const auto mounted = mount_it("/mnt/data", Access::read_only);
  EXPECT_EQ(code_of(mounted), "not_possible");
}

TEST_F(on_files_machine, a_volume_that_is_not_there_is_no_device) {
  EXPECT_EQ(code_of(mount_it()), "no_device");
  EXPECT_EQ(code_of(unmount(bed_.machine(), volume)), "no_device");
}

TEST_F(on_files_machine, only_an_empty_volume_that_was_created_empty_is_formatted) {
  const auto directory = bed_.add(volume);
  EXPECT_EQ(code_of(format_it(CreatedEmpty::no)), "not_created_empty");
  bed_.said_by(fmt::format("echo precious >{}/file", directory.string()));
  EXPECT_EQ(code_of(format_it()), "not_blank");
}

TEST_F(on_files_machine, a_mount_point_that_something_else_has_is_refused) {
  bed_.add(volume);
  const auto other = VolumeId::parse("vol-0bbbbbbbbbbbbbbbb").value();
  bed_.add(other);
  ASSERT_EQ(code_of(mount_it()), "");
  EXPECT_EQ(code_of(mount_it("/mnt/other")), "mounted_elsewhere");
  EXPECT_EQ(code_of(mount(bed_.machine(), {.volume = other, .mount_point = "/mnt/data"})),
            "mount_point_in_use");
  bed_.said_by(fmt::format("mkdir -p {0}/root/full; : >{0}/root/full/file", bed_.root().string()));
  EXPECT_EQ(code_of(mount(bed_.machine(), {.volume = other, .mount_point = "/full"})),
            "mount_point_not_empty");
}

TEST_F(on_files_machine, a_volume_in_use_is_not_unmounted) {
  const auto directory = bed_.add(volume);
  ASSERT_EQ(code_of(mount_it()), "");
  bed_.said_by(fmt::format("cd {0} && {{ setsid sleep 30 >/dev/null 2>&1 & echo $! >{1}/pid; }}",
                           (bed_.root() / "root/mnt/data").string(), bed_.root().string()));
  const auto pid = bed_.said_by(fmt::format("cat {}/pid", bed_.root().string()));
  const auto unmounted = unmount(bed_.machine(), volume);
  EXPECT_EQ(code_of(unmounted), "busy");
  EXPECT_THAT(unmounted.error().details,
              Contains(HasSubstr(fmt::format("process {} 'sleep 30': cwd", pid))));
  bed_.said_by("kill " + pid);
  ASSERT_TRUE(testing::eventually(fmt::format("[ ! -e /proc/{}/cwd ]", pid)));
  EXPECT_EQ(code_of(unmount(bed_.machine(), volume)), "");
}

}  // namespace
}  // namespace runctl::node
