#include "transfer/scheduler.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace runctl::transfer {
namespace {

constexpr std::chrono::milliseconds interval{250};
// What an object costs beside its bytes, in bytes: what a connection could move in the time of one
// small request (some ms).
constexpr std::uint64_t cost_of_object = std::uint64_t{64} << 10U;

}  // namespace

Scheduler::Scheduler(RunContext& run, JobSource& source, const Pace& pace)
    : run_{run}, source_{source}, pace_{pace}, judged_{run.clock.ticks()} {
  run_.meter.set_measured({.bytes_a_second = 0, .concurrency = pace_.limit()});
}

Result<void> Scheduler::run() {
  work(0);
  std::vector<std::jthread> helpers;
  {
    const Lock lock{mutex_};
    helpers = std::move(helpers_);
  }
  helpers.clear();  // joins them
  if (source_error_) return std::unexpected{*source_error_};
  return {};
}

unsigned Scheduler::concurrency() const {
  const Lock lock{mutex_};
  return pace_.limit();
}

void Scheduler::work(unsigned index) {
  Lock lock{mutex_};
  while (!all_done()) {
    if (index < pace_.limit()) {
      if (const auto taken = take()) {
        do_taken(lock, *taken);
        continue;
      }
      if (!exhausted_ && !fetching_) {
        take_job(lock);
        continue;
      }
      was_idle_ = true;
      ++waiting_;
      changed_.wait(lock);
      --waiting_;
    } else {
      // What it was woken for, or has left, is for one that may.
      changed_.notify_one();
      allowed_.wait(lock);
    }
  }
  changed_.notify_all();
  allowed_.notify_all();
}

std::optional<Scheduler::Taken> Scheduler::take() {
  for (auto open = open_.begin(); open != open_.end(); ++open) {
    if (open->finishing) continue;
    if (!open->drained) {
      if (auto piece = open->work->take()) {
        ++open->running;
        return Taken{.open = open, .piece = piece};
      }
      open->drained = true;
    }
    if (open->running == 0) {
      open->finishing = true;
      return Taken{.open = open};
    }
  }
  return std::nullopt;
}

void Scheduler::do_taken(Lock& lock, const Taken& taken) {
  ++busy_;
  call_for_help();
  lock.unlock();
  auto again = Work::Again::no;
  if (taken.piece) {
    taken.open->work->run(*taken.piece);
  } else {
    again = taken.open->work->finish();
  }
  lock.lock();
  --busy_;
  if (taken.piece) {
    --taken.open->running;
  } else if (again == Work::Again::yes) {
    taken.open->drained = false;
    taken.open->finishing = false;
    changed_.notify_all();
  } else {
    open_.erase(taken.open);
  }
  judge();
}

void Scheduler::take_job(Lock& lock) {
  fetching_ = true;
  ++busy_;
  lock.unlock();
  const std::vector<Job> jobs = next_jobs();
  lock.lock();
  fetching_ = false;
  call_for_help();
  if (!exhausted_) changed_.notify_one();
  lock.unlock();
  begin(jobs);
  lock.lock();
  --busy_;
  judge();
}

// One job, or as many removals from one bucket as go in one request. Called by the thread that
// fetches, without the lock.
std::vector<Job> Scheduler::next_jobs() {
  std::vector<Job> jobs;
  while (jobs.size() < greatest_removal) {
    std::optional<Job> job = std::exchange(kept_, std::nullopt);
    if (!job) {
      if (run_.stop.stop_requested()) {
        const Lock lock{mutex_};
        exhausted_ = true;
        break;
      }
      auto next = source_.next();
      if (!next || !*next) {
        const Lock lock{mutex_};
        exhausted_ = true;
        if (!next) source_error_ = std::move(next).error();
        break;
      }
      job = **std::move(next);
    }
    const auto* removal = std::get_if<Remove>(&*job);
    const bool fits =
        jobs.empty() || (removal != nullptr &&
                         removal->target.bucket == std::get<Remove>(jobs.front()).target.bucket);
    if (!fits) {
      kept_ = std::move(job);
      break;
    }
    jobs.push_back(*std::move(job));
    if (removal == nullptr) break;
  }
  return jobs;
}

void Scheduler::begin(const std::vector<Job>& jobs) {
  if (jobs.empty()) return;
  if (run_.stop.stop_requested()) {
    for (const Job& job : jobs) run_.reporter.not_begun(job);
    return;
  }
  run_.progress.objects_begun.fetch_add(jobs.size(), std::memory_order_relaxed);
  run_.meter.count(cost_of_object * jobs.size());
  if (std::holds_alternative<Remove>(jobs.front())) return remove_all(run_, jobs);
  auto work = begin_one(jobs.front());
  if (!work) return;
  const Lock lock{mutex_};
  open_.push_back({.work = std::move(work)});
  changed_.notify_all();
}

std::shared_ptr<Work> Scheduler::begin_one(const Job& job) {
  if (std::holds_alternative<Upload>(job)) return begin_upload(run_, job);
  if (std::holds_alternative<Download>(job)) return begin_download(run_, job);
  return begin_copy(run_, job);
}

// Somebody has found work; perhaps there is more.
void Scheduler::call_for_help() {
  const auto threads = static_cast<unsigned>(helpers_.size()) + 1;
  if (waiting_ > 0 || threads >= pace_.limit() || busy_ < threads) return;
  helpers_.emplace_back([this, threads] { work(threads); });
}

void Scheduler::judge() {
  const auto now = run_.clock.ticks();
  if (now - judged_ < interval) return;
  const double seconds = std::chrono::duration<double>(now - judged_).count();
  const std::uint64_t work = run_.meter.work();
  const std::uint64_t moved = run_.progress.moved.load(std::memory_order_relaxed);
  const unsigned limit = pace_.limit();
  run_.meter.set_measured(
      {.bytes_a_second = static_cast<double>(moved - judged_moved_) / seconds / limit,
       .concurrency = limit});
  pace_.observe({.work_a_second = static_cast<double>(work - judged_work_) / seconds,
                 .throttled = run_.meter.take_throttled(),
                 .busy = !was_idle_});
  run_.progress.concurrency.store(pace_.limit(), std::memory_order_relaxed);
  if (pace_.limit() > limit) allowed_.notify_all();
  judged_ = now;
  judged_work_ = work;
  judged_moved_ = moved;
  was_idle_ = false;
}

}  // namespace runctl::transfer
