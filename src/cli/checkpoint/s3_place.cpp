#include "cli/checkpoint/s3_place.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "checkpoint/object_source.hpp"
#include "cli/s3/listing.hpp"
#include "cli/s3/options.hpp"
#include "transfer/object_name.hpp"
#include "transfer/s3_store.hpp"

namespace runctl::cli {
namespace {

using checkpoint::PlaceFile;

// Objects of one DeleteObjects request. Source: Amazon S3 API Reference, DeleteObjects.
constexpr std::size_t most_removed_at_once = 1'000;

class S3Place final : public checkpoint::Place {
 public:
  // `only` is the object that the place was named by, without its folder.
  S3Place(S3Session& session, std::string bucket, std::string folder, std::string only)
      : session_{session},
        store_{session.client()},
        bucket_{std::move(bucket)},
        folder_{std::move(folder)},
        only_{std::move(only)} {}

  [[nodiscard]] std::string own_name() const override {
    return std::string{last_component(
        std::string_view{folder_}.substr(0, folder_.empty() ? 0 : folder_.size() - 1))};
  }

  [[nodiscard]] std::string named_file() const override { return only_; }

  [[nodiscard]] std::string path_of(std::string_view name) const override {
    return fmt::format("s3://{}/{}{}", bucket_, folder_, name.empty() ? only_ : name);
  }

  Result<std::vector<PlaceFile>> files() override {
    std::vector<PlaceFile> files;
    if (!only_.empty()) {
      const auto stem = only_.substr(0, only_.rfind('.'));
      for (const std::string& name :
           {only_, fmt::format("{}.json", stem), fmt::format("{}.json", only_)}) {
        if (name == only_ && !files.empty()) continue;
        RUNCTL_TRY_LET(auto object,
                       find_object(session_, {.bucket = bucket_, .key = folder_ + name}));
        if (object) add(files, *std::move(object));
      }
      return files;
    }
    ObjectListing listing{session_, bucket_, folder_};
    while (true) {
      RUNCTL_TRY_LET(auto object, listing.next());
      if (!object) return files;
      if (files.size() == checkpoint::most_files) {
        return usage_error(
            fmt::format("{} holds over {} objects", path_of(""), checkpoint::most_files),
            "Name the folder that the checkpoints are directly in.");
      }
      add(files, *std::move(object));
    }
  }

  Result<std::unique_ptr<checkpoint::Source>> open(const PlaceFile& file) override {
    return std::make_unique<checkpoint::ObjectSource>(
        store_, transfer::ObjectName{.bucket = bucket_, .key = folder_ + file.name}, file.identity,
        file.size, session_.stop_token());
  }

  bool is_link(std::string_view) override { return false; }

  Result<void> remove(std::string_view, std::span<const PlaceFile> files) override {
    std::vector<transfer::ObjectName> names;
    names.reserve(files.size());
    for (const PlaceFile& file : files)
      names.push_back({.bucket = bucket_, .key = folder_ + file.name});
    for (std::size_t at = 0; at < names.size(); at += most_removed_at_once) {
      const auto piece =
          std::span{names}.subspan(at, std::min(most_removed_at_once, names.size() - at));
      RUNCTL_TRY_LET(const auto removals, store_.remove(piece, session_.stop_token()));
      for (const transfer::Removal& removal : removals) {
        if (removal.error) return std::unexpected{*removal.error};
      }
    }
    return {};
  }

 private:
  void add(std::vector<PlaceFile>& files, ListedObject object) const {
    std::string name = object.key.substr(folder_.size());
    if (name.empty() || name.ends_with('/')) return;  // it stands for a folder
    files.push_back({.name = std::move(name),
                     .size = object.size,
                     .modified = object.last_modified,
                     .identity = std::move(object.etag)});
  }

  S3Session& session_;
  transfer::S3Store store_;
  std::string bucket_;
  std::string folder_;  // "" or "a/"
  std::string only_;
};

}  // namespace

Result<std::unique_ptr<checkpoint::Place>> open_s3_place(S3Session& session,
                                                         const transfer::S3Uri& uri) {
  if (!uri.key.empty() && !uri.key.ends_with('/')) {
    RUNCTL_TRY_LET(const auto object, find_object(session, uri));
    if (object) {
      const std::string only{last_component(uri.key)};
      return std::make_unique<S3Place>(session, uri.bucket,
                                       uri.key.substr(0, uri.key.size() - only.size()), only);
    }
  }
  RUNCTL_TRY_LET(const bool is_there, is_folder(session, uri));
  if (!is_there && !uri.key.empty()) {
    return fail(Errc::not_found,
                fmt::format("there is nothing at {}", transfer::printable(to_text(uri))));
  }
  return std::make_unique<S3Place>(session, uri.bucket, transfer::folder_of(uri), "");
}

}  // namespace runctl::cli
