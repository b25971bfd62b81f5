#include "node/processes.hpp"

#include <algorithm>
#include <string_view>

#include <boost/json/array.hpp>

#include "base/json.hpp"

namespace runctl::node {
namespace {

std::uint64_t count_at(const boost::json::value& value, std::string_view name) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(integer_at(value, name).value_or(0), 0));
}

double number_at(const boost::json::value& value, std::string_view name) {
  const auto* object = value.if_object();
  const auto* member = object == nullptr ? nullptr : object->if_contains(name);
  if (member == nullptr || !member->is_number()) return 0;
  return member->to_number<double>();
}

}  // namespace

Result<Load> read_load(const Machine& machine, std::size_t count,
                       std::chrono::milliseconds between) {
  constexpr std::size_t most = 30;
  const auto tenths = std::max<std::int64_t>(between / std::chrono::milliseconds{100}, 1);
  RUNCTL_TRY_LET(
      const auto record,
      run_script(machine, {.name = "processes",
                           .parameters = {{"COUNT", std::to_string(std::min(count, most))},
                                          {"TENTHS", std::to_string(tenths)}}}));
  Load load{.cpus = integer_at(record, "cpus").value_or(0),
            .load = number_at(record, "load"),
            .memory_total_bytes = count_at(record, "memory_total_bytes"),
            .memory_available_bytes = count_at(record, "memory_available_bytes")};
  if (const auto* gpus = array_at(record, "gpus")) {
    for (const auto& gpu : *gpus) {
      load.gpus.push_back({.index = integer_at(gpu, "index").value_or(0),
                           .name = string_at(gpu, "name").value_or(""),
                           .utilization_percent = integer_at(gpu, "utilization_percent"),
                           .memory_used_mib = integer_at(gpu, "memory_used_mib"),
                           .memory_total_mib = integer_at(gpu, "memory_total_mib"),
                           .temperature_c = integer_at(gpu, "temperature_c")});
    }
  }
  if (const auto* processes = array_at(record, "processes")) {
    for (const auto& process : *processes) {
      load.processes.push_back({.pid = integer_at(process, "pid").value_or(0),
                                .cpu_percent = number_at(process, "cpu_percent"),
                                .memory_bytes = count_at(process, "memory_bytes"),
                                .gpu_memory_mib = count_at(process, "gpu_memory_mib"),
                                .user = string_at(process, "user").value_or(""),
                                .run_id = string_at(process, "run_id").value_or(""),
                                .command = string_at(process, "command").value_or("")});
    }
  }
  return load;
}

}  // namespace runctl::node
