#include "transfer/parts_in_turn.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace runctl::transfer {

std::optional<Piece> PartsInTurn::take(std::uint64_t size, std::uint64_t part_size) {
  const std::uint64_t first = taken_ * part_size;
  if (failed_ || token().stop_requested() || first >= size) return std::nullopt;
  ++taken_;
  return Piece{.number = static_cast<unsigned>(taken_),
               .range = {.first = first, .length = std::min(part_size, size - first)}};
}

void PartsInTurn::fail(Error error) {
  const std::scoped_lock lock{mutex_};
  if (!error_) error_ = std::move(error);
  failed_ = true;
  stop_.request();
}

std::optional<Error> PartsInTurn::end(const Job& job, std::size_t count) {
  const std::scoped_lock lock{mutex_};
  if (run_.stop.stop_requested() && (!error_ || taken_ < count)) {
    return Error{.code = Errc::cancelled,
                 .message = fmt::format("the {} was stopped", to_text(job))};
  }
  return error_;
}

Outcome ended(RunContext& run, std::chrono::steady_clock::time_point began, Result<Done> result) {
  return {
      .result = std::move(result),
      .elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(run.clock.ticks() - began)};
}

}  // namespace runctl::transfer
