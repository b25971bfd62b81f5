// What became of jobs, one by one and all together.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "transfer/job.hpp"

namespace runctl::transfer {

// By what the bytes that arrived are known to be the object's.
enum class Verified : std::uint8_t {
  no,           // S3 has no checksum of it that can be compared (an old multipart object)
  full_object,  // a CRC of the whole object
  composite,    // the checksums of its parts, and the checksum of those
  etag_md5,     // an ETag that is the object's MD5
  by_server,    // copied or deleted inside S3
};

// Why a multipart upload is left in the bucket.
enum class LeftWhy : std::uint8_t {
  kept,         // the same command takes it up
  not_aborted,  // its abort has failed
  // A request for an upload got no answer. This may be what it has made, or somebody else's: it was
  // left alone. Without an id what is open for the object could not be learnt.
  unheard,
};

// A multipart upload that exists in the bucket and is nobody's: it costs money until it is
// completed or aborted.
struct OpenUpload {
  ObjectName target = {};
  std::string upload_id = {};
  std::uint64_t bytes_there = 0;
  LeftWhy why = LeftWhy::unheard;
};

// What a finished job has done.
struct Done {
  std::uint64_t bytes = 0;      // the object's size
  std::uint64_t moved = 0;      // bytes that crossed the wire for it, repetitions among them
  std::uint64_t continued = 0;  // bytes that an earlier, interrupted run had moved
  unsigned parts = 0;           // 0: in one request
  unsigned retries = 0;
  std::string etag = {};
  std::string version_id = {};
  Verified verified = Verified::no;
};

struct Outcome {
  Result<Done> result;
  // Multipart uploads that the job leaves behind: its own, when it failed and could not or should
  // not abort it; or one whose creation got no answer, also when the job then succeeded.
  std::vector<OpenUpload> left = {};
  std::chrono::milliseconds elapsed{0};
};

struct Failure {
  Job job;
  Error error;
};

struct Counts {
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;  // of the objects
};

// Of a whole run. The CLI's exit code is 7 when `failed` is not zero.
struct Summary {
  Counts uploaded;
  Counts downloaded;
  Counts copied;
  Counts removed;
  std::uint64_t failed = 0;
  std::uint64_t not_begun = 0;  // taken from the source, but stopped before anything was done
  std::uint64_t moved = 0;      // bytes that crossed the wire
  std::uint64_t continued = 0;
  std::uint64_t retries = 0;
  std::vector<Failure> failures = {};      // the first Options::failures_listed of them
  std::vector<OpenUpload> left_open = {};  // every multipart upload that was left
  bool interrupted = false;                // `stop` was requested before the last job was done
  unsigned concurrency = 0;                // where it has settled
  std::chrono::milliseconds elapsed{0};
};

// Counters for whoever shows progress: read them as often as is wanted, at no cost to the engine.
// They only grow, but for bytes_done, which steps back by what has to be moved again.
struct Progress {
  std::atomic<std::uint64_t> objects_begun{0};
  std::atomic<std::uint64_t> objects_done{0};
  std::atomic<std::uint64_t> objects_failed{0};
  std::atomic<std::uint64_t> bytes_begun{0};  // sizes of the objects that have begun
  std::atomic<std::uint64_t> bytes_done{0};   // of those that arrived, continued ones among them
  std::atomic<std::uint64_t> moved{0};        // over the wire, repetitions among them
  std::atomic<std::uint64_t> retries{0};
  std::atomic<unsigned> concurrency{0};
};

// Told of each job's end. Calls come from the engine's threads, one at a time: an observer needs
// no lock, and must be quick.
class Observer {
 public:
  Observer() = default;
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;
  Observer(Observer&&) = delete;
  Observer& operator=(Observer&&) = delete;
  virtual ~Observer() = default;

  // Every job that was taken from the source ends here exactly once, failed and stopped ones too.
  virtual void on_done(const Job& job, const Outcome& outcome) = 0;
  // Something that is no end but should be known: an object that was replaced and is begun anew, an
  // abandoned upload that was aborted.
  virtual void on_notice(const Job& job, const std::string& notice) = 0;
};

}  // namespace runctl::transfer
