// No hardware at all: the control plane answers, and nothing is behind it.
#pragma once

#include <memory>

#include "emulator/hardware/hardware.hpp"

namespace runctl::emulator {

[[nodiscard]] std::unique_ptr<Disks> make_no_disks();
[[nodiscard]] std::unique_ptr<Machines> make_no_machines();

}  // namespace runctl::emulator
