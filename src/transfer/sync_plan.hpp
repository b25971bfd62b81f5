// What makes one tree like another: two sorted streams of names go in, steps come out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "io/directory_reader.hpp"

namespace runctl::transfer {

enum class SyncDirection : std::uint8_t { upload, download, copy };

// A file or an object, by its name below the tree's root.
struct SyncItem {
  std::string name = {};
  std::uint64_t size = 0;
  FileTimestamp modified{};  // of an object: when it was last written, in whole seconds
  std::string etag = {};     // of an object, with its quotes
  // Why it is there but cannot be transferred; empty when it can. A name that ends in '/' stands
  // for all below it.
  std::string blocked = {};
};

// Items in the order of the bytes of their names, none twice.
class SyncStream {
 public:
  SyncStream() = default;
  SyncStream(const SyncStream&) = delete;
  SyncStream& operator=(const SyncStream&) = delete;
  SyncStream(SyncStream&&) = delete;
  SyncStream& operator=(SyncStream&&) = delete;
  virtual ~SyncStream() = default;
  // The next, nothing after the last.
  [[nodiscard]] virtual Result<std::optional<SyncItem>> next() = 0;
};

enum class SyncAction : std::uint8_t {
  create,   // the target lacks it
  replace,  // both have it, and they differ
  compare,  // both have it in the same size: only the content says whether they differ
  same,     // nothing to do
  remove,   // the source lacks it
  blocked,  // one side has something there that is not transferred: `why`
};

struct SyncStep {
  SyncAction action = SyncAction::same;
  std::string why = {};  // "new", "size", "time", …; of what is blocked, a sentence
  SyncItem source = {};  // without a name when there is none
  SyncItem target = {};
  [[nodiscard]] const std::string& name() const {
    return source.name.empty() ? target.name : source.name;
  }
  // Whether the source has a file, or an object, of that name: not a link, not an empty directory.
  [[nodiscard]] bool has_source() const { return !source.name.empty() && source.blocked.empty(); }
};

struct SyncRules {
  SyncDirection direction = SyncDirection::upload;
  bool by_checksum = false;  // else by size and time
  bool by_size_only = false;
};

// Whether two of the same name are the same: `compare` where only their content can tell. Never
// `remove` or `blocked`. `why` is empty when they are.
//
// - Another size is another content.
// - Upload: an object that was written after its file was last modified has its content. In the
// same
//   second, which is all that S3 tells, the content decides.
// - Download: a file that has its object's time has its content, since a download gives it that
//   time. With any other time the content decides: the object may be newer, the file may have been
//   changed, or it may be the one that was uploaded.
// - Copy: the same ETag, or a target that was written after the source.
// Source: the AWS CLI compares the same figures (awscli/customizations/s3/syncstrategy/base.py),
// but passes over an object of the same size that is newer than its file.
struct Verdict {
  SyncAction action = SyncAction::same;
  std::string_view why = {};
};
[[nodiscard]] Verdict compare_items(const SyncItem& source, const SyncItem& target,
                                    const SyncRules& rules);

// The merge of two streams. Memory: an item of each, and the depth of a name.
class SyncPlan {
 public:
  SyncPlan(SyncStream& source, SyncStream& target, SyncRules rules)
      : source_{source}, target_{target}, rules_{rules} {}

  // The next step, nothing after the last. What is blocked in the source protects what the target
  // has in its place. What is blocked in the target and is not in the source is no step. Errors:
  // the streams' own; corrupt for a stream that is not sorted, since what is missing could not be
  // told then (a bucket of S3 Express, some servers).
  [[nodiscard]] Result<std::optional<SyncStep>> next();

 private:
  struct Side {
    std::optional<SyncItem> item = {};
    std::string last = {};
    bool begun = false;
    bool ended = false;
  };
  [[nodiscard]] static Result<void> fill(Side& side, SyncStream& stream);
  [[nodiscard]] bool is_protected(std::string_view name);
  [[nodiscard]] std::optional<SyncStep> only_in_source();
  [[nodiscard]] std::optional<SyncStep> only_in_target();
  [[nodiscard]] SyncStep in_both();

  SyncStream& source_;
  SyncStream& target_;
  SyncRules rules_;
  Side at_source_;
  Side at_target_;
  std::vector<std::string> protectors_;  // blocked names of the source that may be above what comes
};

}  // namespace runctl::transfer
