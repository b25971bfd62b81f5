#include "cli/ebs/fill_objects.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/units.hpp"
#include "node/fetch.hpp"
#include "volume/job_watch.hpp"
#include "volume/machine.hpp"

namespace runctl::cli {
namespace {

using node::FetchFault;
using transfer::NameFault;

// For one question about the job; the job itself takes as long as it takes.
constexpr std::chrono::seconds question_patience{60};
// How long a URL is good, unless the credentials that sign it end before. A batch is done within
// it: 32 GiB take 9 minutes at a new volume's 125 MiB/s, less where the network is slower.
constexpr std::chrono::hours url_life{6};
constexpr std::uint64_t batch_bytes = std::uint64_t{32} << 30U;
// A refusal that comes later than this may be of a signature that has ended.
constexpr std::chrono::minutes freshness{1};

struct Batch {
  std::vector<ListedObject> objects = {};
  std::uint64_t bytes = 0;

  [[nodiscard]] bool has_room_for(const ListedObject& object) const {
    return objects.empty() ||
           (objects.size() < node::fetch_limit && bytes + object.size <= batch_bytes);
  }
  void add(ListedObject object) {
    bytes += object.size;
    objects.push_back(std::move(object));
  }
};

// Whether another try, with a new signature, can end otherwise.
bool may_go_better(const node::FetchFailure& failure, std::chrono::steady_clock::duration took) {
  switch (failure.fault) {
    case FetchFault::http:
      return failure.status >= 500 || failure.status == 429 ||
             (failure.status == 403 && took > freshness);
    case FetchFault::no_answer:
    case FetchFault::killed:
      return true;
    case FetchFault::wrong_size:
    case FetchFault::wrong_content:
    case FetchFault::changed:
    case FetchFault::disk_full:
    case FetchFault::cannot_write:
    case FetchFault::behind_link:
    case FetchFault::no_directory:
    case FetchFault::is_directory:
      return false;
  }
  std::unreachable();
}

std::string why(const node::FetchFailure& failure, const ListedObject& object) {
  std::string words = node::in_words(failure);
  const bool archived = object.storage_class == "GLACIER" || object.storage_class == "DEEP_ARCHIVE";
  if (archived && failure.fault == FetchFault::http) {
    words +=
        fmt::format("; it is archived ({}), and has to be restored first", object.storage_class);
  }
  return words;
}

class Filler {
 public:
  Filler(S3Session& s3, const volume::Session& session, const FillTarget& target,
         const Survey& survey, FillReport& report)
      : s3_{s3},
        session_{session},
        told_{telling(session)},
        machine_{volume::machine_of(session, target.machine, question_patience)},
        place_{target.place},
        survey_{survey},
        report_{report},
        folder_{transfer::folder_of(survey.source)},
        watch_{volume::watch_of(told_, fmt::format("filling {}", place_.name()))} {}
  Filler(const Filler&) = delete;
  Filler& operator=(const Filler&) = delete;
  Filler(Filler&&) = delete;
  Filler& operator=(Filler&&) = delete;
  ~Filler() = default;

  Result<void> run() {
    ObjectListing listing{s3_, survey_.source.bucket, folder_};
    Batch batch;
    while (true) {
      RUNCTL_TRY_LET(auto object, listing.next());
      if (!object) return send(std::move(batch), true);
      if (fault_on_volume(relative(*object)) != NameFault::none) continue;
      if (!batch.has_room_for(*object)) RUNCTL_TRY(send(std::exchange(batch, {}), false));
      batch.add(*std::move(object));
    }
  }

 private:
  // A session that adds how many objects are settled to what it tells.
  [[nodiscard]] volume::Session telling(const volume::Session& session) {
    volume::Session own = session;
    own.progress = [this](std::string_view text) {
      session_.progress(
          fmt::format("{} ({} of {} objects)", text, settled_objects_, survey_.objects));
    };
    return own;
  }
  [[nodiscard]] std::string_view relative(const ListedObject& object) const {
    return std::string_view{object.key}.substr(std::min(folder_.size(), object.key.size()));
  }

  Result<node::FetchFile> sign(const ListedObject& object) {
    RUNCTL_TRY_LET(auto url, s3_.client().presign<aws::s3::GetObject>(
                                 {.bucket = survey_.source.bucket,
                                  .key = object.key,
                                  .request_payer = std::string{s3_.payer()},
                                  .checksum_mode = "ENABLED"},
                                 url_life, s3_.options()));
    return node::FetchFile{.path = std::string{relative(object)},
                           .size = object.size,
                           .modified = object.last_modified,
                           .etag = object.etag,
                           .url = Secret{std::move(url)}};
  }

  // One list, downloaded. What may go better with another try is left in `objects`.
  Result<void> send_once(std::vector<ListedObject>& objects, bool is_last, bool may_repeat) {
    std::vector<node::FetchFile> files;
    files.reserve(objects.size());
    for (const ListedObject& object : objects) {
      RUNCTL_TRY_LET(auto file, sign(object));
      files.push_back(std::move(file));
    }
    node::JobWatch watch = watch_;
    watch.progress = [this](const node::JobProgress& progress) {
      watch_.progress(
          {.done_bytes = settled_bytes_ + progress.done_bytes,
           .total_bytes = std::max(survey_.bytes, settled_bytes_ + progress.done_bytes)});
    };
    const auto began = session_.clock.ticks();
    RUNCTL_TRY_LET(auto fetched, node::fetch(machine_, place_, files, watch, {.is_last = is_last}));
    const auto took = session_.clock.ticks() - began;
    report_.directory = std::move(fetched.directory);
    report_.files += fetched.files;
    report_.bytes += fetched.bytes;
    report_.already += fetched.already;
    report_.already_bytes += fetched.already_bytes;
    if (!fetched.said.empty()) report_.said = std::move(fetched.said);
    std::vector<ListedObject> again;
    for (const node::FetchFailure& failure : fetched.failures) {
      ListedObject& object = objects[failure.index];
      if (may_repeat && may_go_better(failure, took)) {
        again.push_back(std::move(object));
      } else {
        std::string words = why(failure, object);
        report_.failed.push_back({.key = std::move(object.key), .why = std::move(words)});
      }
    }
    objects = std::move(again);
    return {};
  }

  Result<void> send(Batch batch, bool is_last) {
    const std::size_t count = batch.objects.size();
    const bool all_well = report_.failed.empty();
    RUNCTL_TRY(send_once(batch.objects, is_last && all_well, true));
    if (!batch.objects.empty()) RUNCTL_TRY(send_once(batch.objects, false, false));
    settled_objects_ += count;
    settled_bytes_ += batch.bytes;
    return {};
  }

  S3Session& s3_;
  const volume::Session& session_;
  volume::Session told_;
  node::Machine machine_;
  const node::FetchTarget& place_;
  const Survey& survey_;
  FillReport& report_;
  std::string folder_;
  node::JobWatch watch_;
  std::uint64_t settled_objects_ = 0;
  std::uint64_t settled_bytes_ = 0;
};

}  // namespace

std::string objects_in_words(std::uint64_t count) {
  return fmt::format("{} object{}", count, count == 1 ? "" : "s");
}

NameFault fault_on_volume(std::string_view relative) {
  const NameFault fault = transfer::fault_of_name(relative);
  if (fault != NameFault::none) return fault;
  // The manifest of a sealed volume, and what is downloaded to it.
  const std::string_view first = relative.substr(0, relative.find('/'));
  return first == ".runctl" || first == ".runctl-fetch" ? NameFault::reserved : NameFault::none;
}

Result<Survey> survey(S3Session& s3, const transfer::S3Uri& source) {
  Survey found{.source = source};
  const std::string folder = transfer::folder_of(source);
  ObjectListing listing{s3, source.bucket, folder};
  while (true) {
    RUNCTL_TRY_LET(auto object, listing.next());
    if (!object) break;
    const std::string_view relative =
        std::string_view{object->key}.substr(std::min(folder.size(), object->key.size()));
    const NameFault fault = fault_on_volume(relative);
    if (fault == NameFault::folder_marker) continue;
    if (fault != NameFault::none) {
      found.refused.push_back({.key = object->key, .why = std::string{transfer::in_words(fault)}});
      continue;
    }
    ++found.objects;
    found.bytes += object->size;
  }
  if (found.objects > 0 || !found.refused.empty()) return found;
  auto empty = fail(Errc::not_found,
                    fmt::format("there are no objects below {}", transfer::to_text(source)));
  empty.error().hint = "A folder is named by what its keys begin with; nothing was changed.";
  empty.error().ways_out = {fmt::format("runctl s3 list s3://{}/", source.bucket)};
  return empty;
}

Result<void> check_room(const Survey& survey, GiB size, std::string_view volume) {
  const std::uint64_t has = std::uint64_t{size.count} << 30U;
  if (survey.bytes <= has) return {};
  auto full =
      fail(Errc::conflict, fmt::format("{} below {} do not fit on {}, which has {} GiB",
                                       bytes_in_words(survey.bytes),
                                       transfer::to_text(survey.source), volume, size.count));
  full.error().hint = "Nothing was changed. Make it larger, or choose less.";
  full.error().ways_out = {
      fmt::format("runctl aws ebs modify VOLUME --size {}", (survey.bytes >> 30U) * 11 / 10 + 1)};
  return full;
}

Result<void> fill(S3Session& s3, const volume::Session& session, const FillTarget& target,
                  const Survey& survey, FillReport& report) {
  Filler filler{s3, session, target, survey, report};
  return filler.run();
}

}  // namespace runctl::cli
