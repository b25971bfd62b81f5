#include "cli/s3/progress.hpp"

#include <algorithm>
#include <ostream>

#include <fmt/format.h>

#include "base/time_text.hpp"
#include "base/units.hpp"
#include "cli/s3/options.hpp"

namespace runctl::cli {
namespace {

constexpr std::chrono::milliseconds period{200};
constexpr std::chrono::milliseconds before_first{1'000};

}  // namespace

std::string progress_line(const ProgressMoment& moment, unsigned width) {
  std::string line = bytes_in_words(moment.bytes_done);
  if (moment.bytes_of) line += fmt::format(" of {}", bytes_in_words(*moment.bytes_of));
  if (moment.objects_of) {
    line += fmt::format(", {} of {}", moment.objects_done, counted(*moment.objects_of, "object"));
  } else {
    line += fmt::format(", {}", counted(moment.objects_done, "object"));
  }
  if (moment.failed > 0) line += fmt::format(", {} failed", moment.failed);
  line += fmt::format(", {}/s", bytes_in_words(static_cast<std::uint64_t>(moment.rate)));
  if (moment.bytes_of && moment.rate >= 1 && *moment.bytes_of > moment.bytes_done) {
    const auto left = static_cast<double>(*moment.bytes_of - moment.bytes_done) / moment.rate;
    constexpr double longest = 1e7;  // four months: what is longer says only that it stands still
    if (left < longest) {
      const std::chrono::seconds seconds{static_cast<std::int64_t>(left) + 1};
      line += fmt::format(", {} left", duration_in_words(seconds));
    }
  }
  // All of it is ASCII: a byte is a column.
  if (width > 1 && line.size() >= width) line.resize(width - 1);
  return line;
}

ProgressDisplay::ProgressDisplay(S3Session& session, const transfer::Progress& progress,
                                 const Expected& expected, const Expected& taken)
    : session_{session}, progress_{progress}, expected_{expected}, taken_{taken} {
  const Context& context = session.context();
  wanted_ = context.colour && !context.globals.quiet;
  thread_ = std::jthread{[this](const std::stop_token& stop) { run(stop); }};
}

ProgressDisplay::~ProgressDisplay() {
  thread_.request_stop();
  thread_.join();
  if (shown_) session_.context().err << "\r\033[K" << std::flush;
}

void ProgressDisplay::run(const std::stop_token& stop) {
  Clock& clock = session_.context().clock;
  const auto begun = clock.ticks();
  while (clock.sleep_until(clock.ticks() + period, stop)) {
    if (session_.is_late()) session_.stop();
    const std::uint64_t moved = progress_.moved.load();
    // The average at first, and smoothed over some two seconds then: the time left does not jump.
    const double now =
        static_cast<double>(moved - last_moved_) / std::chrono::duration<double>{period}.count();
    constexpr double least_weight = 0.1;
    const double weight = std::max(least_weight, 1.0 / ++samples_);
    rate_ = rate_ * (1 - weight) + now * weight;
    last_moved_ = moved;
    if (wanted_ && clock.ticks() - begun >= before_first) show();
  }
}

void ProgressDisplay::show() {
  ProgressMoment moment{.bytes_done = progress_.bytes_done.load(),
                        .objects_done = progress_.objects_done.load(),
                        .failed = progress_.objects_failed.load(),
                        .rate = rate_};
  if (expected_.complete.load()) {
    moment.bytes_of = expected_.bytes.load();
    moment.objects_of = expected_.objects.load();
  } else if (taken_.complete.load()) {
    moment.bytes_of = std::max(progress_.bytes_begun.load(), taken_.bytes.load());
    moment.objects_of = taken_.objects.load();
  }
  const Context& context = session_.context();
  const unsigned width = context.width == 0 ? 80 : context.width;
  context.err << "\r\033[K" << progress_line(moment, width) << std::flush;
  shown_ = true;
}

}  // namespace runctl::cli
