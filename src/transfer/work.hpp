// A job that is done in pieces, by several threads.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "transfer/range_set.hpp"
#include "transfer/run_context.hpp"

namespace runctl::transfer {

struct Piece {
  unsigned number = 0;  // of the part, from 1; 0 where there are none
  Range range = {};
};

// take() is called by one thread at a time, run() by many; finish() by one, when all pieces that
// were taken have been run and take() gives no more.
class Work {
 public:
  Work() = default;
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;
  Work(Work&&) = delete;
  Work& operator=(Work&&) = delete;
  virtual ~Work() = default;

  // The next piece; nothing when there are no more, or none is worth doing any more. Quick.
  [[nodiscard]] virtual std::optional<Piece> take() = 0;
  virtual void run(const Piece& piece) = 0;
  // Ends the job and reports it; or, when it says `yes`, begins it anew: take() has pieces again.
  enum class Again : bool { no, yes };
  [[nodiscard]] virtual Again finish() = 0;
};

// Each does the job at once and reports it, or returns what is left of it to do.
[[nodiscard]] std::shared_ptr<Work> begin_upload(RunContext& run, const Job& job);
[[nodiscard]] std::shared_ptr<Work> begin_download(RunContext& run, const Job& job);
[[nodiscard]] std::shared_ptr<Work> begin_copy(RunContext& run, const Job& job);
// Jobs are all removals from one bucket, at most `greatest_removal`.
void remove_all(RunContext& run, std::span<const Job> jobs);

}  // namespace runctl::transfer
