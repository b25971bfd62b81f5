#include "journal/operation.hpp"

#include <array>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "io/detached_process.hpp"
#include "io/file.hpp"

namespace runctl::journal {
namespace {

constexpr std::array outcomes{Outcome::pending, Outcome::applied, Outcome::not_applied,
                              Outcome::unknown};
constexpr std::array states{State::open, State::done, State::failed, State::abandoned};

template <class Value, std::size_t size>
Result<Value> parse(std::string_view text, const std::array<Value, size>& values) {
  for (const Value value : values) {
    if (name_of(value) == text) return value;
  }
  return fail(Errc::corrupt, fmt::format("the journal says '{}', which means nothing", text));
}

std::string boot_id() {
  const auto text = read_file("/proc/sys/kernel/random/boot_id");
  return text ? std::string{trim(*text)} : std::string{};
}

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? std::string{name.data()} : std::string{};
}

}  // namespace

std::string_view name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::pending:
      return "pending";
    case Outcome::applied:
      return "applied";
    case Outcome::not_applied:
      return "not_applied";
    case Outcome::unknown:
      return "unknown";
  }
  std::unreachable();
}

Result<Outcome> parse_outcome(std::string_view text) { return parse(text, outcomes); }

std::string_view name_of(State state) {
  switch (state) {
    case State::open:
      return "open";
    case State::done:
      return "done";
    case State::failed:
      return "failed";
    case State::abandoned:
      return "abandoned";
  }
  std::unreachable();
}

Result<State> parse_state(std::string_view text) { return parse(text, states); }

Owner this_process() {
  const int pid = getpid();
  return {
      .pid = pid, .start = process_start(pid).value_or(0), .boot = boot_id(), .host = host_name()};
}

Life life_of(const Owner& owner) {
  if (owner.host != host_name()) return Life::elsewhere;
  if (owner.boot != boot_id()) return Life::gone;
  const auto start = process_start(owner.pid);
  return start && *start == owner.start ? Life::running : Life::gone;
}

bool is_unfinished(const Operation& operation) {
  return operation.state == State::open && life_of(operation.owner) != Life::running;
}

}  // namespace runctl::journal
