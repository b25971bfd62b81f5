// Polling a remote thing until it settles.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"
#include "volume/session.hpp"

namespace runctl::volume {

// EC2 has no notification of state changes; polls of one id are cheap (docs: Request throttling for
// the Amazon EC2 API), and half a second is what people notice.
struct PollPolicy {
  std::chrono::milliseconds first_delay{50};
  std::chrono::milliseconds max_delay{2'000};
  std::chrono::seconds budget{300};
};

// Calls `probe` until it yields a value, doubling the delay between calls up to half a second, and
// from then on to an eighth of what was waited so far, at most `max_delay`: what is over in seconds
// is noticed at once, and what takes minutes is not asked about more often than that is worth.
// `probe` must only read. It runs at least once. When nobody answers it (unavailable, throttled)
// it is asked again for up to `silence_patience`: most waits stand between a change and the
// knowledge of what became of it, and a network that is away for a moment must not cost that. Any
// other error ends the wait. Errors: deadline_exceeded once `budget` or the session's deadline is
// spent; cancelled on stop; else the probe's own.
inline constexpr std::chrono::seconds silence_patience{30};

[[nodiscard]] constexpr bool is_silence(Errc code) {
  return code == Errc::unavailable || code == Errc::throttled;
}

template <class T>
Result<T> wait_for(const Session& session, const PollPolicy& policy, std::string_view what,
                   const std::function<Result<std::optional<T>>()>& probe) {
  constexpr std::chrono::milliseconds noticed{500};
  const auto began = session.clock.ticks();
  const auto deadline = std::min(session.deadline, began + policy.budget);
  auto delay = policy.first_delay;
  auto heard = began;
  while (true) {
    auto seen = probe();
    const auto now = session.clock.ticks();
    if (seen) {
      heard = now;
    } else if (!is_silence(seen.error().code) || now - heard >= silence_patience) {
      return std::unexpected{std::move(seen).error()};
    } else {
      session.progress("no answer; asking again: " + seen.error().message);
    }
    if (seen && *seen) return **std::move(seen);
    if (session.clock.ticks() + delay > deadline) {
      return fail(Errc::deadline_exceeded, "gave up waiting for " + std::string{what});
    }
    RUNCTL_TRY(session.clock.sleep_until(session.clock.ticks() + delay, session.stop));
    const auto waited =
        std::chrono::duration_cast<std::chrono::milliseconds>(session.clock.ticks() - began);
    delay = std::min({delay * 2, std::max(noticed, waited / 8), policy.max_delay});
  }
}

// As wait_for, until `probe` has yielded the same value three times in a row in short succession:
// EC2's reads may be old, and no decision on safety rests on one of them. Source: docs, "Ensuring
// eventual consistency in the Amazon EC2 API"; coldsnap asks for three reads too.
template <class T>
Result<T> wait_until_agreed(const Session& session, const PollPolicy& policy, std::string_view what,
                            const std::function<Result<std::optional<T>>()>& probe) {
  constexpr int agreeing_reads = 3;
  constexpr std::chrono::milliseconds between{20};
  return wait_for<T>(session, policy, what, [&]() -> Result<std::optional<T>> {
    RUNCTL_TRY_LET(auto first, probe());
    for (int reads = 1; first && reads < agreeing_reads; ++reads) {
      RUNCTL_TRY(session.clock.sleep_until(session.clock.ticks() + between, session.stop));
      RUNCTL_TRY_LET(auto again, probe());
      if (again != first) return std::nullopt;
    }
    return first;
  });
}

}  // namespace runctl::volume
