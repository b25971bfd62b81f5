#include "emulator/hardware/directory_disks.hpp"

#include <cerrno>
#include <cstdio>
#include <sys/stat.h>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "emulator/hardware/tree_copy.hpp"
#include "io/file.hpp"

namespace runctl::emulator {
namespace {

namespace fs = std::filesystem;

// `make` makes the directory under a temporary name; after an error nothing of it is left.
template <class Make>
Result<void> publish(const fs::path& path, const Make& make) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) return fail_errno(error.value(), "create", path.parent_path());
  if (fs::exists(path, error)) return fail_errno(EEXIST, "create", path);
  const fs::path temporary = path.string() + ".tmp";
  RUNCTL_TRY(remove_tree(temporary));
  Result<void> made = make(temporary);
  if (made && std::rename(temporary.c_str(), path.c_str()) != 0)
    made = fail_errno(errno, "create", path);
  if (!made) {
    (void)remove_tree(temporary);
    return made;
  }
  return sync_directory(path.parent_path());
}

Result<void> copy_or_explain(const fs::path& from, const fs::path& to) {
  std::error_code error;
  if (!fs::is_directory(from, error)) return fail_errno(ENOENT, "read", from);
  return copy_tree(from, to);
}

class DirectoryDisks final : public Disks {
 public:
  explicit DirectoryDisks(fs::path state) : state_{std::move(state)} {}

  Result<void> create(const VolumeId& volume, GiB, const DiskSource& source) override {
    return publish(directory_of(state_, volume), [&](const fs::path& to) -> Result<void> {
      if (const auto* const snapshot = std::get_if<SnapshotId>(&source)) {
        return copy_or_explain(directory_of(state_, *snapshot), to);
      }
      if (const auto* const other = std::get_if<VolumeId>(&source)) {
        return copy_or_explain(directory_of(state_, *other), to);
      }
      if (::mkdir(to.c_str(), 0755) != 0) return fail_errno(errno, "create", to);
      return {};
    });
  }

  Result<void> grow(const VolumeId&, GiB) override { return {}; }

  Result<void> snapshot(const SnapshotId& snapshot, const VolumeId& volume) override {
    return publish(directory_of(state_, snapshot), [&](const fs::path& to) {
      return copy_or_explain(directory_of(state_, volume), to);
    });
  }

  Result<void> remove(const VolumeId& volume) override {
    return remove_tree(directory_of(state_, volume));
  }
  Result<void> remove(const SnapshotId& snapshot) override {
    return remove_tree(directory_of(state_, snapshot));
  }

 private:
  fs::path state_;
};

}  // namespace

fs::path directory_of(const fs::path& state, const VolumeId& volume) {
  return state / "volumes" / volume.str();
}

fs::path directory_of(const fs::path& state, const SnapshotId& snapshot) {
  return state / "snapshots" / snapshot.str();
}

std::unique_ptr<Disks> make_directory_disks(fs::path state) {
  return std::make_unique<DirectoryDisks>(std::move(state));
}

}  // namespace runctl::emulator
