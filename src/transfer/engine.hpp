// The parallel engine behind upload, download, sync, copy and remove.
#pragma once

#include <memory>
#include <stop_token>

#include "base/result.hpp"
#include "io/clock.hpp"
#include "io/log.hpp"
#include "io/random.hpp"
#include "transfer/job.hpp"
#include "transfer/object_store.hpp"
#include "transfer/options.hpp"
#include "transfer/outcome.hpp"

namespace runctl::transfer {

// What the engine works with; borrowed for as long as it lives.
struct Means {
  ObjectStore& store;  // transfer/s3_store.hpp for the real one
  Clock& clock;
  Random& random;
  Log& log;
};

class Engine {
 public:
  // Errors of `options` (a part size that S3 does not take, …) come from run().
  Engine(const Means& means, Options options);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  Engine(Engine&&) = delete;
  Engine& operator=(Engine&&) = delete;
  ~Engine();

  // Works off all jobs of `source`; returns when the last thread has ended. To be called once.
  // A stop finishes nothing more: requests that run are cut, unfinished downloads and multipart
  // uploads are kept or removed as the options say, and each is reported. Objects that fail do not
  // stop the others and are no error of the run.
  // Errors: invalid_argument for the options; the source's own error (what was begun is finished
  // and told to the observer, and the summary so far is in last_summary()).
  [[nodiscard]] Result<Summary> run(JobSource& source, Observer& observer,
                                    const std::stop_token& stop);

  // Thread safety: both may be called at any time from any thread once run() has begun; the summary
  // is complete when run() has returned.
  [[nodiscard]] const Progress& progress() const;
  [[nodiscard]] Summary last_summary() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace runctl::transfer
