// How the engine goes about its jobs.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

#include "base/crc.hpp"

namespace runctl::transfer {

// S3's limits. Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html: a part
// has 5 MiB to 5 GiB (the last may be smaller), an upload at most 10,000 of them; CopyObject takes
// up to 5 GiB, DeleteObjects up to 1,000 keys.
inline constexpr std::uint64_t least_part = std::uint64_t{5} << 20U;
inline constexpr std::uint64_t greatest_part = std::uint64_t{5} << 30U;
inline constexpr std::uint64_t greatest_copy = std::uint64_t{5} << 30U;
inline constexpr unsigned greatest_part_count = 10'000;
inline constexpr std::uint64_t greatest_object = std::uint64_t{5} << 40U;
inline constexpr std::size_t greatest_removal = 1'000;

// What becomes of a multipart upload that is interrupted or fails.
enum class Interrupted : std::uint8_t {
  keep,   // it stays, with a record of it in `resume_directory`; the same upload continues it
  abort,  // its parts are deleted
};

// When a downloaded file is on the disk, not just in the kernel's memory.
enum class Durability : std::uint8_t {
  // Some time, as with other tools: what was reported as done in the minute before a power cut may
  // be lost, or have its size and time but not all of its bytes.
  kernel,
  // What came in several ranges is on the disk before it has its name: after a power cut, blocks in
  // its middle could else be missing under its full size. What was written from front to back is
  // then, at worst, shorter than its object or not there, which the next sync sees.
  ranges_before_rename,
  before_rename,  // whatever has its name has its bytes, and keeps both
};

// What a downloaded file's modification time is.
enum class FileTime : std::uint8_t {
  from_object,    // x-amz-meta-mtime where it is there, else as last_modified
  last_modified,  // when the object was last modified
  now,
};

struct Options {
  // Requests at once; 0: as many as make it faster, at most `greatest_concurrency`.
  unsigned concurrency = 0;
  unsigned greatest_concurrency = 64;
  // Bytes a part; 0: from the object's size and from what is measured.
  std::uint64_t part_size = 0;
  // An object larger than this goes in parts.
  std::uint64_t multipart_threshold = std::uint64_t{16} << 20U;
  // A copy inside S3 that is larger goes in parts; S3 takes no more than this in one.
  std::uint64_t copy_threshold = greatest_copy;
  // Bytes a second over all threads, both ways; 0: no limit.
  std::uint64_t bandwidth = 0;
  // What new objects are checked by. CRC64NVME is what AWS's own tools use since 2024.
  CrcKind checksum = CrcKind::crc64nvme;
  Interrupted interrupted = Interrupted::keep;
  // Where records of unfinished uploads lie, "": none are kept, and `keep` acts as `abort`.
  std::filesystem::path resume_directory = {};
  // Whether an unfinished download's temporary file is kept beside its target, and taken up again.
  bool resume_downloads = true;
  Durability durability = Durability::ranges_before_rename;
  FileTime file_time = FileTime::from_object;
  // Whether an upload notes its file's time in x-amz-meta-mtime, its mode in x-amz-meta-mode, and
  // whether a download sets that mode (permission bits only, never set-user-id or set-group-id).
  bool keep_time = true;
  bool keep_mode = false;
  // Attempts a part or small object, and how often all of them together may fail before the
  // run stops trying again (each success gives one back, up to this).
  unsigned attempts = 6;
  unsigned retry_budget = 500;
  // At most that many failures are listed in the summary; all are told to the observer.
  std::size_t failures_listed = 1'000;
};

}  // namespace runctl::transfer
