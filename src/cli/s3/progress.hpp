// One line on the terminal that says how far a transfer is.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>

#include "cli/s3/session.hpp"
#include "transfer/outcome.hpp"

namespace runctl::cli {

// What all of it will be, as far as is known. `complete` once the last was counted.
struct Expected {
  std::atomic<std::uint64_t> objects{0};
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<bool> complete{false};
};

// A moment of a transfer. `rate` is in bytes a second.
struct ProgressMoment {
  std::uint64_t bytes_done = 0;
  std::uint64_t objects_done = 0;
  std::uint64_t failed = 0;
  std::optional<std::uint64_t> bytes_of = {};
  std::optional<std::uint64_t> objects_of = {};
  double rate = 0;
};

// "1.2 of 4.0 GiB, 12 of 40 objects, 85.1 MiB/s, 33 s left", cut to `width` columns; the whole is
// left out where it is not known.
[[nodiscard]] std::string progress_line(const ProgressMoment& moment, unsigned width);

// Shows the line from the second second on, five times a second, when standard error is a terminal
// and nobody said --quiet; and stops the session when its --timeout has passed, in any case. A
// thread of its own reads counters: what it watches pays nothing.
class ProgressDisplay {
 public:
  // `expected` is what was counted beforehand; `taken` what the engine has taken, complete when
  // there is no more. Borrows all.
  ProgressDisplay(S3Session& session, const transfer::Progress& progress, const Expected& expected,
                  const Expected& taken);
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;
  ProgressDisplay(ProgressDisplay&&) = delete;
  ProgressDisplay& operator=(ProgressDisplay&&) = delete;
  // Clears the line.
  ~ProgressDisplay();

 private:
  void run(const std::stop_token& stop);
  void show();

  S3Session& session_;
  const transfer::Progress& progress_;
  const Expected& expected_;
  const Expected& taken_;
  bool wanted_ = false;
  bool shown_ = false;
  std::uint64_t last_moved_ = 0;
  double rate_ = 0;
  unsigned samples_ = 0;
  std::jthread thread_;
};

}  // namespace runctl::cli
