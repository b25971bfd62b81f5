// JSON that came from outside: read with bounds, and asked for fields without surprises.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

#include "base/result.hpp"

namespace runctl {

// Errors: corrupt, with the offset, for text that is not one JSON value; nesting over 32, and
// a number that no double holds, are refused.
[[nodiscard]] Result<boost::json::value> parse_json(std::string_view text);

// The named member when `value` is an object that has it with that type; nothing otherwise.
[[nodiscard]] std::optional<std::string> string_at(const boost::json::value& value,
                                                   std::string_view name);
[[nodiscard]] std::optional<std::int64_t> integer_at(const boost::json::value& value,
                                                     std::string_view name);
[[nodiscard]] std::optional<bool> boolean_at(const boost::json::value& value,
                                             std::string_view name);
// Null pointer when there is no such member, or it is of another type. Borrowed from `value`.
[[nodiscard]] const boost::json::array* array_at(const boost::json::value& value,
                                                 std::string_view name);
[[nodiscard]] const boost::json::object* object_at(const boost::json::value& value,
                                                   std::string_view name);

// One line without blanks.
[[nodiscard]] std::string to_text(const boost::json::value& value);
// Indented by two, for people.
[[nodiscard]] std::string to_pretty_text(const boost::json::value& value);

}  // namespace runctl
