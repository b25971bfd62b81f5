#include "cli/s3/sync_task.hpp"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "io/directory_reader.hpp"
#include "transfer/file_attributes.hpp"

namespace runctl::cli {
namespace {

using transfer::Likeness;
using transfer::SyncDirection;
using transfer::SyncItem;
using transfer::SyncStep;

// A side that is not there yet.
class NoItems final : public transfer::SyncStream {
 public:
  Result<std::optional<SyncItem>> next() override { return std::nullopt; }
};

class LocalItems final : public transfer::SyncStream {
 public:
  LocalItems(transfer::LocalTree tree, std::filesystem::path root, S3Report* report)
      : tree_{std::move(tree)}, root_{std::move(root)}, report_{report} {}

  Result<std::optional<SyncItem>> next() override {
    auto item = tree_.next();
    if (!item) return std::nullopt;
    SyncItem out{.name = item->name, .size = item->facts.size, .modified = item->facts.modified};
    if (item->obstacle) {
      const LeftOut why = left_out(root_, *item);
      out.blocked = why.why;
      if (report_ != nullptr) report_->leave_out(why);
    }
    return out;
  }

 private:
  transfer::LocalTree tree_;
  std::filesystem::path root_;
  S3Report* report_;
};

enum class Names : bool { any, of_files };

// Objects below a folder. What can be no file's name is no item where files are on the other side:
// it is told, and it is never removed.
class ObjectItems final : public transfer::SyncStream {
 public:
  ObjectItems(S3Session& session, const transfer::S3Uri& uri, const transfer::NameFilter& filter,
              Names names, S3Report* report)
      : bucket_{uri.bucket}, listing_{session, uri, filter}, kind_{names}, report_{report} {}

  Result<std::optional<SyncItem>> next() override {
    while (true) {
      RUNCTL_TRY_LET(auto named, listing_.next());
      if (!named) return std::nullopt;
      if (named->name.empty() || !is_fine(*named)) continue;
      return SyncItem{.name = std::move(named->name),
                      .size = named->object.size,
                      .modified = named->object.last_modified,
                      .etag = std::move(named->object.etag)};
    }
  }

 private:
  bool is_fine(const FolderListing::Named& named) {
    if (kind_ == Names::any) return true;
    auto judgement = names_.judge(named.name, named.object.size);
    if (judgement.is_fine()) return true;
    if (report_ != nullptr) {
      report_->leave_out({.verb = "download",
                          .place = fmt::format("s3://{}/{}", bucket_, named.object.key),
                          .code = judgement.code,
                          .why = std::move(judgement.why),
                          .is_failure = judgement.is_failure});
    }
    return false;
  }

  std::string bucket_;
  FolderListing listing_;
  Names kind_;
  DownloadNames names_;
  S3Report* report_;
};

Result<std::unique_ptr<transfer::SyncStream>> open_tree(const SyncTask& task, Links links,
                                                        S3Report* report, bool may_be_missing) {
  auto tree = transfer::LocalTree::open(
      task.local, {.links = links,
                   .filter = task.filter,
                   .folder_size = may_be_missing ? 0 : transfer::folder_of(task.to).size()});
  if (!tree) {
    if (may_be_missing && tree.error().code == Errc::not_found &&
        !file_facts(task.local, Links::shown)) {
      return std::make_unique<NoItems>();
    }
    return std::unexpected{std::move(tree).error()};
  }
  return std::make_unique<LocalItems>(*std::move(tree), task.local, report);
}

std::unique_ptr<transfer::SyncStream> open_folder(S3Session& session, const SyncTask& task,
                                                  const transfer::S3Uri& uri, Names names,
                                                  S3Report* report) {
  return std::make_unique<ObjectItems>(session, uri, task.filter, names, report);
}

transfer::ObjectName object_name(const transfer::S3Uri& uri, const std::string& name) {
  return {.bucket = uri.bucket, .key = transfer::folder_of(uri) + name};
}

// A file whose time was noted with the object has not been touched since it went up.
bool has_noted_time(const transfer::ObjectFacts& facts, FileTimestamp modified) {
  for (const auto& [key, value] : facts.attributes.metadata) {
    if (key != "mtime") continue;
    const auto noted = transfer::parse_mtime(value);
    return noted && *noted == modified.time_since_epoch().count();
  }
  return false;
}

Result<Likeness> compare_file(transfer::ObjectStore& store, const SyncTask& task,
                              const transfer::ObjectName& name, const SyncItem& file,
                              const std::stop_token& stop) {
  RUNCTL_TRY_LET(const auto facts, store.head(name, stop));
  if (facts.size != file.size) return Likeness::different;
  if (!task.rules.by_checksum && has_noted_time(facts, file.modified)) return Likeness::same;
  RUNCTL_TRY_LET(
      const auto opened,
      RandomAccessFile::open_below(
          task.local, file.name, task.links == Links::followed ? AtLink::follow : AtLink::refuse));
  return transfer::compare_content(store, name, facts, opened, stop);
}

}  // namespace

Result<SyncSides> open_sides(S3Session& session, const SyncTask& task, S3Report* report) {
  SyncSides sides;
  switch (task.rules.direction) {
    case SyncDirection::upload: {
      RUNCTL_TRY_LET(sides.source, open_tree(task, task.links, report, false));
      sides.target = open_folder(session, task, task.to, Names::of_files, nullptr);
      break;
    }
    case SyncDirection::download: {
      sides.source = open_folder(session, task, task.from, Names::of_files, report);
      // Links are never followed where files are replaced and removed.
      RUNCTL_TRY_LET(sides.target, open_tree(task, Links::shown, nullptr, true));
      break;
    }
    case SyncDirection::copy:
      sides.source = open_folder(session, task, task.from, Names::any, report);
      sides.target = open_folder(session, task, task.to, Names::any, nullptr);
      break;
  }
  return sides;
}

transfer::Job job_of(const SyncTask& task, const SyncStep& step) {
  const SyncItem& source = step.source;
  switch (task.rules.direction) {
    case SyncDirection::upload:
      return transfer::Upload{.root = task.local,
                              .name = source.name,
                              .target = object_name(task.to, source.name),
                              .follow = task.links == Links::followed ? transfer::FollowSymlink::yes
                                                                      : transfer::FollowSymlink::no,
                              .attributes = task.attributes};
    case SyncDirection::download:
      return transfer::Download{
          .source = object_name(task.from, source.name),
          .root = task.local,
          .name = source.name,
          .size = source.size,
          .etag = source.etag,
          .last_modified = std::chrono::floor<std::chrono::milliseconds>(source.modified)};
    case SyncDirection::copy:
      return transfer::Copy{.source = object_name(task.from, source.name),
                            .target = object_name(task.to, source.name),
                            .size = source.size,
                            .etag = source.etag,
                            .attributes = task.attributes,
                            .replaces_headers = task.replaces_headers};
  }
  std::unreachable();
}

std::string target_place(const SyncTask& task, const std::string& name) {
  if (task.rules.direction == SyncDirection::download) return (task.local / name).string();
  return fmt::format("s3://{}/{}{}", task.to.bucket, transfer::folder_of(task.to), name);
}

Result<Likeness> compare_step(transfer::ObjectStore& store, const SyncTask& task,
                              const SyncStep& step, const std::stop_token& stop) {
  switch (task.rules.direction) {
    case SyncDirection::upload:
      return compare_file(store, task, object_name(task.to, step.source.name), step.source, stop);
    case SyncDirection::download: {
      RUNCTL_TRY_LET(
          const auto likeness,
          compare_file(store, task, object_name(task.from, step.source.name), step.target, stop));
      // From now on the time alone says so.
      if (likeness == Likeness::same) {
        RUNCTL_TRY(set_modified(task.local / step.target.name, step.source.modified));
      }
      return likeness;
    }
    case SyncDirection::copy: {
      RUNCTL_TRY_LET(const auto source,
                     store.head_source(object_name(task.from, step.source.name), stop));
      RUNCTL_TRY_LET(const auto target, store.head(object_name(task.to, step.source.name), stop));
      return transfer::compare_objects(source, target);
    }
  }
  std::unreachable();
}

}  // namespace runctl::cli
