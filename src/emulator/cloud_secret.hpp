// What every client signs with.
#pragma once

#include <string_view>

namespace runctl::emulator {

// The secret of every access key. The emulator proves that clients sign properly, not who they are.
inline constexpr std::string_view secret_access_key = "emulator";

}  // namespace runctl::emulator
