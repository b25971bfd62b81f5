// Removals, up to a thousand in one request.
#include <chrono>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "transfer/work.hpp"

namespace runctl::transfer {
namespace {

// What is still to be removed, by its place in the batch.
struct Batch {
  std::vector<ObjectName> names;
  std::vector<std::size_t> places;
};

}  // namespace

void remove_all(RunContext& run, std::span<const Job> jobs) {
  const auto began = run.clock.ticks();
  Batch left;
  std::vector<std::optional<Error>> errors(jobs.size());
  for (std::size_t place = 0; place < jobs.size(); ++place) {
    left.names.push_back(std::get<Remove>(jobs[place]).target);
    left.places.push_back(place);
  }
  Tally tally;
  Attempts attempts{run, tally, run.stop};
  while (!left.names.empty()) {
    const auto removed = run.store.remove(left.names, run.stop);
    Batch again;
    std::optional<Error> worst;
    for (std::size_t at = 0; at < left.names.size(); ++at) {
      errors[left.places[at]] = removed ? (*removed)[at].error : removed.error();
      const auto& error = errors[left.places[at]];
      if (!error || !may_do_better(*error)) continue;
      worst = error;
      again.names.push_back(left.names[at]);
      again.places.push_back(left.places[at]);
    }
    if (!worst || !attempts.again(*worst, again.names.size() < left.names.size())) break;
    left = std::move(again);
  }
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::milliseconds>(run.clock.ticks() - began);
  for (std::size_t place = 0; place < jobs.size(); ++place) {
    Outcome outcome{.result = Done{.bytes = std::get<Remove>(jobs[place]).size,
                                   .verified = Verified::by_server},
                    .elapsed = elapsed};
    if (errors[place]) outcome.result = std::unexpected{*errors[place]};
    run.reporter.done(jobs[place], outcome);
  }
}

}  // namespace runctl::transfer
