// Whatever is taken for JSON can be written and read again, with the same result; and what is not
// is refused with an offset.
#include "base/json.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto first = runctl::parse_json(text);
  if (!first) return 0;
  const std::string written = runctl::to_text(*first);
  const auto second = runctl::parse_json(written);
  if (!second || runctl::to_text(*second) != written) std::abort();
  if (!runctl::parse_json(runctl::to_pretty_text(*first))) std::abort();
  return 0;
}
