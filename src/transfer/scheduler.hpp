// Who works on what: the threads of a run, the jobs that are open, and the pace.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/result.hpp"
#include "transfer/job.hpp"
#include "transfer/pace.hpp"
#include "transfer/run_context.hpp"
#include "transfer/work.hpp"

namespace runctl::transfer {

// Every thread does what is nearest to an end: a piece of a job that has begun, else the next job.
// So no more jobs are open than there are threads. Threads come as there is work for them, up to
// the pace; those above it rest.
class Scheduler {
 public:
  Scheduler(RunContext& run, JobSource& source, const Pace& pace);

  // Works until all is done; the caller's thread is one of the workers. Errors: the source's, when
  // what had begun is finished.
  [[nodiscard]] Result<void> run();
  [[nodiscard]] unsigned concurrency() const;

 private:
  // A job whose pieces are being worked on.
  struct Open {
    std::shared_ptr<Work> work;
    unsigned running = 0;    // pieces
    bool drained = false;    // it has no more to take
    bool finishing = false;  // a thread is in finish()
  };
  struct Taken {
    std::list<Open>::iterator open;
    std::optional<Piece> piece = {};  // nothing: it is to be finished
  };
  using Lock = std::unique_lock<std::mutex>;

  void work(unsigned index);
  [[nodiscard]] std::optional<Taken> take();
  void do_taken(Lock& lock, const Taken& taken);
  void take_job(Lock& lock);
  [[nodiscard]] std::vector<Job> next_jobs();
  void begin(const std::vector<Job>& jobs);
  [[nodiscard]] std::shared_ptr<Work> begin_one(const Job& job);
  [[nodiscard]] bool all_done() const {
    return exhausted_ && !fetching_ && open_.empty() && busy_ == 0;
  }
  void call_for_help();
  void judge();

  RunContext& run_;
  JobSource& source_;
  mutable std::mutex mutex_;  // over all that follows
  // Each wakes as few as can go on: there are more threads than CPUs, and an object may take less
  // time than to wake all of them for nothing.
  std::condition_variable changed_;  // there is something to take, or all is done
  std::condition_variable allowed_;  // the pace has grown, or all is done
  Pace pace_;
  std::list<Open> open_;
  std::vector<std::jthread> helpers_;
  unsigned busy_ = 0;      // threads that do something
  unsigned waiting_ = 0;   // threads that could do something
  bool was_idle_ = false;  // one of them was, since the last judgement
  bool fetching_ = false;
  bool exhausted_ = false;
  std::optional<Error> source_error_;
  std::optional<Job> kept_;  // was taken while removals were collected; of the thread that fetches
  std::chrono::steady_clock::time_point judged_;
  std::uint64_t judged_work_ = 0;
  std::uint64_t judged_moved_ = 0;
};

}  // namespace runctl::transfer
