// The parts of an object that is uploaded or copied in parts, handed out in turn until one fails.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>

#include "transfer/outcome.hpp"
#include "transfer/run_context.hpp"
#include "transfer/work.hpp"

namespace runctl::transfer {

// Thread safety: take() is for one thread at a time, end() for when all parts are done; the rest
// may be called at any time.
class PartsInTurn {
 public:
  explicit PartsInTurn(RunContext& run) : run_{run}, stop_{run.stop} {}

  // The next part of `size` bytes in parts of `part_size`; nothing after the last, a failure or a
  // stop.
  [[nodiscard]] std::optional<Piece> take(std::uint64_t size, std::uint64_t part_size);
  // A part has failed: the others are stopped.
  void fail(Error error);
  // Why not every part of `count` is done: the first failure, or that the run was stopped.
  [[nodiscard]] std::optional<Error> end(const Job& job, std::size_t count);
  // Of the run, and of the first failure.
  [[nodiscard]] std::stop_token token() const { return stop_.token(); }

 private:
  RunContext& run_;
  OwnStop stop_;
  std::uint64_t taken_ = 0;
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  std::optional<Error> error_;  // the first, guarded by mutex_
};

// What became of a job that began then.
[[nodiscard]] Outcome ended(RunContext& run, std::chrono::steady_clock::time_point began,
                            Result<Done> result);

}  // namespace runctl::transfer
