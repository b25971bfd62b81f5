// What one AWS structure looks like on the wire, said once, beside the struct itself:
//
//   struct Tag {
//     std::string key = {};
//     std::optional<std::string> value = {};
//     static constexpr auto shape = describe("Tag", field("Key", "key", &Tag::key),
//                                            field("Value", "value", &Tag::value));
//   };
//
// From this one description the query, XML and JSON codecs read and write the struct, on the
// client's side and on the emulator's. The names are those of AWS's service model: `member` is the
// member's name there, `location` its locationName.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/time_text.hpp"

namespace runctl::aws {

// Where a member is in an HTTP message. Source: "location" in the models of the REST services.
enum class Place : std::uint8_t {
  body,     // of the message; the only place that services without REST have
  payload,  // it is the whole body: the document's root element
  text,     // the text of the document's root element
  uri,      // the path's label {Bucket} or {Key+}
  query,
  header,
  headers,  // a map: `location` is what the headers' names begin with
};

struct FieldNames {
  std::string_view member = {};
  std::string_view location = {};
  Place place = Place::body;
  // What the items of a list are called, where it is not for the protocol to say; the list's own
  // name when the list is flattened, that is, when there is no element around its items.
  std::string_view item = {};
  bool flattened = false;
};

template <class Struct, class Value>
struct Field {
  FieldNames names;
  Value Struct::* value;
};

template <class Struct, class Value>
constexpr Field<Struct, Value> field(std::string_view member, std::string_view location,
                                     Value Struct::* value) {
  return {.names = {.member = member, .location = location}, .value = value};
}

// For members that the model gives no locationName.
template <class Struct, class Value>
constexpr Field<Struct, Value> field(std::string_view member, Value Struct::* value) {
  return field(member, member, value);
}

// Members of requests and answers of the REST services, S3's.
template <class Struct, class Value>
constexpr Field<Struct, Value> placed(FieldNames names, Value Struct::* value) {
  return {.names = names, .value = value};
}
template <class Struct, class Value>
constexpr Field<Struct, Value> in_uri(std::string_view member, Value Struct::* value) {
  return placed({.member = member, .location = member, .place = Place::uri}, value);
}
template <class Struct, class Value>
constexpr Field<Struct, Value> in_query(std::string_view member, std::string_view location,
                                        Value Struct::* value) {
  return placed({.member = member, .location = location, .place = Place::query}, value);
}
template <class Struct, class Value>
constexpr Field<Struct, Value> in_header(std::string_view member, std::string_view location,
                                         Value Struct::* value) {
  return placed({.member = member, .location = location, .place = Place::header}, value);
}
template <class Struct, class Value>
constexpr Field<Struct, Value> in_header(std::string_view member, Value Struct::* value) {
  return in_header(member, member, value);
}
template <class Struct, class Value>
constexpr Field<Struct, Value> in_headers(std::string_view member, std::string_view prefix,
                                          Value Struct::* value) {
  return placed({.member = member, .location = prefix, .place = Place::headers}, value);
}
template <class Struct, class Value>
constexpr Field<Struct, Value> payload(std::string_view member, std::string_view location,
                                       Value Struct::* value) {
  return placed({.member = member, .location = location, .place = Place::payload}, value);
}
template <class Struct, class Value>
constexpr Field<Struct, Value> payload(std::string_view member, Value Struct::* value) {
  return payload(member, member, value);
}
template <class Struct, class Value>
constexpr Field<Struct, Value> root_text(std::string_view member, Value Struct::* value) {
  return placed({.member = member, .location = member, .place = Place::text}, value);
}
// A list whose items stand where the list is, each named `location`.
template <class Struct, class Value>
constexpr Field<Struct, Value> flattened(std::string_view member, std::string_view location,
                                         Value Struct::* value) {
  return placed({.member = member, .location = location, .item = location, .flattened = true},
                value);
}
template <class Struct, class Value>
constexpr Field<Struct, Value> flattened(std::string_view member, Value Struct::* value) {
  return flattened(member, member, value);
}
// A list in an element of its own, with a name for its items.
template <class Struct, class Value>
constexpr Field<Struct, Value> listed(std::string_view member, std::string_view location,
                                      std::string_view item, Value Struct::* value) {
  return placed({.member = member, .location = location, .item = item}, value);
}

template <class... Fields>
struct Shape {
  std::string_view name;
  std::tuple<Fields...> fields;
};

template <class... Fields>
constexpr Shape<Fields...> describe(std::string_view name, Fields... fields) {
  return {.name = name, .fields = {fields...}};
}

template <class T>
concept Described = requires { T::shape.name; };

enum class Scalar : std::uint8_t { text, integer, boolean, timestamp };

// Where a codec takes a structure's members from the program. Scalars come as canonical text:
// integers in decimal, booleans as true and false, timestamps in ISO 8601. Inside a list the names
// are those of the list.
class ShapeWriter {
 public:
  ShapeWriter() = default;
  ShapeWriter(const ShapeWriter&) = delete;
  ShapeWriter& operator=(const ShapeWriter&) = delete;
  ShapeWriter(ShapeWriter&&) = delete;
  ShapeWriter& operator=(ShapeWriter&&) = delete;
  virtual ~ShapeWriter() = default;

  virtual void scalar(const FieldNames& names, Scalar kind, std::string_view text) = 0;
  enum class Group : std::uint8_t { structure, list };
  virtual void begin(const FieldNames& names, Group group) = 0;
  virtual void end() = 0;
};

// Where a codec gives a structure's members to the program.
class ShapeReader {
 public:
  ShapeReader() = default;
  ShapeReader(const ShapeReader&) = delete;
  ShapeReader& operator=(const ShapeReader&) = delete;
  ShapeReader(ShapeReader&&) = delete;
  ShapeReader& operator=(ShapeReader&&) = delete;
  virtual ~ShapeReader() = default;

  // The member's canonical text, as ShapeWriter has it; nothing when it is absent.
  virtual std::optional<std::string> scalar(const FieldNames& names, Scalar kind) = 0;
  // Goes into a structure. False, and nothing to leave, when it is absent.
  virtual bool enter(const FieldNames& names) = 0;
  virtual void leave() = 0;
  // Goes into a list; then `next` steps to each item in turn, on which the calls above work with
  // the list's names. `leave` follows when `next` has said false.
  virtual bool enter_list(const FieldNames& names) = 0;
  virtual bool next() = 0;
  // The keys of the map at `names`, which is then read as a structure with these members.
  virtual std::vector<std::string> keys(const FieldNames& names) = 0;
  // Notes that what was read is not what the shape says; the first note wins.
  virtual void complain(const FieldNames& names, std::string_view what) = 0;
};

namespace shape_detail {

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};

using TextLists = std::map<std::string, std::vector<std::string>>;
using Texts = std::map<std::string, std::string>;

}  // namespace shape_detail

template <Described T>
void write_members(ShapeWriter& writer, const T& value);

// An empty std::string is an absent member; where the difference matters the struct has an
// optional.
template <class T>
void write_value(ShapeWriter& writer, const FieldNames& names, const T& value) {
  if constexpr (shape_detail::IsOptional<T>::value) {
    if constexpr (std::is_same_v<T, std::optional<std::string>>) {
      if (value) writer.scalar(names, Scalar::text, *value);
    } else {
      if (value) write_value(writer, names, *value);
    }
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (!value.empty()) writer.scalar(names, Scalar::text, value);
  } else if constexpr (std::is_same_v<T, bool>) {
    writer.scalar(names, Scalar::boolean, value ? "true" : "false");
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    writer.scalar(names, Scalar::integer, std::to_string(value));
  } else if constexpr (std::is_same_v<T, Timestamp>) {
    writer.scalar(names, Scalar::timestamp, iso8601(value));
  } else if constexpr (std::is_same_v<T, shape_detail::TextLists>) {
    if (value.empty()) return;
    writer.begin(names, ShapeWriter::Group::structure);
    for (const auto& [key, texts] : value) {
      write_value(writer, FieldNames{.member = key, .location = key}, texts);
    }
    writer.end();
  } else if constexpr (std::is_same_v<T, shape_detail::Texts>) {
    if (value.empty()) return;
    writer.begin(names, ShapeWriter::Group::structure);
    for (const auto& [key, text] : value) {
      writer.scalar(FieldNames{.member = key, .location = key}, Scalar::text, text);
    }
    writer.end();
  } else if constexpr (shape_detail::IsVector<T>::value) {
    writer.begin(names, ShapeWriter::Group::list);
    for (const auto& item : value) {
      if constexpr (std::is_same_v<typename T::value_type, std::string>) {
        writer.scalar(names, Scalar::text, item);
      } else {
        write_value(writer, names, item);
      }
    }
    writer.end();
  } else {
    static_assert(Described<T>);
    writer.begin(names, ShapeWriter::Group::structure);
    write_members(writer, value);
    writer.end();
  }
}

template <Described T>
void write_members(ShapeWriter& writer, const T& value) {
  std::apply([&](const auto&... f) { (write_value(writer, f.names, value.*(f.value)), ...); },
             T::shape.fields);
}

// Canonical text to typed value. False when the text is not one.
[[nodiscard]] bool parse_scalar(std::string_view text, bool& value);
[[nodiscard]] bool parse_scalar(std::string_view text, std::int64_t& value);
[[nodiscard]] bool parse_scalar(std::string_view text, Timestamp& value);

template <Described T>
void read_members(ShapeReader& reader, T& value);

template <class T>
void read_value(ShapeReader& reader, const FieldNames& names, T& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    if (auto text = reader.scalar(names, Scalar::text)) value = std::move(*text);
  } else if constexpr (std::is_same_v<T, std::optional<std::string>>) {
    value = reader.scalar(names, Scalar::text);
  } else if constexpr (shape_detail::IsOptional<T>::value) {
    using Inner = typename T::value_type;
    if constexpr (Described<Inner>) {
      if (!reader.enter(names)) return;
      read_members(reader, value.emplace());
      reader.leave();
    } else {
      constexpr Scalar kind = std::is_same_v<Inner, bool>           ? Scalar::boolean
                              : std::is_same_v<Inner, std::int64_t> ? Scalar::integer
                                                                    : Scalar::timestamp;
      const auto text = reader.scalar(names, kind);
      if (!text) return;
      Inner parsed{};
      if (parse_scalar(*text, parsed)) {
        value = parsed;
      } else {
        reader.complain(names, *text);
      }
    }
  } else if constexpr (std::is_same_v<T, shape_detail::TextLists>) {
    const auto keys = reader.keys(names);
    if (keys.empty() || !reader.enter(names)) return;
    for (const std::string& key : keys) {
      read_value(reader, FieldNames{.member = key, .location = key}, value[key]);
    }
    reader.leave();
  } else if constexpr (std::is_same_v<T, shape_detail::Texts>) {
    const auto keys = reader.keys(names);
    if (keys.empty() || !reader.enter(names)) return;
    for (const std::string& key : keys) {
      const auto text = reader.scalar(FieldNames{.member = key, .location = key}, Scalar::text);
      value[key] = text.value_or("");
    }
    reader.leave();
  } else if constexpr (shape_detail::IsVector<T>::value) {
    if (!reader.enter_list(names)) return;
    while (reader.next()) {
      auto& item = value.emplace_back();
      if constexpr (Described<typename T::value_type>) {
        if (!reader.enter(names)) continue;
        read_members(reader, item);
        reader.leave();
      } else {
        read_value(reader, names, item);
      }
    }
    reader.leave();
  } else {
    static_assert(Described<T>);
    if (!reader.enter(names)) return;
    read_members(reader, value);
    reader.leave();
  }
}

template <Described T>
void read_members(ShapeReader& reader, T& value) {
  std::apply([&](const auto&... f) { (read_value(reader, f.names, value.*(f.value)), ...); },
             T::shape.fields);
}

}  // namespace runctl::aws
