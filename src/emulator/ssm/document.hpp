// The one document that the emulator has.
#pragma once

#include <string_view>

namespace runctl::emulator::ssm {

inline constexpr std::string_view shell_document = "AWS-RunShellScript";
inline constexpr std::string_view shell_plugin = "aws:runShellScript";

}  // namespace runctl::emulator::ssm
