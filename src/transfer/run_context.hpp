// What the parts of one run share.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "aws/client.hpp"
#include "base/result.hpp"
#include "io/clock.hpp"
#include "io/log.hpp"
#include "io/random.hpp"
#include "transfer/bandwidth.hpp"
#include "transfer/object_store.hpp"
#include "transfer/options.hpp"
#include "transfer/outcome.hpp"
#include "transfer/part_plan.hpp"
#include "transfer/partial_file.hpp"

namespace runctl::transfer {

// What one job has cost so far; its pieces run in several threads.
struct Tally {
  std::atomic<std::uint64_t> moved{0};
  std::atomic<std::uint64_t> continued{0};
  std::atomic<unsigned> retries{0};
};

// What the threads tell the one that judges the pace, and are told by it.
// Thread safety: may be used from several threads at once.
class Meter {
 public:
  void count(std::uint64_t work) { work_.fetch_add(work, std::memory_order_relaxed); }
  void throttled() { throttled_.store(true, std::memory_order_relaxed); }

  [[nodiscard]] std::uint64_t work() const { return work_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool take_throttled() {
    return throttled_.exchange(false, std::memory_order_relaxed);
  }
  void set_measured(const Measured& measured) {
    bytes_a_second_.store(measured.bytes_a_second, std::memory_order_relaxed);
    concurrency_.store(measured.concurrency, std::memory_order_relaxed);
  }
  [[nodiscard]] Measured measured() const {
    return {.bytes_a_second = bytes_a_second_.load(std::memory_order_relaxed),
            .concurrency = concurrency_.load(std::memory_order_relaxed)};
  }

 private:
  std::atomic<std::uint64_t> work_{0};
  std::atomic<bool> throttled_{false};
  std::atomic<double> bytes_a_second_{0};
  std::atomic<unsigned> concurrency_{8};
};

// The one place where jobs end: tells the observer, one at a time, and adds up the summary.
// Thread safety: may be used from several threads at once.
class Reporter {
 public:
  Reporter(Observer& observer, Progress& progress, std::size_t failures_listed)
      : observer_{observer}, progress_{progress}, failures_listed_{failures_listed} {}

  void done(const Job& job, const Outcome& outcome);
  // Taken from the source, and stopped before anything was done.
  void not_begun(const Job& job);
  void notice(const Job& job, const std::string& text);
  [[nodiscard]] Summary summary() const;

 private:
  Observer& observer_;
  Progress& progress_;
  std::size_t failures_listed_;
  mutable std::mutex mutex_;
  Summary summary_;
};

// How often all requests of a run together may fail. Thread safety: may be used from several
// threads at once.
class RetryBudget {
 public:
  explicit RetryBudget(unsigned capacity) : capacity_{capacity}, left_{capacity} {}
  [[nodiscard]] bool take();
  void give_back();

 private:
  std::mutex mutex_;
  unsigned capacity_;
  unsigned left_;
};

struct RunContext {
  ObjectStore& store;
  Clock& clock;
  Random& random;
  Log& log;
  const Options& options;
  Progress& progress;
  Bandwidth& bandwidth;
  RetryBudget& budget;
  Meter& meter;
  Reporter& reporter;
  TargetDirectories& directories;
  std::stop_token stop;
};

// Whether the same request may do better later: S3 is busy or out of reach, or bytes were damaged
// on the way.
[[nodiscard]] bool may_do_better(const Error& error);
// Whether S3 itself answered with that status.
[[nodiscard]] bool is_status(const Error& error, int status);

// Decides, after a failure, whether to try again, and waits before it.
class Attempts {
 public:
  Attempts(RunContext& run, Tally& tally, std::stop_token stop)
      : run_{run}, tally_{tally}, stop_{std::move(stop)} {}

  // False when `error` is final. `progressed`: bytes arrived since the last failure, so that the
  // count begins anew.
  [[nodiscard]] bool again(const Error& error, bool progressed = false);
  void succeeded() { run_.budget.give_back(); }

 private:
  RunContext& run_;
  Tally& tally_;
  std::stop_token stop_;
  unsigned failures_ = 0;
};

// Calls `attempt` until it succeeds or must not be tried again; its last error.
template <class T>
[[nodiscard]] Result<T> with_retries(RunContext& run, Tally& tally, const std::stop_token& stop,
                                     const std::function<Result<T>()>& attempt) {
  Attempts attempts{run, tally, stop};
  while (true) {
    Result<T> result = attempt();
    if (result) attempts.succeeded();
    if (result || !attempts.again(result.error())) return result;
  }
}

// A token that is stopped with the run, or by this.
class OwnStop {
 public:
  explicit OwnStop(const std::stop_token& run) : with_run_{run, Forward{&source_}} {}

  void request() { source_.request_stop(); }
  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

 private:
  struct Forward {
    std::stop_source* source;
    void operator()() const { source->request_stop(); }
  };
  std::stop_source source_;
  std::stop_callback<Forward> with_run_;
};

}  // namespace runctl::transfer
