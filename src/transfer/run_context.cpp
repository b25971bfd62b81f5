#include "transfer/run_context.hpp"

#include <algorithm>
#include <variant>

#include <fmt/format.h>

namespace runctl::transfer {
namespace {

// The retries' policy is AWS's own (aws/client.hpp); only how many there are is the options'.
constexpr aws::RetryPolicy retry_delays{};

Counts& counts_of(const Job& job, Summary& summary) {
  struct Pick {
    Summary& summary;
    Counts& operator()(const Upload&) const { return summary.uploaded; }
    Counts& operator()(const Download&) const { return summary.downloaded; }
    Counts& operator()(const Copy&) const { return summary.copied; }
    Counts& operator()(const Remove&) const { return summary.removed; }
  };
  return std::visit(Pick{summary}, job);
}

}  // namespace

void Reporter::done(const Job& job, const Outcome& outcome) {
  const std::scoped_lock lock{mutex_};
  for (const OpenUpload& left : outcome.left) summary_.left_open.push_back(left);
  if (outcome.result) {
    Counts& counts = counts_of(job, summary_);
    ++counts.objects;
    counts.bytes += outcome.result->bytes;
    summary_.moved += outcome.result->moved;
    summary_.continued += outcome.result->continued;
    summary_.retries += outcome.result->retries;
    progress_.objects_done.fetch_add(1, std::memory_order_relaxed);
  } else {
    ++summary_.failed;
    if (summary_.failures.size() < failures_listed_) {
      summary_.failures.push_back({.job = job, .error = outcome.result.error()});
    }
    progress_.objects_failed.fetch_add(1, std::memory_order_relaxed);
  }
  observer_.on_done(job, outcome);
}

void Reporter::not_begun(const Job& job) {
  const std::scoped_lock lock{mutex_};
  ++summary_.not_begun;
  const Outcome outcome{
      .result = fail(Errc::cancelled, fmt::format("stopped before the {} began", to_text(job)))};
  observer_.on_done(job, outcome);
}

void Reporter::notice(const Job& job, const std::string& text) {
  const std::scoped_lock lock{mutex_};
  observer_.on_notice(job, text);
}

Summary Reporter::summary() const {
  const std::scoped_lock lock{mutex_};
  return summary_;
}

bool RetryBudget::take() {
  const std::scoped_lock lock{mutex_};
  if (left_ == 0) return false;
  --left_;
  return true;
}

void RetryBudget::give_back() {
  const std::scoped_lock lock{mutex_};
  left_ = std::min(capacity_, left_ + 1);
}

bool may_do_better(const Error& error) {
  return error.code == Errc::throttled || error.code == Errc::unavailable ||
         error.code == Errc::deadline_exceeded || error.code == Errc::corrupt;
}

bool is_status(const Error& error, int status) {
  return error.remote && error.remote->http_status == status;
}

bool Attempts::again(const Error& error, bool progressed) {
  if (error.code == Errc::throttled) run_.meter.throttled();
  if (!may_do_better(error) || stop_.stop_requested()) return false;
  if (progressed) failures_ = 0;
  ++failures_;
  if (failures_ >= run_.options.attempts || !run_.budget.take()) return false;
  tally_.retries.fetch_add(1, std::memory_order_relaxed);
  run_.progress.retries.fetch_add(1, std::memory_order_relaxed);
  const auto delay =
      aws::retry_delay(static_cast<int>(failures_), error.code, retry_delays, run_.random.next());
  return run_.clock.sleep_until(run_.clock.ticks() + delay, stop_).has_value();
}

}  // namespace runctl::transfer
