// A download before it is complete: a hidden file beside its target, and the note of what is in it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
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

// The directories that a run downloads to, of which the last one stays open: names come sorted.
// Thread safety: may be used from several threads at once.
class TargetDirectories {
 public:
  // Errors: as Directory::make_below.
  [[nodiscard]] Result<std::shared_ptr<const Directory>> open(const std::filesystem::path& root,
                                                              std::string_view below);

 private:
  std::mutex mutex_;  // over all that follows
  std::filesystem::path root_;
  std::string below_;
  std::shared_ptr<const Directory> last_;
};

// Thread safety: file() from several threads; the rest by one at a time.
class PartialFile {
 public:
  // Makes the target's directory and, in it, the file; or takes up one that was left there. It is
  // locked against other processes as long as this lives.
  // Errors: conflict when another process downloads to the same target; invalid_argument for a
  // target that is not below the job's root, or is a directory; as fail_errno.
  [[nodiscard]] static Result<PartialFile> open(TargetDirectories& directories,
                                                const Download& job);
  // The same for what nobody will continue: where it can be, the file has no name until commit(),
  // and a killed process leaves nothing. Of two that download to the same target the last wins.
  [[nodiscard]] static Result<PartialFile> open_whole(TargetDirectories& directories,
                                                      const Download& job);

  // Whether it has a name by which a later run finds it; without one it can have no note.
  [[nodiscard]] bool can_be_continued() const { return has_name_; }

  [[nodiscard]] const RandomAccessFile& file() const { return file_; }

  // What an interrupted run has left of that very object; add() continues its note. Nothing when
  // the note is of another. A note may outlive its bytes (the file was deleted by hand, the machine
  // or its disk went away before they were written), so each range is read again, and forgotten
  // when its checksum is another. Errors: cancelled; those of the note.
  [[nodiscard]] Result<std::optional<RangeSet>> found(const PartialNote& note,
                                                      const std::stop_token& stop);
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

 private:
  // Where a file goes, and the name that it has until it gets there.
  struct Place {
    std::shared_ptr<const Directory> directory = {};
    std::string target = {};
    std::string name = {};  // ".runctl-part-…"
  };

  explicit PartialFile(Place place) : place_{std::move(place)} {}

  [[nodiscard]] static Result<Place> place_of(TargetDirectories& directories, const Download& job);
  [[nodiscard]] static Result<PartialFile> open_named(Place place);
  [[nodiscard]] std::string note_name() const { return place_.name + ".ranges"; }
  [[nodiscard]] Result<void> give_name();

  Place place_;
  RandomAccessFile file_ = {};
  bool has_name_ = true;
  bool is_empty_ = false;  // surely
  RandomAccessFile note_ = {};
  std::uint64_t note_end_ = 0;
};

}  // namespace runctl::transfer
