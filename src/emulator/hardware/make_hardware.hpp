// Choosing and building the hardware of an emulator.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "emulator/hardware/hardware.hpp"
#include "io/clock.hpp"
#include "io/process.hpp"

namespace runctl::emulator {

struct HardwareParts {
  std::filesystem::path state;  // this process's own: nobody else works in it
  Clock& clock;                 // a real one: processes do not follow another
  Process& process;
  std::filesystem::path program = "/proc/self/exe";  // its main() leads to machine_main()
};

// Errors: as fail_errno, when the state directory cannot be used.
[[nodiscard]] Result<Hardware> make_hardware(HardwareKind kind, const HardwareParts& parts);

// Whether HardwareKind::block can work here: tries a loop device and a machine, and leaves nothing
// behind. Errors: denied or internal, with what is missing; the message completes "no block
// hardware: …".
[[nodiscard]] Result<void> block_hardware_works(const HardwareParts& parts);

// To be called before make_hardware: ends the processes, detaches the loop devices and removes the
// mounts and half images that an emulator on this state directory left when it was killed. Returns
// what it did, a line each. Machines and their loop devices end by themselves with the emulator;
// this is for what was stuck then.
[[nodiscard]] std::vector<std::string> clean_up_after_crash(const std::filesystem::path& state);

}  // namespace runctl::emulator
