// Configuration files that somebody else wrote: read, or refused with file, line and column. A
// project's file never names an endpoint of its own.
#include "config/settings.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using runctl::config::Origin;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  for (const Origin origin : {Origin::user, Origin::project}) {
    const auto settings = runctl::config::parse_settings(text, "x.toml", origin);
    if (!settings) {
      if (!settings.error().message.contains("x.toml")) std::abort();
      continue;
    }
    const bool elsewhere = settings->endpoint && *settings->endpoint != "emulator";
    if (origin == Origin::project && elsewhere) std::abort();
  }
  return 0;
}
