#include "cli/s3/json_list.hpp"

#include <ostream>

#include <fmt/format.h>

#include "base/json.hpp"
#include "cli/output.hpp"

namespace runctl::cli {

void JsonList::begin() {
  if (begun_) return;
  begun_ = true;
  context_.out << fmt::format("{{\n  \"{}\": [", name_);
}

void JsonList::add(const boost::json::object& item) {
  begin();
  context_.out << (first_ ? "\n    " : ",\n    ") << to_text(item);
  first_ = false;
}

void JsonList::end(const boost::json::object& rest) {
  begin();
  context_.out << (first_ ? "]" : "\n  ]");
  for (const auto& member : rest) {
    context_.out << fmt::format(",\n  \"{}\": {}", std::string_view{member.key()},
                                to_text(member.value()));
  }
  context_.out << "\n}\n" << std::flush;
}

bool JsonList::cut(const Error& error) {
  if (!begun_) return false;
  end({{"error", error_record(error)}});
  return true;
}

}  // namespace runctl::cli
