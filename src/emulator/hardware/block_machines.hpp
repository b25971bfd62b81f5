// Machines as namespaces, volumes as loop devices.
#pragma once

#include <filesystem>
#include <memory>

#include "emulator/hardware/hardware.hpp"
#include "io/clock.hpp"
#include "io/process.hpp"

namespace runctl::emulator {

// Needs root; block_hardware_works() tells whether it can be. `program` is executed again as
// machine_main(). All machines halt with the returned object, and with this process however it
// ends.
[[nodiscard]] std::unique_ptr<Machines> make_block_machines(std::filesystem::path state,
                                                            Clock& clock, Process& process,
                                                            std::filesystem::path program);

// STATE/instances/i-…/process holds "PID START" of the machine's process 1 while it runs.
[[nodiscard]] std::filesystem::path instance_directory(const std::filesystem::path& state,
                                                       const InstanceId& instance);

}  // namespace runctl::emulator
