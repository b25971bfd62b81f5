// A download before it is complete: a hidden file beside its target, and the note of what is in it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"
#include "io/directory.hpp"
#include "io/random_access_file.hpp"
#include "transfer/job.hpp"
#include "transfer/range_set.hpp"

namespace runctl::transfer {

// Whether a file's name is that of an unfinished download, or of its note: ".runctl-part-…". Such
// files are no data: a sync neither uploads nor deletes them.
[[nodiscard]] bool is_partial_name(std::string_view name);

// What the ranges in the file are of.
struct PartialNote {
  std::string etag = {};
  std::string version_id = {};
  std::uint64_t size = 0;
  CrcKind kind = CrcKind::crc64nvme;
  std::uint64_t period = 0;  // RangeSet's
  bool operator==(const PartialNote&) const = default;
};

// Locked against other processes as long as it lives. Thread safety: file() from several threads;
// the rest by one at a time.
class PartialFile {
 public:
  // Makes the target's directory and, in it, the file; or takes up one that was left there.
  // Errors: conflict when another process downloads to the same target; invalid_argument for a
  // target that is not below the job's root, or is a directory; as fail_errno.
  [[nodiscard]] static Result<PartialFile> open(const Download& job);

  [[nodiscard]] const RandomAccessFile& file() const { return file_; }

  // What an interrupted run has left of that very object; add() continues its note. Nothing when
  // the note is of another, or was written before the machine was last started: then nobody knows
  // what reached the disk.
  [[nodiscard]] Result<std::optional<RangeSet>> found(const PartialNote& note);
  // Empties the file and its note, and begins a note.
  [[nodiscard]] Result<void> start(const PartialNote& note);
  // Empties the file and removes its note: there will be none.
  [[nodiscard]] Result<void> start_without_note();
  // Adds a range that is in the file.
  [[nodiscard]] Result<void> add(const Range& range, std::uint64_t crc);

  // Gives the file its target's name, in the place of what is there, and removes the note.
  // `durable`: bytes before the name, and the name before this returns.
  enum class Durable : bool { no, yes };
  [[nodiscard]] Result<void> commit(Durable durable);
  // Removes file and note.
  [[nodiscard]] Result<void> discard();

  // ".runctl-part-…" beside the target, for messages.
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  PartialFile(Directory directory, std::string name, std::string target, RandomAccessFile file)
      : directory_{std::move(directory)},
        name_{std::move(name)},
        target_{std::move(target)},
        file_{std::move(file)} {}

  [[nodiscard]] std::string note_name() const { return name_ + ".ranges"; }

  Directory directory_;
  std::string name_;
  std::string target_;
  RandomAccessFile file_;
  RandomAccessFile note_ = {};
  std::uint64_t note_end_ = 0;
};

}  // namespace runctl::transfer
