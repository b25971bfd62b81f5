#include "checkpoint/local_place.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "io/random_access_file.hpp"
#include "transfer/local_tree.hpp"

namespace runctl::checkpoint {
namespace {

namespace fs = std::filesystem;

PlaceFile to_file(std::string name, const FileFacts& facts) {
  const std::string inode = fmt::format("{}:{}", facts.device, facts.inode);
  return {.name = std::move(name),
          .size = facts.size,
          .modified = facts.modified,
          .identity = fmt::format("{}:{}", inode, facts.modified.time_since_epoch().count()),
          .inode = inode};
}

class LocalPlace final : public Place {
 public:
  // `only` is the file that the place was named by; "" for all of it.
  LocalPlace(fs::path root, fs::path written, std::string only, std::stop_token stop)
      : root_{std::move(root)},
        written_{std::move(written)},
        only_{std::move(only)},
        stop_{std::move(stop)} {}

  [[nodiscard]] std::string own_name() const override {
    std::error_code ignored;
    const fs::path whole = fs::weakly_canonical(root_, ignored);
    return (ignored ? root_ : whole).filename().string();
  }

  [[nodiscard]] std::string named_file() const override { return only_; }

  [[nodiscard]] std::string path_of(std::string_view name) const override {
    if (name.empty()) return (only_.empty() ? written_ : written_ / only_).string();
    return (written_ / name).string();
  }

  Result<std::vector<PlaceFile>> files() override {
    if (!only_.empty()) return named_files();
    RUNCTL_TRY_LET(auto tree, transfer::LocalTree::open(root_, {.links = Links::followed}));
    std::vector<PlaceFile> files;
    while (auto item = tree.next()) {
      if (stop_.stop_requested()) return fail(Errc::cancelled, "stopped while reading");
      // A name that S3 would not take is a file here all the same.
      if (item->obstacle == transfer::Obstacle::name && !item->name.ends_with('/')) {
        const auto facts = file_facts(root_ / item->name, Links::followed);
        if (!facts) continue;
        item->facts = *facts;
      } else if (item->obstacle) {
        continue;
      }
      if (item->facts.kind != FileKind::file) continue;
      if (files.size() == most_files) {
        auto many = fail(Errc::invalid_argument,
                         fmt::format("{} holds over {} files", root_.string(), most_files));
        many.error().hint = "Name the folder that the checkpoints are directly in.";
        return many;
      }
      files.push_back(to_file(std::move(item->name), item->facts));
    }
    return files;
  }

  Result<std::unique_ptr<Source>> open(const PlaceFile& file) override {
    RUNCTL_TRY_LET(auto opened, RandomAccessFile::open(root_ / file.name, AtLink::follow));
    RUNCTL_TRY_LET(const FileState state, opened.state());
    return std::make_unique<FileSource>(std::move(opened), state.size, stop_);
  }

  bool is_link(std::string_view top_name) override {
    const auto facts = file_facts(root_ / top_name, Links::shown);
    return !facts || facts->kind == FileKind::symlink;
  }

  Result<void> remove(std::string_view top_name, std::span<const PlaceFile> files) override {
    (void)files;
    const fs::path path = root_ / top_name;
    RUNCTL_TRY_LET(const FileFacts facts, file_facts(path, Links::shown));
    std::error_code failed;
    if (facts.kind != FileKind::directory) {
      fs::remove(path, failed);
      if (failed) return fail_errno(failed.value(), "remove", path);
      return sync_directory(root_);
    }
    fs::path aside = path;
    if (!top_name.starts_with(removing_prefix)) {
      aside = root_ / fmt::format("{}{}", removing_prefix, top_name);
      fs::rename(path, aside, failed);
      if (failed) return fail_errno(failed.value(), "remove", path);
      RUNCTL_TRY(sync_directory(root_));
    }
    fs::remove_all(aside, failed);  // follows no link
    if (failed) return fail_errno(failed.value(), "remove", aside);
    return {};
  }

 private:
  Result<std::vector<PlaceFile>> named_files() {
    std::vector<PlaceFile> files;
    RUNCTL_TRY_LET(const FileFacts facts, file_facts(root_ / only_, Links::followed));
    files.push_back(to_file(only_, facts));
    for (const fs::path& name :
         {fs::path{only_}.replace_extension(".json"), fs::path{only_ + ".json"}}) {
      if (name == only_) continue;
      const auto beside = file_facts(root_ / name, Links::followed);
      if (beside && beside->kind == FileKind::file)
        files.push_back(to_file(name.string(), *beside));
    }
    return files;
  }

  fs::path root_;
  fs::path written_;  // as it was given, for messages
  std::string only_;
  std::stop_token stop_;
};

}  // namespace

Result<std::unique_ptr<Place>> open_local_place(const fs::path& path, const std::stop_token& stop) {
  RUNCTL_TRY_LET(const FileFacts facts, file_facts(path, Links::followed));
  if (facts.kind == FileKind::directory) return std::make_unique<LocalPlace>(path, path, "", stop);
  if (facts.kind != FileKind::file) {
    return fail(Errc::invalid_argument,
                fmt::format("{} is neither a file nor a directory", path.string()));
  }
  const fs::path parent = path.parent_path();
  return std::make_unique<LocalPlace>(parent.empty() ? fs::path{"."} : parent, parent,
                                      path.filename().string(), stop);
}

}  // namespace runctl::checkpoint
