#include "base/json.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include <boost/json/kind.hpp>
#include <boost/json/parser.hpp>
#include <boost/json/serialize.hpp>
#include <boost/system/error_code.hpp>
#include <fmt/format.h>

namespace runctl {
namespace {

const boost::json::value* member(const boost::json::value& value, std::string_view name) {
  const auto* object = value.if_object();
  return object == nullptr ? nullptr : object->if_contains(name);
}

// Boost.JSON reads 1e400 as infinity, and 0e400 as no number at all: neither is JSON again.
bool has_no_number(const boost::json::value& value) {
  if (const auto* number = value.if_double()) return !std::isfinite(*number);
  if (const auto* array = value.if_array()) return std::ranges::any_of(*array, has_no_number);
  const auto* object = value.if_object();
  return object != nullptr && std::ranges::any_of(*object, [](const auto& member) {
           return has_no_number(member.value());
         });
}

void write_pretty(std::string& out, const boost::json::value& value, std::size_t depth) {
  const auto line = [&](std::size_t level) { out += '\n' + std::string(level * 2, ' '); };
  if (const auto* object = value.if_object(); object != nullptr && !object->empty()) {
    out += '{';
    std::string_view comma;
    for (const auto& [key, item] : *object) {
      out += comma;
      line(depth + 1);
      out += boost::json::serialize(key) + ": ";
      write_pretty(out, item, depth + 1);
      comma = ",";
    }
    line(depth);
    out += '}';
  } else if (const auto* array = value.if_array(); array != nullptr && !array->empty()) {
    out += '[';
    std::string_view comma;
    for (const auto& item : *array) {
      out += comma;
      line(depth + 1);
      write_pretty(out, item, depth + 1);
      comma = ",";
    }
    line(depth);
    out += ']';
  } else {
    out += boost::json::serialize(value);
  }
}

}  // namespace

Result<boost::json::value> parse_json(std::string_view text) {
  boost::json::parser parser;
  boost::system::error_code error;
  const std::size_t read = parser.write(text, error);
  if (error) {
    return fail(Errc::corrupt, fmt::format("not JSON at byte {}: {}", read, error.message()));
  }
  auto value = parser.release();
  if (has_no_number(value)) return fail(Errc::corrupt, "JSON with a number out of range");
  return value;
}

std::optional<std::string> string_at(const boost::json::value& value, std::string_view name) {
  const auto* found = member(value, name);
  if (found == nullptr || !found->is_string()) return std::nullopt;
  return std::string{found->get_string()};
}

std::optional<std::int64_t> integer_at(const boost::json::value& value, std::string_view name) {
  const auto* found = member(value, name);
  if (found == nullptr || !found->is_int64()) return std::nullopt;
  return found->get_int64();
}

std::optional<bool> boolean_at(const boost::json::value& value, std::string_view name) {
  const auto* found = member(value, name);
  if (found == nullptr || !found->is_bool()) return std::nullopt;
  return found->get_bool();
}

const boost::json::array* array_at(const boost::json::value& value, std::string_view name) {
  const auto* found = member(value, name);
  return found == nullptr ? nullptr : found->if_array();
}

const boost::json::object* object_at(const boost::json::value& value, std::string_view name) {
  const auto* found = member(value, name);
  return found == nullptr ? nullptr : found->if_object();
}

std::string to_text(const boost::json::value& value) { return boost::json::serialize(value); }

std::string to_pretty_text(const boost::json::value& value) {
  std::string out;
  write_pretty(out, value, 0);
  return out;
}

}  // namespace runctl
