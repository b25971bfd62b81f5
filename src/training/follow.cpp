#include "training/follow.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/time_text.hpp"
#include "base/units.hpp"

namespace runctl::training {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// What is shown of the end when the following is too far behind.
constexpr std::uint64_t kept_of_end = std::uint64_t{64} << 10U;
// Half a second is what people notice; a silent run is asked less often.
constexpr milliseconds shortest_pause{200};
constexpr milliseconds longest_pause{2'000};
constexpr milliseconds longest_silence_pause{10'000};
// SSM says so within seconds when an agent has lost its connection.
constexpr seconds look_after{20};
constexpr int garbled_limit = 5;

class Follower {
 public:
  Follower(const Following& following, const node::RunId& run)
      : following_{following}, run_{run}, offset_{following.from} {}

  Result<Followed> follow() {
    milliseconds pause{50};
    while (true) {
      RUNCTL_TRY(check_deadline());
      auto progress = look();
      if (!progress) {
        RUNCTL_TRY(bear(progress.error()));
        continue;
      }
      note_answer();
      const bool moved = progress->next_offset != offset_;
      take(*progress);
      const bool whole = offset_ >= progress->log_size;
      const bool ended = progress->run.state != node::RunState::running;
      if (ended) tell_of_upload(progress->run);
      if (whole && ended && (!progress->run.upload || progress->run.upload->is_over())) {
        return Followed{
            .run = std::move(progress->run), .next_offset = offset_, .left_out = left_out_};
      }
      if (!whole) continue;
      pause = moved ? shortest_pause : std::min(pause * 2, longest_pause);
      RUNCTL_TRY(sleep(pause));
    }
  }

 private:
  Result<node::RunProgress> look() {
    node::Machine machine = following_.machine;
    const auto left = following_.deadline - following_.clock.ticks();
    if (following_.deadline != std::chrono::steady_clock::time_point::max()) {
      machine.timeout = std::clamp(std::chrono::ceil<seconds>(left), seconds{1}, machine.timeout);
    }
    return node::run_status(machine, run_, offset_);
  }

  // It has ended, and we go on: for its results to be uploaded.
  void tell_of_upload(const node::RunReport& run) {
    if (has_ended_ || !run.upload || run.upload->is_over()) return;
    has_ended_ = true;
    following_.uploading();
    following_.tell(
        fmt::format("[the run has ended; its results are uploaded to {}]", run.upload->target));
  }

  // Writes the piece, and leaves out what is too far behind the end.
  void take(const node::RunProgress& progress) {
    std::string_view log = progress.log;
    if (in_cut_line_) {
      // The rest of the line in whose middle the following went on.
      const auto end = log.find('\n');
      const auto dropped = end == std::string_view::npos ? log.size() : end + 1;
      left_out_ += dropped;
      log.remove_prefix(dropped);
      in_cut_line_ = end == std::string_view::npos && !progress.log.empty();
    }
    if (!log.empty()) following_.write(log);
    offset_ = progress.next_offset;
    const std::uint64_t behind =
        progress.log_size > offset_ ? progress.log_size - offset_ : std::uint64_t{0};
    if (!following_.behind_limit || behind <= *following_.behind_limit) return;
    const std::uint64_t skipped = behind - kept_of_end;
    following_.tell(fmt::format(
        "[{} of output ({} bytes) are not shown: it comes faster than it can be fetched. All of "
        "it: runctl runs logs {}]",
        bytes_in_words(skipped), skipped, run_.str()));
    offset_ += skipped;
    left_out_ += skipped;
    in_cut_line_ = true;
  }

  // What may be over later: waits a while. Everything else ends the following.
  Result<void> bear(const Error& error) {
    const bool garbled = error.code == Errc::corrupt;
    const bool silent = error.code == Errc::unavailable || error.code == Errc::throttled ||
                        error.code == Errc::deadline_exceeded;
    if (error.code == Errc::cancelled) return goes_on(error.code, "is no longer followed");
    if (!silent && !(garbled && ++garbled_ < garbled_limit)) return std::unexpected{error};
    const auto now = following_.clock.ticks();
    if (!silent_since_) {
      silent_since_ = now;
      looked_ = now;
      following_.tell(fmt::format("[{}; the run does not need us: asking again]", error.message));
    }
    if (following_.look_at_machine && now - looked_ >= look_after) {
      looked_ = now;
      RUNCTL_TRY(following_.look_at_machine());
    }
    silence_pause_ = std::min(silence_pause_ * 2, longest_silence_pause);
    return sleep(silence_pause_);
  }

  void note_answer() {
    garbled_ = 0;
    if (!silent_since_) return;
    const auto silence =
        std::chrono::duration_cast<milliseconds>(following_.clock.ticks() - *silent_since_);
    following_.tell(
        fmt::format("[the machine answers again, after {}]", duration_in_words(silence)));
    silent_since_.reset();
    silence_pause_ = milliseconds{250};
  }

  Result<void> sleep(milliseconds pause) {
    const auto wake = std::min(following_.clock.ticks() + pause, following_.deadline);
    const auto slept = following_.clock.sleep_until(wake, following_.machine.stop);
    if (!slept && slept.error().code == Errc::cancelled) {
      return goes_on(Errc::cancelled, "is no longer followed");
    }
    return slept;
  }

  [[nodiscard]] Result<void> check_deadline() const {
    if (following_.clock.ticks() < following_.deadline) return {};
    return goes_on(Errc::deadline_exceeded, "has not ended within the time given");
  }

  [[nodiscard]] std::unexpected<Error> goes_on(Errc code, std::string_view why) const {
    auto error =
        fail(code, has_ended_ ? fmt::format("the results of run {}, which has ended, are still "
                                            "being uploaded",
                                            run_.str())
                              : fmt::format("run {} {}, and goes on", run_.str(), why));
    error.error().effect = Effect::applied;
    return error;
  }

  const Following& following_;
  const node::RunId& run_;
  std::uint64_t offset_;
  std::uint64_t left_out_ = 0;
  bool in_cut_line_ = false;
  bool has_ended_ = false;  // but not what uploads its results
  int garbled_ = 0;
  std::optional<std::chrono::steady_clock::time_point> silent_since_ = {};
  std::chrono::steady_clock::time_point looked_ = {};
  milliseconds silence_pause_{250};
};

}  // namespace

Result<Followed> follow(const Following& following, const node::RunId& run) {
  return Follower{following, run}.follow();
}

Result<std::uint64_t> offset_of_last_lines(const node::Machine& machine, const node::RunId& run,
                                           std::size_t lines) {
  RUNCTL_TRY_LET(const auto seen, node::run_status(machine, run, node::behind_any_log));
  const std::uint64_t size = seen.log_size;
  const std::uint64_t window = std::min<std::uint64_t>(size, node::log_piece_limit);
  if (lines == 0) return size;
  std::string end;
  while (end.size() < window) {
    RUNCTL_TRY_LET(const auto piece,
                   node::run_status(machine, run, size - window + end.size(), window - end.size()));
    if (piece.log.empty()) break;
    end += piece.log;
  }
  std::size_t at = end.size();
  // The line end of the last line is a part of it.
  if (at > 0 && end[at - 1] == '\n') --at;
  for (std::size_t found = 0; found < lines; ++found) {
    const auto newline = at == 0 ? std::string::npos : end.rfind('\n', at - 1);
    if (newline == std::string::npos) return size - window;
    at = newline;
  }
  return size - window + at + 1;
}

}  // namespace runctl::training
