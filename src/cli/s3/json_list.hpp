// A record with one list in it that may have a million items: written as they come, so that it is
// one JSON document and never in memory.
#pragma once

#include <string_view>

#include <boost/json/object.hpp>

#include "base/result.hpp"
#include "cli/context.hpp"

namespace runctl::cli {

class JsonList {
 public:
  // Nothing is written before the first item, or the end: an error until then is a record of its
  // own.
  JsonList(Context& context, std::string_view name) : context_{context}, name_{name} {}
  void add(const boost::json::object& item);
  // With the other members of the record behind the list.
  void end(const boost::json::object& rest);
  // Ends a list that has begun with the error that cut it; false when none has.
  [[nodiscard]] bool cut(const Error& error);

 private:
  void begin();
  Context& context_;
  std::string_view name_;
  bool begun_ = false;
  bool first_ = true;
};

}  // namespace runctl::cli
