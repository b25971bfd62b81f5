#include "emulator/hardware/image_disks.hpp"

#include <fstream>
#include <optional>
#include <string>
#include <sys/mount.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "emulator/hardware/temporary_state.hpp"
#include "io/file.hpp"

namespace runctl::emulator {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

std::uint64_t bytes_on_disk(const fs::path& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_blocks) * 512
                                            : 0;
}

void write_at(const fs::path& path, std::streamoff offset, const std::string& text) {
  std::fstream file{path, std::ios::in | std::ios::out | std::ios::binary};
  file.seekp(offset);
  file << text;
}

std::string read_at(const fs::path& path, std::streamoff offset, std::size_t size) {
  std::ifstream file{path, std::ios::binary};
  file.seekg(offset);
  std::string text(size, '\0');
  file.read(text.data(), static_cast<std::streamsize>(size));
  return text;
}

class ImageDisks : public testing::Test {
 protected:
  TemporaryState state_;
  RealClock clock_;
  std::unique_ptr<Disks> disks_ = make_image_disks(state_.path(), clock_);
};

TEST_F(ImageDisks, MakesANewVolumeOfNothingButSize) {
  ASSERT_TRUE(disks_->create(volume_a, GiB{100}, {}));
  EXPECT_EQ(fs::file_size(image_of(state_.path(), volume_a)), GiB{100}.bytes());
  EXPECT_LT(bytes_on_disk(image_of(state_.path(), volume_a)), 100'000U);
}

TEST_F(ImageDisks, CopiesASnapshotSparselyAndExactly) {
  ASSERT_TRUE(disks_->create(volume_a, GiB{10}, {}));
  const fs::path image = image_of(state_.path(), volume_a);
  const std::streamoff middle = std::streamoff{5} << 30U;
  const auto last = static_cast<std::streamoff>(GiB{10}.bytes()) - 4;
  write_at(image, 0, "start");
  write_at(image, middle, std::string(3'000'000, 'm'));
  write_at(image, last, "last");
  ASSERT_TRUE(disks_->snapshot(snapshot_a, volume_a));
  write_at(image, 0, "later");
  const fs::path copy = image_of(state_.path(), snapshot_a);
  EXPECT_EQ(fs::file_size(copy), GiB{10}.bytes());
  EXPECT_EQ(read_at(copy, 0, 6), std::string("start\0", 6));
  EXPECT_EQ(read_at(copy, middle - 1, 3'000'002), '\0' + std::string(3'000'000, 'm') + '\0');
  EXPECT_EQ(read_at(copy, last, 4), "last");
  EXPECT_LT(bytes_on_disk(copy), 4'000'000U);
}

// Writes to the image all the time. On a machine that is busy a copy may fall into a pause of its
// thread: the tests below try again then.
std::jthread writer_of(const fs::path& image) {
  return std::jthread{[image](const std::stop_token& stop) {
    for (int i = 0; !stop.stop_requested(); ++i) write_at(image, 4096, std::to_string(i));
  }};
}
constexpr int many_times = 100;

TEST_F(ImageDisks, GivesUpOnAVolumeThatIsAlwaysWrittenTo) {
  ASSERT_TRUE(disks_->create(volume_a, GiB{1}, {}));
  write_at(image_of(state_.path(), volume_a), 1 << 20U, std::string(16U << 20U, 'x'));
  const std::jthread writer = writer_of(image_of(state_.path(), volume_a));
  Result<void> taken{};
  for (int i = 0; taken && i < many_times; ++i) {
    ASSERT_TRUE(disks_->remove(snapshot_a));
    taken = disks_->snapshot(snapshot_a, volume_a);
  }
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Errc::deadline_exceeded);
  EXPECT_TRUE(fs::is_empty(state_.path() / "snapshots"));
}

TEST_F(ImageDisks, HoldsWritersStillOnlyWhereItMust) {
  int held = 0;
  std::optional<std::jthread> writer;
  const auto disks = make_image_disks(state_.path(), clock_, [&](const VolumeId& volume) {
    EXPECT_EQ(volume, volume_a);
    ++held;
    writer.reset();
    return std::make_shared<int>();
  });
  ASSERT_TRUE(disks->create(volume_a, GiB{1}, {}));
  ASSERT_TRUE(disks->snapshot(snapshot_a, volume_a));
  EXPECT_EQ(held, 0) << "nobody writes";
  write_at(image_of(state_.path(), volume_a), 1 << 20U, std::string(16U << 20U, 'x'));
  for (int i = 0; held == 0 && i < many_times; ++i) {
    ASSERT_TRUE(disks->remove(volume_b));
    writer.emplace(writer_of(image_of(state_.path(), volume_a)));
    const auto copied = disks->create(volume_b, GiB{1}, volume_a);
    ASSERT_TRUE(copied) << copied.error().message;
    writer.reset();
  }
  EXPECT_EQ(held, 1);
}

TEST_F(ImageDisks, RestoresIntoALargerVolumeWithZerosBehind) {
  ASSERT_TRUE(disks_->create(volume_a, GiB{1}, {}));
  write_at(image_of(state_.path(), volume_a), 1'000'000, "content");
  ASSERT_TRUE(disks_->snapshot(snapshot_a, volume_a));
  ASSERT_TRUE(disks_->create(volume_b, GiB{3}, snapshot_a));
  const fs::path restored = image_of(state_.path(), volume_b);
  EXPECT_EQ(fs::file_size(restored), GiB{3}.bytes());
  EXPECT_EQ(read_at(restored, 1'000'000, 7), "content");
  EXPECT_EQ(read_at(restored, static_cast<std::streamoff>(GiB{1}.bytes()), 8),
            std::string(8, '\0'));
}

TEST_F(ImageDisks, RefusesWhatIsThereAlreadyOrIsMissing) {
  ASSERT_TRUE(disks_->create(volume_a, GiB{2}, {}));
  EXPECT_EQ(disks_->create(volume_a, GiB{2}, {}).error().code, Errc::conflict);
  EXPECT_EQ(disks_->snapshot(snapshot_a, volume_b).error().code, Errc::not_found);
  EXPECT_EQ(disks_->create(volume_b, GiB{2}, snapshot_a).error().code, Errc::not_found);
  ASSERT_TRUE(disks_->snapshot(snapshot_a, volume_a));
  EXPECT_EQ(disks_->create(volume_b, GiB{1}, snapshot_a).error().code, Errc::invalid_argument);
  EXPECT_FALSE(fs::exists(image_of(state_.path(), volume_b)));
  EXPECT_TRUE(disks_->remove(volume_a));
  EXPECT_TRUE(disks_->remove(volume_a));
  EXPECT_TRUE(disks_->remove(snapshot_a));
  EXPECT_TRUE(fs::is_empty(state_.path() / "volumes"));
  EXPECT_TRUE(fs::is_empty(state_.path() / "snapshots"));
}

TEST_F(ImageDisks, SaysSoWhenTheDiskIsFullAndKeepsNoHalfImage) {
  if (::mount("tmpfs", state_.path().c_str(), "tmpfs", 0, "size=2m") != 0) {
    GTEST_SKIP() << "cannot mount a small filesystem here, which needs root";
  }
  ASSERT_TRUE(disks_->create(volume_a, GiB{1}, {}));
  write_at(image_of(state_.path(), volume_a), 5'000'000, std::string(1'500'000, 'x'));
  const auto copied = disks_->snapshot(snapshot_a, volume_a);
  EXPECT_TRUE(fs::is_empty(state_.path() / "snapshots"));
  ::umount(state_.path().c_str());
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, Errc::internal);
  EXPECT_THAT(copied.error().message, HasSubstr(snapshot_a.str()));
  EXPECT_THAT(copied.error().message, HasSubstr("No space left on device"));
}

TEST_F(ImageDisks, LosesHalfImagesAfterACrash) {
  fs::create_directories(state_.path() / "snapshots");
  const fs::path half = image_of(state_.path(), snapshot_a).string() + ".tmp";
  std::ofstream{half} << "half";
  EXPECT_THAT(clean_up_after_crash(state_.path()),
              testing::ElementsAre("removed half-made snap-0123456789abcdef0.img.tmp"));
  EXPECT_FALSE(fs::exists(half));
}

}  // namespace
}  // namespace runctl::emulator
