// What runs on a machine, and what it takes of it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "node/script.hpp"

namespace runctl::node {

struct ProcessFacts {
  std::int64_t pid = 0;
  double cpu_percent = 0;          // of one processor: 800 are eight of them
  std::uint64_t memory_bytes = 0;  // resident
  std::uint64_t gpu_memory_mib = 0;
  std::string user = {};
  std::string run_id = {};  // of the run that it belongs to, or empty
  std::string command = {};
};

struct GpuFacts {
  std::int64_t index = 0;
  std::string name = {};
  // Nothing where the driver does not tell.
  std::optional<std::int64_t> utilization_percent = {};
  std::optional<std::int64_t> memory_used_mib = {};
  std::optional<std::int64_t> memory_total_mib = {};
  std::optional<std::int64_t> temperature_c = {};
};

struct Load {
  std::int64_t cpus = 0;
  double load = 0;  // of the last minute
  std::uint64_t memory_total_bytes = 0;
  std::uint64_t memory_available_bytes = 0;
  std::vector<GpuFacts> gpus = {};           // none without nvidia-smi
  std::vector<ProcessFacts> processes = {};  // the busiest first
};

// Looks twice, `between` apart (in steps of 100 ms), and tells the `count` processes that took the
// most of the processors in that time; 30 at most, which SSM's 24,000 characters hold. Errors: as
// run_script.
[[nodiscard]] Result<Load> read_load(const Machine& machine, std::size_t count,
                                     std::chrono::milliseconds between);

}  // namespace runctl::node
