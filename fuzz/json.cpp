// Whatever is taken for JSON can be written and read again, with the same result; the last digit of
// a fraction apart, which Boost.JSON 1.81 does not promise.
#include "base/json.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using boost::json::value;

bool same(const value& a, const value& b) {
  if (a.is_double()) return b.is_double();
  if (const auto* list = a.if_array()) {
    return b.is_array() && std::ranges::equal(*list, b.get_array(), same);
  }
  if (const auto* object = a.if_object()) {
    return b.is_object() &&
           std::ranges::equal(*object, b.get_object(), [](const auto& x, const auto& y) {
             return x.key() == y.key() && same(x.value(), y.value());
           });
  }
  return a == b;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto first = runctl::parse_json(text);
  if (!first) return 0;
  for (const std::string& written : {runctl::to_text(*first), runctl::to_pretty_text(*first)}) {
    const auto second = runctl::parse_json(written);
    if (!second || !same(*first, *second)) std::abort();
  }
  return 0;
}
