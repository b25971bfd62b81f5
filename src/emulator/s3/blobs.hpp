// The files that hold the bytes of objects. Their names are numbers, whatever the objects' are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "emulator/reply.hpp"
#include "emulator/s3/records.hpp"
#include "io/file.hpp"

namespace runctl::emulator::s3 {

class Blobs;

// A file that is being written; gone with this object unless it is kept.
class BlobWriter {
 public:
  BlobWriter(Blobs& blobs, std::uint64_t id) : blobs_{&blobs}, id_{id} {}
  BlobWriter(const BlobWriter&) = delete;
  BlobWriter& operator=(const BlobWriter&) = delete;
  BlobWriter(BlobWriter&& other) noexcept;
  BlobWriter& operator=(BlobWriter&&) = delete;
  ~BlobWriter();

  // Errors: as fail_errno; a full disk is internal.
  [[nodiscard]] Result<void> write(std::span<const std::byte> bytes);
  // What has been written, as a segment; nobody refers to it yet.
  [[nodiscard]] Segment segment() const { return {.blob = size_ == 0 ? 0 : id_, .size = size_}; }
  // From now on it stays.
  void keep() { blobs_ = nullptr; }

 private:
  Blobs* blobs_;
  std::uint64_t id_;
  std::uint64_t size_ = 0;
  UniqueFd file_ = {};
};

// While it lives, the files of these segments do. It must not outlive `blobs`.
class PinnedSegments {
 public:
  PinnedSegments(Blobs& blobs, std::vector<Segment> segments)
      : blobs_{&blobs}, segments_{std::move(segments)} {}
  PinnedSegments(const PinnedSegments&) = delete;
  PinnedSegments& operator=(const PinnedSegments&) = delete;
  PinnedSegments(PinnedSegments&&) = delete;
  PinnedSegments& operator=(PinnedSegments&&) = delete;
  ~PinnedSegments();

  [[nodiscard]] const std::vector<Segment>& segments() const { return segments_; }
  [[nodiscard]] Blobs& blobs() const { return *blobs_; }

 private:
  Blobs* blobs_;
  std::vector<Segment> segments_;
};

// A directory of them. A file is written once, under a number that was never used, and never
// changed: what is visible is decided by who refers to it. Thread safety: may be used from several
// threads at once.
class Blobs {
 public:
  // Removes every file that is not `in_use`: what a crash has left. Errors: as fail_errno.
  [[nodiscard]] static Result<std::unique_ptr<Blobs>> open(std::filesystem::path directory,
                                                           const std::set<std::uint64_t>& in_use);

  [[nodiscard]] BlobWriter create();
  [[nodiscard]] Result<UniqueFd> read(std::uint64_t blob) const;

  [[nodiscard]] std::shared_ptr<PinnedSegments> pin(const std::vector<Segment>& segments);
  // Removes the files, those that are pinned when they no longer are.
  void remove(std::span<const Segment> segments);
  // The same bytes under another number, without a copy where the disk can. Errors: as fail_errno.
  [[nodiscard]] Result<Segment> duplicate(const Segment& segment);

 private:
  friend class BlobWriter;
  friend class PinnedSegments;
  explicit Blobs(std::filesystem::path directory) : directory_{std::move(directory)} {}
  [[nodiscard]] Result<void> sweep(const std::set<std::uint64_t>& in_use);
  [[nodiscard]] std::filesystem::path path_of(std::uint64_t blob) const;
  [[nodiscard]] Result<UniqueFd> make_file(std::uint64_t blob) const;
  [[nodiscard]] std::uint64_t next_number();
  void unpin(std::span<const Segment> segments);
  void unlink(std::uint64_t blob) const;

  std::filesystem::path directory_;
  std::mutex mutex_;
  std::uint64_t next_ = 1;
  std::map<std::uint64_t, unsigned> pins_;
  std::set<std::uint64_t> doomed_;  // pinned, and to be removed
};

// `length` bytes of the segments from `offset` on, as the body of an answer.
[[nodiscard]] std::shared_ptr<ReplyBody> body_of(std::shared_ptr<PinnedSegments> segments,
                                                 std::uint64_t offset, std::uint64_t length);

// Reads those bytes piece by piece. Errors: as fail_errno; corrupt when a file is too short; those
// of `take`.
[[nodiscard]] Result<void> read_all(
    ReplyBody& body, const std::function<Result<void>(std::span<const std::byte>)>& take);

}  // namespace runctl::emulator::s3
