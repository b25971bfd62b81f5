// Where the engine's jobs come from: a local tree, a folder in S3.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "cli/s3/listing.hpp"
#include "cli/s3/progress.hpp"
#include "cli/s3/report.hpp"
#include "cli/s3/session.hpp"
#include "transfer/ignore_rules.hpp"
#include "transfer/job.hpp"
#include "transfer/local_tree.hpp"
#include "transfer/object_name.hpp"
#include "transfer/sync_plan.hpp"
#include "transfer/uri.hpp"

namespace runctl::cli {

// A file of a tree, on its way up.
struct TreeUpload {
  std::filesystem::path root = {};
  std::string bucket = {};
  std::string folder = {};  // "" or "a/"
  Links links = Links::shown;
  transfer::TargetCondition condition = {};
  transfer::Attributes attributes = {};
  [[nodiscard]] transfer::Upload job(const std::string& name) const;
};

// The files of a directory; what is none is told to the report.
class TreeUploads final : public transfer::JobSource {
 public:
  TreeUploads(transfer::LocalTree tree, TreeUpload how, S3Report& report)
      : tree_{std::move(tree)}, how_{std::move(how)}, report_{report} {}
  [[nodiscard]] Result<std::optional<transfer::Job>> next() override;

 private:
  transfer::LocalTree tree_;
  TreeUpload how_;
  S3Report& report_;
};

// Tells what an obstacle is.
[[nodiscard]] LeftOut left_out(const std::filesystem::path& root, const transfer::TreeItem& item);

// The objects below a folder in S3, less those that a filter leaves out; each with its name below
// the folder.
class FolderListing {
 public:
  struct Named {
    std::string name = {};
    ListedObject object = {};
  };
  FolderListing(S3Session& session, const transfer::S3Uri& uri, const transfer::NameFilter& filter)
      : folder_{transfer::folder_of(uri)},
        filter_{filter},
        listing_{session, uri.bucket, folder_} {}
  // Errors: as ObjectListing::next.
  [[nodiscard]] Result<std::optional<Named>> next();
  [[nodiscard]] const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
  const transfer::NameFilter& filter_;
  ObjectListing listing_;
};

// Gives a job, or nothing for an object that is passed over, for each object of a folder.
class FolderJobs final : public transfer::JobSource {
 public:
  using Make = std::function<std::optional<transfer::Job>(FolderListing::Named)>;
  FolderJobs(S3Session& session, const transfer::S3Uri& uri, const transfer::NameFilter& filter,
             Make make)
      : listing_{session, uri, filter}, make_{std::move(make)} {}
  [[nodiscard]] Result<std::optional<transfer::Job>> next() override;
  // Objects that the folder had for it.
  [[nodiscard]] std::uint64_t seen() const { return seen_; }

 private:
  FolderListing listing_;
  Make make_;
  std::uint64_t seen_ = 0;
};

// Whether an object's name can be a file's. Names in order.
class DownloadNames {
 public:
  struct Judgement {
    std::string_view code = {};  // empty when it can
    std::string why = {};
    bool is_failure = false;  // not so of an empty object that stands for a folder
    [[nodiscard]] bool is_fine() const { return code.empty(); }
  };
  [[nodiscard]] Judgement judge(std::string_view name, std::uint64_t size);

 private:
  transfer::ShadowedNames shadowed_;
};

// Where a folder's objects go.
struct FolderTarget {
  const transfer::S3Uri& uri;  // the folder
  const std::filesystem::path& root;
};
// The job that brings one of them there; nothing for one that can be no file, which is told to the
// report.
[[nodiscard]] std::optional<transfer::Job> download_job(FolderListing::Named named,
                                                        const FolderTarget& target,
                                                        DownloadNames& names, S3Report& report);

// What may be lost, as somebody has consented to or a list had it, each as it was then: name, ETag,
// size and time as one number of eight bytes, since there may be a million.
class Consented {
 public:
  void add(const ListedObject& object);
  void add(const transfer::SyncItem& item);
  // To be called once, behind the last add().
  void close();
  [[nodiscard]] bool contains(const ListedObject& object) const;
  [[nodiscard]] bool contains(const transfer::SyncItem& item) const;
  [[nodiscard]] std::uint64_t size() const { return hashes_.size(); }

 private:
  std::vector<std::uint64_t> hashes_;
};

}  // namespace runctl::cli
