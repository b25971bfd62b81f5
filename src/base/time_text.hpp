// Times and durations as text, and back.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace runctl {

// A point in UTC wall time, in the resolution in which AWS reports it.
using Timestamp = std::chrono::sys_time<std::chrono::milliseconds>;

// "2026-01-31T23:59:59.123Z", the form of AWS's XML answers.
[[nodiscard]] std::string iso8601(Timestamp time);

// "20260131T235959Z", the form of SigV4's X-Amz-Date. Fractions are cut.
[[nodiscard]] std::string iso8601_basic(Timestamp time);

// Reads both forms above, with or without a fraction.
// Errors: invalid_argument for anything else, dates that do not exist among them.
[[nodiscard]] Result<Timestamp> parse_iso8601(std::string_view text);

// Reads "90", "90s", "15m", "2h", "1d"; a bare number is seconds.
// Errors: invalid_argument for anything else and for durations over ten years.
[[nodiscard]] Result<std::chrono::seconds> parse_duration(std::string_view text);

// "4.5 s", "45 s", "3 min 20 s", "2 h 5 min", "3 d 4 h": the two largest units.
[[nodiscard]] std::string duration_in_words(std::chrono::milliseconds duration);

}  // namespace runctl
