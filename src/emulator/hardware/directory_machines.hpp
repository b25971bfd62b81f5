// Machines as directories, for hosts on which we are not root.
//
// STATE/instances/i-…/root/         what commands take for the root directory
// STATE/instances/i-…/volumes/vol-… link to the directory of a plugged volume
// STATE/instances/i-…/mounts/vol-…  the mount point, written by whoever mounted it: a link at
// root/MOUNT_POINT STATE/instances/i-…/home/         HOME of commands
#pragma once

#include <filesystem>
#include <memory>

#include "emulator/hardware/hardware.hpp"
#include "io/clock.hpp"
#include "io/process.hpp"

namespace runctl::emulator {

// Commands run as ourselves, with the machine's directory in RUNCTL_FILES_ROOT. A process belongs
// to the machine whose directory it was started with; one that was given another environment is not
// found again. `state` must be absolute and free of links.
[[nodiscard]] std::unique_ptr<Machines> make_directory_machines(std::filesystem::path state,
                                                                Clock& clock, Process& process);

// Ends what runs of the machine with that directory, and takes its mounts and volumes away. Returns
// how many processes it ended.
std::size_t clear_directory_machine(const std::filesystem::path& directory);

}  // namespace runctl::emulator
