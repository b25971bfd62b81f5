#include "emulator/hardware/image_disks.hpp"

#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "emulator/hardware/file_copy.hpp"
#include "emulator/hardware/moment_copy.hpp"
#include "io/file.hpp"

namespace runctl::emulator {
namespace {

namespace fs = std::filesystem;

// An image under a temporary name, which is removed unless it gets its own.
class NewImage {
 public:
  static Result<NewImage> create(const fs::path& path) {
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    if (error) return fail_errno(error.value(), "create", path.parent_path());
    if (fs::exists(path, error)) return fail_errno(EEXIST, "create", path);
    NewImage image{path};
    image.fd_ =
        UniqueFd{::open(image.temporary_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
    if (!image.fd_.is_open()) return fail_errno(errno, "create", image.temporary_);
    return image;
  }
  NewImage(const NewImage&) = delete;
  NewImage& operator=(const NewImage&) = delete;
  NewImage(NewImage&& other) noexcept
      : path_{std::move(other.path_)},
        temporary_{std::exchange(other.temporary_, {})},
        fd_{std::move(other.fd_)} {}
  NewImage& operator=(NewImage&&) = delete;
  ~NewImage() {
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
  }

  Result<void> fill_from(const fs::path& source) {
    const UniqueFd from{::open(source.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!from.is_open()) return fail_errno(errno, "read", source);
    return copy_content(from.get(), fd_.get(), path_.string());
  }

  Result<void> fill_with_moment_of(const fs::path& source, Clock& clock,
                                   const HoldStill& hold_still) {
    const UniqueFd from{::open(source.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!from.is_open()) return fail_errno(errno, "read", source);
    return copy_moment(from.get(), fd_.get(), path_.string(), clock, hold_still);
  }

  Result<void> resize(std::uint64_t bytes) {
    if (::ftruncate(fd_.get(), static_cast<off_t>(bytes)) == 0) return {};
    return fail_errno(errno, fmt::format("give {} bytes to", bytes), path_);
  }

  Result<void> publish() {
    if (::fsync(fd_.get()) != 0) return fail_errno(errno, "write", path_);
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) return fail_errno(errno, "create", path_);
    temporary_.clear();
    return sync_directory(path_.parent_path());
  }

 private:
  explicit NewImage(const fs::path& path) : path_{path}, temporary_{path.string() + ".tmp"} {}
  fs::path path_;
  fs::path temporary_;
  UniqueFd fd_;
};

class ImageDisks final : public Disks {
 public:
  ImageDisks(fs::path state, Clock& clock, HoldVolumeStill hold_still)
      : state_{std::move(state)}, clock_{clock}, hold_still_{std::move(hold_still)} {}

  Result<void> create(const VolumeId& volume, GiB size, const DiskSource& source) override {
    RUNCTL_TRY_LET(NewImage image, NewImage::create(emulator::image_of(state_, volume)));
    if (const auto from = image_of(source)) {
      std::error_code error;
      const std::uintmax_t stored = fs::file_size(*from, error);
      if (error) return fail_errno(error.value(), "read", *from);
      if (stored > size.bytes()) {
        return fail(Errc::invalid_argument, fmt::format("{} with {} GiB is smaller than {}", volume,
                                                        size.count, from->stem().string()));
      }
      if (const auto* const other = std::get_if<VolumeId>(&source)) {
        RUNCTL_TRY(fill_with_moment_of(image, *other));
      } else {
        RUNCTL_TRY(image.fill_from(*from));
      }
    }
    RUNCTL_TRY(image.resize(size.bytes()));
    return image.publish();
  }

  Result<void> grow(const VolumeId& volume, GiB size) override {
    const fs::path path = emulator::image_of(state_, volume);
    const UniqueFd image{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
    struct stat status{};
    if (!image.is_open() || ::fstat(image.get(), &status) != 0)
      return fail_errno(errno, "grow", path);
    const auto bytes = static_cast<off_t>(size.bytes());
    if (status.st_size > bytes) {
      return fail(Errc::invalid_argument,
                  fmt::format("{} has more than {} GiB and cannot shrink", volume, size.count));
    }
    if (::ftruncate(image.get(), bytes) != 0 || ::fsync(image.get()) != 0)
      return fail_errno(errno, "grow", path);
    return {};
  }

  Result<void> snapshot(const SnapshotId& snapshot, const VolumeId& volume) override {
    RUNCTL_TRY_LET(NewImage image, NewImage::create(emulator::image_of(state_, snapshot)));
    RUNCTL_TRY(fill_with_moment_of(image, volume));
    return image.publish();
  }

  Result<void> remove(const VolumeId& volume) override {
    return remove(emulator::image_of(state_, volume));
  }
  Result<void> remove(const SnapshotId& snapshot) override {
    return remove(emulator::image_of(state_, snapshot));
  }

 private:
  static Result<void> remove(const fs::path& image) {
    if (::unlink(image.c_str()) == 0) return sync_directory(image.parent_path());
    if (errno == ENOENT) return {};
    return fail_errno(errno, "remove", image);
  }

  Result<void> fill_with_moment_of(NewImage& image, const VolumeId& volume) {
    return image.fill_with_moment_of(emulator::image_of(state_, volume), clock_,
                                     [&] { return hold_still_ ? hold_still_(volume) : nullptr; });
  }

  // Nothing for zeros.
  [[nodiscard]] std::optional<fs::path> image_of(const DiskSource& source) const {
    if (const auto* const snapshot = std::get_if<SnapshotId>(&source))
      return emulator::image_of(state_, *snapshot);
    if (const auto* const volume = std::get_if<VolumeId>(&source))
      return emulator::image_of(state_, *volume);
    return {};
  }

  fs::path state_;
  Clock& clock_;
  HoldVolumeStill hold_still_;
};

}  // namespace

fs::path image_of(const fs::path& state, const VolumeId& volume) {
  return state / "volumes" / (volume.str() + ".img");
}

fs::path image_of(const fs::path& state, const SnapshotId& snapshot) {
  return state / "snapshots" / (snapshot.str() + ".img");
}

std::unique_ptr<Disks> make_image_disks(fs::path state, Clock& clock, HoldVolumeStill hold_still) {
  return std::make_unique<ImageDisks>(std::move(state), clock, std::move(hold_still));
}

}  // namespace runctl::emulator
