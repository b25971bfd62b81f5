#include "volume/job_watch.hpp"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "base/time_text.hpp"
#include "base/units.hpp"

namespace runctl::volume {

node::JobWatch watch_of(const Session& session, std::string what) {
  const auto began = session.clock.ticks();
  const auto tell = [&session, what = std::move(what), began](const node::JobProgress& progress) {
    if (progress.total_bytes == 0) {
      session.progress(what);
      return;
    }
    std::string text = fmt::format("{}: {} of {}", what, bytes_in_words(progress.done_bytes),
                                   bytes_in_words(progress.total_bytes));
    const std::chrono::duration<double> elapsed = session.clock.ticks() - began;
    const double rate = static_cast<double>(progress.done_bytes) / std::max(elapsed.count(), 0.001);
    if (rate >= 1 && progress.done_bytes < progress.total_bytes && elapsed.count() > 1) {
      const double left = static_cast<double>(progress.total_bytes - progress.done_bytes) / rate;
      text +=
          fmt::format(", {}/s, {} left", bytes_in_words(static_cast<std::uint64_t>(rate)),
                      duration_in_words(std::chrono::seconds{static_cast<std::int64_t>(left) + 1}));
    }
    session.progress(text);
  };
  return {.clock = session.clock, .deadline = session.deadline, .progress = tell};
}

}  // namespace runctl::volume
