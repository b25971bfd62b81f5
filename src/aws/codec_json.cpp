#include "aws/codec_json.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "base/json.hpp"
#include "base/time_text.hpp"

namespace runctl::aws {
namespace {

boost::json::value to_value(Scalar kind, std::string_view text) {
  switch (kind) {
    case Scalar::text:
      return boost::json::value(boost::json::string{text});
    case Scalar::boolean:
      return text == "true";
    case Scalar::integer: {
      std::int64_t number = 0;
      if (!parse_scalar(text, number)) return boost::json::value(boost::json::string{text});
      return number;
    }
    case Scalar::timestamp: {
      Timestamp time;
      if (!parse_scalar(text, time)) return boost::json::value(boost::json::string{text});
      return static_cast<double>(time.time_since_epoch().count()) / 1000.0;
    }
  }
  std::unreachable();
}

// Nothing when `value` is not a scalar of that kind.
std::optional<std::string> to_text_of(Scalar kind, const boost::json::value& value) {
  if (kind == Scalar::text && value.is_string()) return std::string{value.get_string()};
  if (kind == Scalar::boolean && value.is_bool()) return value.get_bool() ? "true" : "false";
  if (kind == Scalar::integer && value.is_int64()) return std::to_string(value.get_int64());
  if (kind == Scalar::timestamp && value.is_number()) {
    const double seconds = value.to_number<double>();
    // Within the years that four digits can say.
    if (!(std::abs(seconds) < 2.5e11)) return std::nullopt;
    return iso8601(Timestamp{std::chrono::milliseconds{std::llround(seconds * 1000.0)}});
  }
  return std::nullopt;
}

}  // namespace

JsonWriter::JsonWriter() { levels_.push_back({.name = {}, .value = boost::json::object{}}); }

void JsonWriter::put(std::string_view name, boost::json::value value) {
  boost::json::value& into = levels_.back().value;
  if (into.is_array()) {
    into.get_array().push_back(std::move(value));
  } else {
    into.get_object()[name] = std::move(value);
  }
}

void JsonWriter::scalar(const FieldNames& names, Scalar kind, std::string_view text) {
  put(names.member, to_value(kind, text));
}

void JsonWriter::begin(const FieldNames& names, Group group) {
  Level level{.name = std::string{names.member}, .value = boost::json::object{}};
  if (group == Group::list) level.value = boost::json::array{};
  levels_.push_back(std::move(level));
}

void JsonWriter::end() {
  Level level = std::move(levels_.back());
  levels_.pop_back();
  put(level.name, std::move(level.value));
}

std::string JsonWriter::finish() const { return to_text(levels_.front().value); }

const boost::json::value* JsonReader::child(const FieldNames& names) {
  Level& level = levels_.back();
  const boost::json::value* found = nullptr;
  if (level.is_list) {
    found = &level.value->get_array()[level.item - 1];
  } else if (const auto* object = level.value->if_object()) {
    level.read.emplace_back(names.member);
    found = object->if_contains(names.member);
  }
  return found == nullptr || found->is_null() ? nullptr : found;
}

std::optional<std::string> JsonReader::scalar(const FieldNames& names, Scalar kind) {
  const auto* found = child(names);
  if (found == nullptr) return std::nullopt;
  auto text = to_text_of(kind, *found);
  if (!text) complain(names, to_text(*found));
  return text;
}

bool JsonReader::enter(const FieldNames& names) {
  const auto* found = child(names);
  if (found == nullptr) return false;
  if (!found->is_object()) {
    complain(names, to_text(*found));
    return false;
  }
  levels_.push_back({.value = found});
  return true;
}

void JsonReader::leave() {
  const Level& level = levels_.back();
  const auto* object = level.value->if_object();
  if (object != nullptr && unread_.empty()) {
    for (const auto& [key, value] : *object) {
      if (std::ranges::find(level.read, std::string_view{key}) == level.read.end()) {
        unread_ = std::string{key};
        break;
      }
    }
  }
  levels_.pop_back();
}

bool JsonReader::enter_list(const FieldNames& names) {
  const auto* found = child(names);
  if (found == nullptr) return false;
  if (!found->is_array()) {
    complain(names, to_text(*found));
    return false;
  }
  levels_.push_back({.value = found, .is_list = true});
  return true;
}

bool JsonReader::next() {
  Level& level = levels_.back();
  if (level.item >= level.value->get_array().size()) return false;
  ++level.item;
  return true;
}

std::vector<std::string> JsonReader::keys(const FieldNames& names) {
  const auto* found = child(names);
  std::vector<std::string> out;
  if (found == nullptr) return out;
  if (!found->is_object()) {
    complain(names, to_text(*found));
    return out;
  }
  for (const auto& [key, value] : found->get_object()) out.emplace_back(key);
  return out;
}

void JsonReader::complain(const FieldNames& names, std::string_view what) {
  if (!complaint_.empty()) return;
  // A whole document may stand where a word should.
  complaint_ = fmt::format("{} is {}", names.member, what.substr(0, 80));
}

std::string JsonReader::first_unread() const {
  const Level& root = levels_.front();
  if (const auto* object = root.value->if_object()) {
    for (const auto& [key, value] : *object) {
      if (std::ranges::find(root.read, std::string_view{key}) == root.read.end()) {
        return std::string{key};
      }
    }
  }
  return unread_;
}

}  // namespace runctl::aws
