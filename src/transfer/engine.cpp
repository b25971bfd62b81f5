#include "transfer/engine.hpp"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "transfer/bandwidth.hpp"
#include "transfer/pace.hpp"
#include "transfer/run_context.hpp"
#include "transfer/scheduler.hpp"

namespace runctl::transfer {
namespace {

// With less than that for each connection, servers would take one for dead.
constexpr std::uint64_t least_bandwidth_each = std::uint64_t{32} << 10U;

unsigned greatest_concurrency(const Options& options) {
  if (options.bandwidth == 0) return options.greatest_concurrency;
  const std::uint64_t fed = std::max<std::uint64_t>(1, options.bandwidth / least_bandwidth_each);
  return static_cast<unsigned>(std::min<std::uint64_t>(fed, options.greatest_concurrency));
}

Result<void> check(const Options& options) {
  if (options.part_size != 0 &&
      (options.part_size < least_part || options.part_size > greatest_part)) {
    return fail(Errc::invalid_argument, fmt::format("a part of {} bytes: S3 takes parts of 5 MiB "
                                                    "to 5 GiB",
                                                    options.part_size));
  }
  if (options.greatest_concurrency == 0 || options.attempts == 0) {
    return fail(Errc::invalid_argument,
                "at least one request at a time, and one attempt, is needed");
  }
  return {};
}

}  // namespace

class Engine::Impl {
 public:
  Impl(const Means& means, Options options) : means_{means}, options_{std::move(options)} {}

  [[nodiscard]] Result<Summary> run(JobSource& source, Observer& observer,
                                    const std::stop_token& stop) {
    RUNCTL_TRY(check(options_));
    const auto began = means_.clock.ticks();
    Reporter reporter{observer, progress_, options_.failures_listed};
    Bandwidth bandwidth{means_.clock, options_.bandwidth};
    RetryBudget budget{options_.retry_budget};
    Meter meter;
    TargetDirectories directories;
    RunContext context{.store = means_.store,
                       .clock = means_.clock,
                       .random = means_.random,
                       .log = means_.log,
                       .options = options_,
                       .progress = progress_,
                       .bandwidth = bandwidth,
                       .budget = budget,
                       .meter = meter,
                       .reporter = reporter,
                       .directories = directories,
                       .stop = stop};
    const unsigned greatest = greatest_concurrency(options_);
    const Pace pace{std::min(options_.concurrency, greatest), greatest};
    progress_.concurrency.store(pace.limit(), std::memory_order_relaxed);
    Scheduler scheduler{context, source, pace};
    auto worked = scheduler.run();
    Summary summary = reporter.summary();
    summary.interrupted = stop.stop_requested();
    summary.concurrency = scheduler.concurrency();
    summary.elapsed =
        std::chrono::duration_cast<std::chrono::milliseconds>(means_.clock.ticks() - began);
    {
      const std::scoped_lock lock{mutex_};
      summary_ = summary;
    }
    if (!worked) return std::unexpected{std::move(worked).error()};
    return summary;
  }

  [[nodiscard]] const Progress& progress() const { return progress_; }
  [[nodiscard]] Summary last_summary() const {
    const std::scoped_lock lock{mutex_};
    return summary_;
  }

 private:
  Means means_;
  Options options_;
  Progress progress_;
  mutable std::mutex mutex_;
  Summary summary_;
};

Engine::Engine(const Means& means, Options options)
    : impl_{std::make_unique<Impl>(means, std::move(options))} {}

Engine::~Engine() = default;

Result<Summary> Engine::run(JobSource& source, Observer& observer, const std::stop_token& stop) {
  return impl_->run(source, observer, stop);
}

const Progress& Engine::progress() const { return impl_->progress(); }
Summary Engine::last_summary() const { return impl_->last_summary(); }

}  // namespace runctl::transfer
