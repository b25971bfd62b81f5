// Orders of the control plane as calls to the hardware.
#pragma once

#include <stop_token>
#include <string>
#include <string_view>

#include "emulator/ec2/state.hpp"
#include "emulator/hardware/hardware.hpp"

namespace runctl::emulator {

// Blocks until the hardware has done it or could not.
[[nodiscard]] ec2::Report perform_order(Hardware& hardware, const ec2::Order& order,
                                        const std::stop_token& stop);

// `bytes` with what is not UTF-8 replaced by U+FFFD: programs print what they like, JSON cannot
// hold it.
[[nodiscard]] std::string as_utf8(std::string_view bytes);

}  // namespace runctl::emulator
