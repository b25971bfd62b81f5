// What `runctl quickstart` shows. Each is a tour of its own on a cloud of its own.
#pragma once

#include <string>

#include "base/result.hpp"
#include "cli/quickstart/tour.hpp"

namespace runctl::cli {

// Whether the cloud has real devices, or directories in their place.
enum class Devices : bool { none, real };

inline constexpr unsigned main_job_steps = 7;
inline constexpr unsigned main_job_steps_without_devices = 6;
inline constexpr unsigned corruption_steps = 4;

// A dataset is sealed and read by two machines; a training is interrupted, its checkpoints are
// handed over, and it goes on there. `example` is the folder of examples/digits. Errors: corrupt
// when something that the tour is to prove does not hold; those of Tour.
[[nodiscard]] Result<void> show_main_job(Tour& tour, const std::string& example, Devices devices);

// Two machines write one ext4 at the same time, behind runctl's back. Needs real devices. Errors:
// as show_main_job.
[[nodiscard]] Result<void> show_corruption(Tour& tour);

}  // namespace runctl::cli
