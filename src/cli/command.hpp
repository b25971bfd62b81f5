// The shape of a command. Commands are rows of a table (command_table.hpp); help, the parser and
// the reference are made from it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace runctl::cli {

// Part of the public interface: values never change meaning.
enum class ExitCode : std::uint8_t {
  ok = 0,
  failure = 1,
  usage = 2,
  not_found = 3,
  refused = 4,
  denied = 5,
  timed_out = 6,
  partial = 7,
  cancelled = 130,
};

[[nodiscard]] constexpr ExitCode exit_code_for(Errc code) {
  switch (code) {
    case Errc::invalid_argument:
      return ExitCode::usage;
    case Errc::not_found:
      return ExitCode::not_found;
    case Errc::conflict:
    case Errc::precondition:
      return ExitCode::refused;
    case Errc::denied:
      return ExitCode::denied;
    case Errc::deadline_exceeded:
      return ExitCode::timed_out;
    case Errc::cancelled:
      return ExitCode::cancelled;
    case Errc::throttled:
    case Errc::unavailable:
    case Errc::corrupt:
    case Errc::internal:
      return ExitCode::failure;
  }
  std::unreachable();
}

struct OptionSpec {
  std::string_view name;        // "--instance"
  std::string_view value = {};  // "INSTANCE"; "[KIND]" may be left out; empty for a switch
  std::string_view help;        // one line, no period
  enum class Times : std::uint8_t { once, many } times = Times::once;
  std::string_view alias = {};  // "--instance-id": accepted, and not shown
  char letter = '\0';           // 'v' for -v
};

// One list out of several, in their order.
template <std::size_t... Sizes>
[[nodiscard]] constexpr auto joined(const std::array<OptionSpec, Sizes>&... lists) {
  std::array<OptionSpec, (Sizes + ...)> all{};
  auto at = all.begin();
  ((at = std::ranges::copy(lists, at).out), ...);
  return all;
}

struct PositionalSpec {
  std::string_view name;  // "VOLUME"
  std::string_view help;
  enum class Need : std::uint8_t { required, optional, rest } need = Need::required;
};

// What the command line said, by the names of the specs.
class Arguments {
 public:
  std::map<std::string, std::vector<std::string>, std::less<>> options = {};
  std::map<std::string, std::vector<std::string>, std::less<>> positionals = {};

  [[nodiscard]] bool has(std::string_view name) const { return options.contains(name); }
  // The last one wins, as usual.
  [[nodiscard]] std::optional<std::string> get(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> all(std::string_view name) const;
  // Of a required positional; the parser has made sure that it is there.
  [[nodiscard]] const std::string& positional(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> rest(std::string_view name) const;
  // Of an optional positional.
  [[nodiscard]] std::optional<std::string> first(std::string_view name) const;
};

struct Context;

// What a command does to the world, for --help and for --dry-run.
enum class Danger : std::uint8_t { reads, changes, destroys };

struct CommandSpec {
  std::string_view path;     // "aws ebs attach"
  std::string_view summary;  // under 60 characters, no period
  std::span<const PositionalSpec> positionals;
  std::span<const OptionSpec> options;
  Danger danger = Danger::reads;
  // Errors become messages and exit codes in one place, cli/run.cpp.
  Result<ExitCode> (*run)(const Arguments& arguments, Context& context) = nullptr;
};

}  // namespace runctl::cli
