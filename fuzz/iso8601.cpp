// A time that is accepted must be written so that it is read as the same time.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/time_text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto time = runctl::parse_iso8601(text);
  if (!time) return 0;
  const auto again = runctl::parse_iso8601(runctl::iso8601(*time));
  if (!again || *again != *time) std::abort();
  return 0;
}
