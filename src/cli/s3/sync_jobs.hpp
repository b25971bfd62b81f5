// The jobs of a sync: the plan's steps, with contents compared beside where times do not decide.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "cli/s3/report.hpp"
#include "cli/s3/session.hpp"
#include "cli/s3/sources.hpp"
#include "cli/s3/sync_task.hpp"
#include "transfer/job.hpp"
#include "transfer/run_context.hpp"
#include "transfer/s3_store.hpp"
#include "transfer/sync_plan.hpp"

namespace runctl::cli {

// Memory: as many steps as are compared at once, and as many that have been.
class SyncJobs final : public transfer::JobSource {
 public:
  SyncJobs(S3Session& session, const SyncTask& task, S3Report& report, SyncSides sides);
  SyncJobs(const SyncJobs&) = delete;
  SyncJobs& operator=(const SyncJobs&) = delete;
  SyncJobs(SyncJobs&&) = delete;
  SyncJobs& operator=(SyncJobs&&) = delete;
  ~SyncJobs() override;

  [[nodiscard]] Result<std::optional<transfer::Job>> next() override;
  // The step of the job that next() gave last.
  [[nodiscard]] const transfer::SyncStep& last_step() const { return last_; }

  // What the target has and the source has not, so far; to be looked into when next() has come to
  // its end.
  [[nodiscard]] const Consented& surplus() const { return surplus_; }
  // Files, or objects, that the source has, so far.
  [[nodiscard]] std::uint64_t in_source() const { return in_source_; }

 private:
  // Takes the next step of the plan. False at its end.
  [[nodiscard]] Result<bool> advance();
  void compare(const std::stop_token& stop);
  void report_in_the_way(const transfer::SyncStep& step);

  S3Session& session_;
  transfer::OwnStop stop_;  // of what compares: with the session, or when there is no use in it
  const SyncTask& task_;
  S3Report& report_;
  SyncSides sides_;
  transfer::SyncPlan plan_;
  transfer::S3Store store_;
  transfer::SyncStep last_;
  Consented surplus_;
  std::uint64_t in_source_ = 0;
  bool ended_ = false;

  std::mutex mutex_;  // over all that follows
  std::condition_variable_any changed_;
  std::deque<transfer::SyncStep> to_compare_;
  std::deque<transfer::SyncStep> ready_;
  std::uint64_t outstanding_ = 0;  // in to_compare_, or in a thread's hands
  std::vector<std::jthread> threads_;
};

}  // namespace runctl::cli
