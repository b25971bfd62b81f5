// Result<T>: the return type of every operation that can fail for a reason outside the program.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace runctl {

// What a caller can do about it; the exit code and the retry rule are functions of this.
enum class Errc : std::uint8_t {
  invalid_argument,   // the request can never succeed as written
  not_found,          // the service says the named thing does not exist
  conflict,           // it exists, in a state that forbids this (attached, in use, modifying)
  precondition,       // the world changed between plan and execution
  denied,             // credentials missing, expired or not allowed
  throttled,          // told to slow down
  unavailable,        // 5xx or connection lost
  deadline_exceeded,  // our own time budget ran out
  cancelled,          // a stop was requested
  corrupt,            // a response or file that breaks its own format
  internal,           // our bug
};

// Did the other side act?
enum class Effect : std::uint8_t { not_applied, unknown, applied };

// The remote service's own words, kept verbatim for support cases.
struct RemoteFault {
  int http_status = 0;
  std::string code = {};  // "VolumeInUse"
  std::string request_id = {};
};

struct Error {
  Errc code = Errc::internal;
  std::string message = {};                // one sentence, no trailing period, no secrets
  std::string hint = {};                   // what the user can do next; may be empty
  std::vector<std::string> details = {};   // what is known of the thing in the way, a line each
  std::vector<std::string> ways_out = {};  // commands, ready to paste
  std::string section = {};  // of the documentation: "EBS_CONCURRENT_ACCESS.md#held-volume"
  std::vector<std::string> context = {};  // innermost first: "while attaching vol-1 to i-2"
  std::optional<RemoteFault> remote = {};
  Effect effect = Effect::not_applied;
  std::source_location where = {};
};

template <class T>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(
    Errc code, std::string message, std::source_location where = std::source_location::current()) {
  return std::unexpected{Error{.code = code, .message = std::move(message), .where = where}};
}

// Adds a line of context on the way up.
[[nodiscard]] inline std::unexpected<Error> with_context(Error error, std::string_view doing) {
  error.context.emplace_back(doing);
  return std::unexpected{std::move(error)};
}

enum class Idempotent : bool { no, yes };

// Whether sending the same request again can do good and no harm.
[[nodiscard]] constexpr bool may_retry(Errc code, Effect effect, Idempotent idempotent) {
  switch (code) {
    case Errc::throttled:
    case Errc::unavailable:
      return effect == Effect::not_applied || idempotent == Idempotent::yes;
    case Errc::invalid_argument:
    case Errc::not_found:
    case Errc::conflict:
    case Errc::precondition:
    case Errc::denied:
    case Errc::deadline_exceeded:
    case Errc::cancelled:
    case Errc::corrupt:
    case Errc::internal:
      return false;
  }
  std::unreachable();
}

}  // namespace runctl

// NOLINTBEGIN(bugprone-macro-parentheses): `decl` is a declaration.
#define RUNCTL_CAT2(a, b) a##b
#define RUNCTL_CAT(a, b) RUNCTL_CAT2(a, b)

// RUNCTL_TRY(expr): return the error of a Result<void>.
// RUNCTL_TRY_LET(decl, expr): bind the value, or return the error.
#define RUNCTL_TRY(expr)                                                                        \
  do {                                                                                          \
    if (auto runctl_r = (expr); !runctl_r) return std::unexpected{std::move(runctl_r).error()}; \
  } while (false)
#define RUNCTL_TRY_LET(decl, expr) RUNCTL_TRY_LET2(RUNCTL_CAT(runctl_r_, __LINE__), decl, expr)
#define RUNCTL_TRY_LET2(tmp, decl, expr)                      \
  auto tmp = (expr);                                          \
  if (!(tmp)) return std::unexpected{std::move(tmp).error()}; \
  decl = *std::move(tmp)
// NOLINTEND(bugprone-macro-parentheses)
