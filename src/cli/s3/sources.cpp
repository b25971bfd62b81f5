#include "cli/s3/sources.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace runctl::cli {

using transfer::Job;
using transfer::NameFault;

namespace {

std::uint64_t hash(std::string_view name, std::string_view etag, std::uint64_t size,
                   std::int64_t time) {
  return std::hash<std::string>{}(fmt::format("{}\n{}\n{}\n{}", name, etag, size, time));
}
std::uint64_t hash(const ListedObject& object) {
  return hash(object.key, object.etag, object.size,
              object.last_modified.time_since_epoch().count());
}
std::uint64_t hash(const transfer::SyncItem& item) {
  return hash(item.name, item.etag, item.size, item.modified.time_since_epoch().count());
}

}  // namespace

transfer::Upload TreeUpload::job(const std::string& name) const {
  return {.root = root,
          .name = name,
          .target = {.bucket = bucket, .key = folder + name},
          .follow =
              links == Links::followed ? transfer::FollowSymlink::yes : transfer::FollowSymlink::no,
          .condition = condition,
          .attributes = attributes};
}

LeftOut left_out(const std::filesystem::path& root, const transfer::TreeItem& item) {
  const transfer::Obstacle obstacle = *item.obstacle;
  const bool by_name = obstacle == transfer::Obstacle::name;
  LeftOut out{
      .verb = "upload",
      .place = (root / item.name).string(),
      .code = by_name ? transfer::name_of(item.fault) : transfer::name_of(obstacle),
      .why = std::string{by_name ? transfer::in_words(item.fault) : transfer::in_words(obstacle)},
      .is_failure = transfer::is_failure(obstacle)};
  if (!item.why.empty()) out.why += ": " + item.why;
  return out;
}

Result<std::optional<Job>> TreeUploads::next() {
  while (auto item = tree_.next()) {
    if (!item->obstacle) return how_.job(item->name);
    report_.leave_out(left_out(how_.root, *item));
  }
  return std::nullopt;
}

Result<std::optional<FolderListing::Named>> FolderListing::next() {
  while (true) {
    RUNCTL_TRY_LET(auto object, listing_.next());
    if (!object) return std::nullopt;
    std::string name = object->key.substr(std::min(folder_.size(), object->key.size()));
    if (!filter_.empty() && !filter_.takes_file(name)) continue;
    return Named{.name = std::move(name), .object = *std::move(object)};
  }
}

Result<std::optional<Job>> FolderJobs::next() {
  while (true) {
    RUNCTL_TRY_LET(auto named, listing_.next());
    if (!named) return std::nullopt;
    ++seen_;
    if (auto job = make_(*std::move(named))) return job;
  }
}

DownloadNames::Judgement DownloadNames::judge(std::string_view name, std::uint64_t size) {
  const NameFault fault = transfer::fault_of_name(name);
  if (fault == NameFault::none) {
    if (!shadowed_.is_shadowed(name)) return {};
    return {.code = "shadowed",
            .why = "another object is the file that would have to be its directory",
            .is_failure = true};
  }
  // An empty object that stands for a folder holds nothing that could be lost.
  return {.code = transfer::name_of(fault),
          .why = std::string{transfer::in_words(fault)},
          .is_failure = fault != NameFault::folder_marker || size > 0};
}

std::optional<transfer::Job> download_job(FolderListing::Named named, const FolderTarget& target,
                                          DownloadNames& names, S3Report& report) {
  auto judgement = names.judge(named.name, named.object.size);
  if (!judgement.is_fine()) {
    report.leave_out({.verb = "download",
                      .place = fmt::format("s3://{}/{}", target.uri.bucket, named.object.key),
                      .code = judgement.code,
                      .why = std::move(judgement.why),
                      .is_failure = judgement.is_failure});
    return std::nullopt;
  }
  return transfer::Download{
      .source = {.bucket = target.uri.bucket, .key = std::move(named.object.key)},
      .root = target.root,
      .name = std::move(named.name),
      .size = named.object.size,
      .etag = std::move(named.object.etag),
      .last_modified = named.object.last_modified};
}

void Consented::add(const ListedObject& object) { hashes_.push_back(hash(object)); }
void Consented::add(const transfer::SyncItem& item) { hashes_.push_back(hash(item)); }

void Consented::close() { std::ranges::sort(hashes_); }

bool Consented::contains(const ListedObject& object) const {
  return std::ranges::binary_search(hashes_, hash(object));
}
bool Consented::contains(const transfer::SyncItem& item) const {
  return std::ranges::binary_search(hashes_, hash(item));
}

}  // namespace runctl::cli
