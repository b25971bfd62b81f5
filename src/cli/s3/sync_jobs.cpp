#include "cli/s3/sync_jobs.hpp"

namespace runctl::cli {
namespace {

// Each waits for an answer of S3 most of the time.
constexpr std::size_t threads_that_compare = 16;
constexpr std::uint64_t most_outstanding = 4 * threads_that_compare;

}  // namespace

using transfer::SyncAction;
using transfer::SyncStep;

SyncJobs::SyncJobs(S3Session& session, const SyncTask& task, S3Report& report, SyncSides sides)
    : session_{session},
      stop_{session.stop_token()},
      task_{task},
      report_{report},
      sides_{std::move(sides)},
      plan_{*sides_.source, *sides_.target, task.rules},
      store_{session.client(), session.keys()} {}

SyncJobs::~SyncJobs() {
  stop_.request();
  for (std::jthread& thread : threads_) thread.request_stop();
}

void SyncJobs::report_in_the_way(const SyncStep& step) {
  if (!step.source.blocked.empty()) return;  // its own stream has told it
  report_.leave_out({.verb = "download",
                     .place = target_place(task_, step.name()),
                     .code = "in_the_way",
                     .why = step.why,
                     .is_failure = true});
}

Result<bool> SyncJobs::advance() {
  RUNCTL_TRY_LET(auto step, plan_.next());
  if (!step) {
    surplus_.close();
    return false;
  }
  if (step->has_source()) ++in_source_;
  switch (step->action) {
    case SyncAction::create:
    case SyncAction::replace: {
      const std::scoped_lock lock{mutex_};
      ready_.push_back(*std::move(step));
      break;
    }
    case SyncAction::compare: {
      const std::scoped_lock lock{mutex_};
      to_compare_.push_back(*std::move(step));
      ++outstanding_;
      if (threads_.size() < threads_that_compare && threads_.size() < outstanding_) {
        threads_.emplace_back([this](const std::stop_token& stop) { compare(stop); });
      }
      changed_.notify_all();
      break;
    }
    case SyncAction::same:
      report_.unchanged(step->source.size);
      break;
    case SyncAction::remove:
      surplus_.add(step->target);
      break;
    case SyncAction::blocked:
      report_in_the_way(*step);
      break;
  }
  return true;
}

void SyncJobs::compare(const std::stop_token& stop) {
  while (true) {
    SyncStep step;
    {
      std::unique_lock lock{mutex_};
      if (!changed_.wait(lock, stop, [&] { return !to_compare_.empty(); })) return;
      if (stop_.token().stop_requested()) return;
      step = std::move(to_compare_.front());
      to_compare_.pop_front();
    }
    const auto likeness = compare_step(store_, task_, step, stop_.token());
    const bool same = likeness && *likeness == transfer::Likeness::same;
    if (same) report_.unchanged(step.source.size);
    if (likeness && *likeness == transfer::Likeness::different) step.why = "content";
    const std::scoped_lock lock{mutex_};
    --outstanding_;
    // What cannot be compared is transferred: what is wrong with it is then said of the transfer.
    if (!same) ready_.push_back(std::move(step));
    changed_.notify_all();
  }
}

Result<std::optional<transfer::Job>> SyncJobs::next() {
  while (true) {
    // What was being compared then has come to no end: it is not to be taken for different.
    if (session_.stop_token().stop_requested()) {
      return fail(Errc::cancelled, "stopped while files were compared");
    }
    {
      std::unique_lock lock{mutex_};
      const auto full = [&] { return outstanding_ >= (ended_ ? 1 : most_outstanding); };
      if (ready_.empty() && full()) {
        if (!changed_.wait(lock, session_.stop_token(),
                           [&] { return !ready_.empty() || !full(); })) {
          continue;
        }
      }
      if (!ready_.empty()) {
        last_ = std::move(ready_.front());
        ready_.pop_front();
        return job_of(task_, last_);
      }
      if (ended_ && outstanding_ == 0) return std::nullopt;
    }
    if (!ended_) {
      const auto more = advance();
      if (!more) {
        stop_.request();
        return std::unexpected{more.error()};
      }
      ended_ = !*more;
    }
  }
}

}  // namespace runctl::cli
