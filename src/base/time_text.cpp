#include "base/time_text.hpp"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <system_error>

#include <fmt/format.h>

namespace runctl {
namespace {

struct CivilTime {
  std::chrono::year_month_day date;
  std::chrono::hh_mm_ss<std::chrono::milliseconds> time;
};

CivilTime civil(Timestamp time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  return {.date = std::chrono::year_month_day{day},
          .time = std::chrono::hh_mm_ss<std::chrono::milliseconds>{time - day}};
}

// Takes `count` digits off the front of `text`.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + count, value);
  if (error != std::errc{} || rest != text.data() + count || value < 0) return std::nullopt;
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// Reads ".123" as milliseconds; more digits are cut, none at all is an error.
std::optional<std::chrono::milliseconds> take_fraction(std::string_view& text) {
  int milliseconds = 0;
  int scale = 100;
  std::size_t digits = 0;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    milliseconds += (text.front() - '0') * scale;
    scale /= 10;
    ++digits;
    text.remove_prefix(1);
  }
  if (digits == 0) return std::nullopt;
  return std::chrono::milliseconds{milliseconds};
}

std::optional<Timestamp> read_iso8601(std::string_view text) {
  const auto year = take_digits(text, 4);
  const bool dashes = take(text, '-');
  const auto month = take_digits(text, 2);
  if (dashes && !take(text, '-')) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!take(text, 'T')) return std::nullopt;
  const auto hour = take_digits(text, 2);
  const bool colons = take(text, ':');
  const auto minute = take_digits(text, 2);
  if (colons && !take(text, ':')) return std::nullopt;
  const auto second = take_digits(text, 2);
  std::optional<std::chrono::milliseconds> fraction{std::chrono::milliseconds{0}};
  if (take(text, '.')) fraction = take_fraction(text);
  if (!take(text, 'Z') || !text.empty()) return std::nullopt;
  if (!year || !month || !day || !hour || !minute || !second || !fraction) return std::nullopt;

  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  return std::chrono::sys_days{date} + std::chrono::hours{*hour} + std::chrono::minutes{*minute} +
         std::chrono::seconds{*second} + *fraction;
}

}  // namespace

std::string iso8601(Timestamp time) {
  const auto [date, clock] = civil(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", int{date.year()},
                     unsigned{date.month()}, unsigned{date.day()}, clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

std::string iso8601_basic(Timestamp time) {
  const auto [date, clock] = civil(time);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", int{date.year()}, unsigned{date.month()},
                     unsigned{date.day()}, clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

Result<Timestamp> parse_iso8601(std::string_view text) {
  if (const auto time = read_iso8601(text)) return *time;
  return fail(Errc::invalid_argument, fmt::format("not a UTC time: '{}'", text));
}

Result<std::chrono::seconds> parse_duration(std::string_view text) {
  std::int64_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, count);
  const std::string_view unit{rest, static_cast<std::size_t>(end - rest)};
  std::int64_t factor = 0;
  if (unit.empty() || unit == "s") factor = 1;
  if (unit == "m" || unit == "min") factor = 60;
  if (unit == "h") factor = 3600;
  if (unit == "d") factor = 86'400;
  constexpr std::int64_t ten_years = std::int64_t{10} * 365 * 86'400;
  if (error != std::errc{} || factor == 0 || count < 0 || count > ten_years / factor) {
    return fail(Errc::invalid_argument,
                fmt::format("not a duration: '{}' (write 90s, 15m, 2h or 1d)", text));
  }
  return std::chrono::seconds{count * factor};
}

std::string duration_in_words(std::chrono::milliseconds duration) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(duration).count();
  if (seconds < 10) return fmt::format("{:.1f} s", static_cast<double>(duration.count()) / 1000.0);
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  if (seconds < 86'400) return fmt::format("{} h {} min", seconds / 3600, seconds % 3600 / 60);
  return fmt::format("{} d {} h", seconds / 86'400, seconds % 86'400 / 3600);
}

}  // namespace runctl
