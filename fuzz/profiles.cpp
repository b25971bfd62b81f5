// A profile file that is accepted holds no key or value with a line end in it, and no key without a
// name.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "aws/profile_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using runctl::aws::ProfileFileKind;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  for (const auto kind : {ProfileFileKind::credentials, ProfileFileKind::config}) {
    const auto file = runctl::aws::parse_profile_file(text, "fuzzed", kind);
    if (!file) continue;
    for (const auto& [name, section] : file->profiles) {
      for (const auto& [key, setting] : section) {
        if (key.empty() || key.contains('\n') || setting.value.contains('\n')) std::abort();
      }
    }
  }
  return 0;
}
